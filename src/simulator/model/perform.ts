import type { DecodedCall, Reply, Verb } from '../../host/wire.ts';
import { guarded, Refused } from './guard.ts';
import type { ModelHost } from './model-host.ts';
import { pokeFiles } from './poke-files.ts';
import { readPaths } from './read-paths.ts';
import { runProgram } from './run-program.ts';
import { writeFiles } from './write-files.ts';

/**
 * Carries one verb out on a model host and answers as the verb's script would.
 *
 * @param connection the value of SSH_CONNECTION, when there is one.
 * @throws HostDown when the host went away meanwhile; what was done up to then stays.
 */
export async function perform(
  host: ModelHost,
  call: DecodedCall,
  connection?: string,
): Promise<Reply<Verb>> {
  try {
    return await carryOut(host, call, connection);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refusedReply(host, call, error);
  }
}

async function carryOut(
  host: ModelHost,
  call: DecodedCall,
  connection: string | undefined,
): Promise<Reply<Verb>> {
  switch (call.verb) {
    case 'read':
      logRead(host, call.request.entries.length);
      return readPaths(host, call.request, connection);
    case 'write': {
      const { guard, deadlineMs, files } = call.request;
      return guarded(host, guard, deadlineMs, () => Promise.resolve(writeFiles(host, files)));
    }
    case 'poke': {
      const { guard, deadlineMs, writes } = call.request;
      return guarded(host, guard, deadlineMs, (hold) => pokeFiles(host, writes, hold));
    }
    case 'run': {
      const { guard, deadlineMs } = call.request;
      if (guard === undefined) return runProgram(host, call.request);
      return guarded(host, guard, deadlineMs, () => runProgram(host, call.request));
    }
  }
}

function logRead(host: ModelHost, entries: number): void {
  host.log.add({ verb: 'read', what: `${entries} entries`, effect: 'read', changed: false });
}

/** A write that cannot keep its record says so as the outcome of its first file (write.sh, `unrecorded`). */
function refusedReply(host: ModelHost, call: DecodedCall, { refusal }: Refused): Reply<Verb> {
  host.log.add({
    verb: call.verb,
    what: target(call),
    effect: `refused ${refusal.refused}`,
    changed: false,
  });
  if (call.verb !== 'write' || refusal.refused !== 'record-failed') return refusal;
  const reason = refusal.detail.includes('No space left') ? 'no-space' : 'read-only';
  return [{ path: target(call), kind: 'failed', reason, message: refusal.detail }];
}

function target(call: DecodedCall): string {
  switch (call.verb) {
    case 'read':
      return 'read';
    case 'write':
      return call.request.files[0]?.path ?? '';
    case 'poke':
      return call.request.writes[0]?.path ?? '';
    case 'run':
      return call.request.argv.join(' ');
  }
}
