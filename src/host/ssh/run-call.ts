import type { Client, ClientChannel } from 'ssh2';
import { HostError, OutcomeUnknown } from '../errors.ts';
import { REPLY_BYTES_MAX } from '../port.ts';
import type { Call, RawReply, Verb } from '../wire.ts';

/** Most bytes of stderr that are kept; the scripts write next to nothing there. */
const STDERR_BYTES_MAX = 64 * 1024;

export interface CallContext {
  readonly host: string;
  readonly verb: Verb;
  /** How long to wait for the whole answer. */
  readonly timeoutMs: number;
}

/**
 * Runs one call on a channel of its own and collects its answer as bytes. This uses ssh2's channel rather than node-ssh's
 * `execCommand`, which decodes each chunk by itself (so that characters break at chunk borders), keeps output without
 * bound, and reports a lost connection as a result (reference/ssh.md traps 2, 5, 6).
 *
 * A `code` of null means that the connection was lost, or that a signal ended the command: the outcome is unknown.
 *
 * @throws HostError when the call never began, took too long (read) or sent too much (read); OutcomeUnknown for the
 * last two when it is a mutation.
 */
export async function runCall(client: Client, call: Call, context: CallContext): Promise<RawReply> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), context.timeoutMs);
  const timed = { ...context, deadline: deadline.signal };
  try {
    // The exchange begins within the callback: a quick refusal comes in the same packet as the channel, and its
    // exit code would be told before anybody listened.
    const { channel, reply } = await openChannel(client, call.command, timed, (opened) => ({
      channel: opened,
      reply: exchange(opened, call.stdin, timed),
    }));
    // The rest of the answer, if any, is of no use; and a channel that is kept counts against MaxSessions.
    return await reply.finally(() => channel.close());
  } finally {
    clearTimeout(timer);
  }
}

interface Timed extends CallContext {
  readonly deadline: AbortSignal;
}

/** Until the channel stands no argument has been sent, so whatever goes wrong here has changed nothing. */
function openChannel<T>(
  client: Client,
  command: string,
  context: Timed,
  begin: (channel: ClientChannel) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const lost = (): void =>
      reject(new HostError('ssh.closed', context.host, 'the connection was lost; try again'));
    const late = (): void => {
      client.destroy();
      reject(
        new HostError(
          'ssh.timeout',
          context.host,
          'it is connected but does not answer; see its load',
        ),
      );
    };
    client.once('close', lost);
    context.deadline.addEventListener('abort', late, { once: true });
    const settle = (error: Error | undefined, channel: ClientChannel): void => {
      client.removeListener('close', lost);
      context.deadline.removeEventListener('abort', late);
      if (error === undefined) resolve(begin(channel));
      else reject(channelError(error, context.host));
    };
    try {
      client.exec(command, settle);
    } catch {
      // ssh2 throws when the socket has gone and `close` has not been heard yet.
      lost();
    }
  });
}

const channelError = (error: Error, host: string): HostError =>
  new HostError(
    'ssh.protocol',
    host,
    `it refused a session (${error.message}): its sshd's MaxSessions may be used up, or it allows no commands`,
    { cause: error },
  );

function exchange(channel: ClientChannel, stdin: Buffer, context: Timed): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const room = { stdout: REPLY_BYTES_MAX, stderr: STDERR_BYTES_MAX };
    let code: number | null = null;
    const late = (): void => reject(lateError(context));
    context.deadline.addEventListener('abort', late, { once: true });
    channel.on('error', () => undefined);
    channel.stderr.on('error', () => undefined);
    channel.on('data', (chunk: Buffer) => {
      room.stdout -= chunk.length;
      if (room.stdout < 0) reject(tooLarge(context));
      else stdout.push(chunk);
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      if (room.stderr > 0) stderr.push(chunk.subarray(0, room.stderr));
      room.stderr -= chunk.length;
    });
    channel.on('exit', (exit: number | null) => (code = exit));
    channel.on('close', () => {
      context.deadline.removeEventListener('abort', late);
      resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), code });
    });
    channel.end(stdin);
  });
}

function lateError({ host, verb }: CallContext): HostError {
  return verb === 'read'
    ? new HostError('ssh.timeout', host, 'a read did not come back in time; see its load and disks')
    : new OutcomeUnknown(host, `a ${verb} did not come back in time; it is probed afresh`);
}

function tooLarge({ host, verb }: CallContext): HostError {
  return verb === 'read'
    ? new HostError(
        'host.output-too-large',
        host,
        `it sent more than ${REPLY_BYTES_MAX} bytes for one read; see what its login shell prints`,
      )
    : new OutcomeUnknown(host, `a ${verb} sent more output than it can have; it is probed afresh`);
}
