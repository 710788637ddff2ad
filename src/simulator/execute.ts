import { decodeCall, decodeCommand, encodeReply, type DecodedCall } from '../host/wire.ts';
import { HostDown } from './model/host-down.ts';
import type { ModelHost } from './model/model-host.ts';
import { perform } from './model/perform.ts';
import { seededBytes } from './model/random.ts';

/** How a command on a model host ends, as its SSH server sees it. */
export type Execution =
  | {
      readonly kind: 'answered';
      readonly stdout: Buffer;
      readonly stderr: Buffer;
      readonly code: number;
    }
  /** The connection is lost without an exit code. */
  | { readonly kind: 'cut' }
  /** Nothing more is ever said. */
  | { readonly kind: 'stalled' };

const answered = (code: number, stderr: string, stdout: Buffer = Buffer.alloc(0)): Execution => ({
  kind: 'answered',
  stdout,
  stderr: Buffer.from(stderr),
  code,
});

/**
 * Carries an exec request out: what a real host's shell would do with the command's text and its stdin. Only commands
 * that are exactly a script of this release are known; anything else is refused with exit code 127 and a message.
 */
export async function execute(
  host: ModelHost,
  command: string,
  stdin: Uint8Array,
  connection?: string,
): Promise<Execution> {
  const known = decodeCommand(command);
  if (known === undefined) return refuseUnknown(host, command);
  if (host.faults.has('no-sudo') && known.become) {
    return answered(1, 'sudo: a password is required\n');
  }
  if (host.faults.has('garbage')) {
    return answered(0, '', seededBytes(host.name, 'garbage'));
  }
  if (host.faults.find('stalls')?.at === 'command') return { kind: 'stalled' };
  const call = decodeCall(command, stdin);
  if (call === undefined) {
    host.complain(`malformed arguments of a ${known.verb}`);
    return answered(65, '');
  }
  const leave = await host.enter();
  try {
    return await carryOut(host, call, connection);
  } catch (error) {
    if (error instanceof HostDown) return { kind: 'cut' };
    throw error;
  } finally {
    leave();
  }
}

async function carryOut(
  host: ModelHost,
  call: DecodedCall,
  connection: string | undefined,
): Promise<Execution> {
  const latencyMs = host.timing.commandMs + (host.faults.find('slow')?.latencyMs ?? 0);
  const limitMs = call.request.deadlineMs;
  // Also without latency the host gets one turn, so that two commands at once meet as they would in life.
  await host.wait(Math.min(latencyMs, limitMs));
  if (latencyMs > limitMs) return answered(124, '');
  const program = call.verb === 'run' ? call.request.argv[0] : undefined;
  const drop = host.faults.takeDrop(call.verb, program);
  if (drop === 'before') return { kind: 'cut' };
  const reply = await perform(host, call, connection);
  if (drop === 'after') return { kind: 'cut' };
  const framed = encodeReply(call.verb, call.nonce, reply);
  return answered(0, '', Buffer.concat([host.banner, framed]));
}

function refuseUnknown(host: ModelHost, command: string): Execution {
  const shown = JSON.stringify(command.slice(0, 120));
  host.complain(`not a command of vfleet: ${shown}`);
  return answered(127, `vfleet simulator: not a command that the model knows: ${shown}\n`);
}
