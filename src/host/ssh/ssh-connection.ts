import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { HostError, type HostErrorCode } from '../errors.ts';
import type { Call, RawReply } from '../wire.ts';
import type { SshLimits } from './limits.ts';
import { runCall, type CallContext } from './run-call.ts';
import { Semaphore } from './semaphore.ts';

/** Numbers of SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254, 5.1). */
const OPEN_REFUSED = 1;

/**
 * One logged-in connection, shared by many commands. It closes itself when it has not been used for a while, and after
 * `retire` as soon as nothing uses it.
 */
export class SshConnection {
  private readonly client: Client;
  private readonly limits: SshLimits;
  private readonly channels: Semaphore;
  private users = 0;
  private open = true;
  private retired = false;
  private idle: NodeJS.Timeout | undefined;
  readonly closed: Promise<void>;

  constructor(client: Client, limits: SshLimits) {
    this.client = client;
    this.limits = limits;
    this.channels = new Semaphore(limits.channels);
    // Each command and each forward listens for `close`; their number is limited elsewhere.
    client.setMaxListeners(0);
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.open = false;
        clearTimeout(this.idle);
        resolve();
      });
    });
    this.rest();
  }

  /** Whether a new command may be given to it. */
  get usable(): boolean {
    return this.open && !this.retired;
  }

  /** Runs one call; at most `channels` at once, the others wait. */
  async run(call: Call, context: CallContext): Promise<RawReply> {
    this.use();
    try {
      return await this.channels.use(() => runCall(this.client, call, context));
    } finally {
      this.rest();
    }
  }

  /**
   * A stream from this host to another (this one is its jump host).
   *
   * @throws HostError `ssh.jump` when it does not forward at all, `ssh.unreachable` when it cannot reach the other,
   * `ssh.timeout` when it answers neither way in the time of a connect.
   */
  async forward(host: string, address: string, port: number): Promise<Duplex> {
    this.use();
    try {
      const stream = await this.openForward(host, address, port);
      stream.once('close', () => this.rest());
      return stream;
    } catch (error) {
      this.rest();
      throw error;
    }
  }

  /** Takes no new command and closes when the last has ended. */
  retire(): void {
    this.retired = true;
    if (this.users === 0) this.client.end();
  }

  /** Closes at once, whatever runs. */
  destroy(): void {
    this.retired = true;
    this.client.destroy();
  }

  private use(): void {
    this.users += 1;
    clearTimeout(this.idle);
  }

  private rest(): void {
    if (this.users > 0) this.users -= 1;
    if (this.users > 0 || !this.open) return;
    if (this.retired) this.client.end();
    else this.idle = setTimeout(() => this.retire(), this.limits.idleMs).unref();
  }

  private openForward(host: string, address: string, port: number): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const fail = (code: HostErrorCode, sentence: string, cause?: Error): void => {
        clearTimeout(timer);
        this.client.removeListener('close', lost);
        reject(new HostError(code, host, sentence, { cause }));
      };
      const lost = (): void => fail('ssh.closed', 'the connection to its jump host was lost');
      this.client.once('close', lost);
      // Keepalives only show that it lives. Without this limit, whoever waits here keeps a permit to connect for ever.
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        fail('ssh.timeout', `its jump host does not say whether it reaches ${address}:${port}`);
      }, this.limits.connectTimeoutMs);
      try {
        this.client.forwardOut('127.0.0.1', 0, address, port, (error, stream) => {
          clearTimeout(timer);
          this.client.removeListener('close', lost);
          if (late && error === undefined) stream.destroy();
          else if (error === undefined) resolve(stream);
          else if ((error as { reason?: unknown }).reason === OPEN_REFUSED) {
            fail(
              'ssh.jump',
              'its jump host does not forward connections; set AllowTcpForwarding there',
              error,
            );
          } else fail('ssh.unreachable', `its jump host cannot reach ${address}:${port}`, error);
        });
      } catch {
        lost();
      }
    });
  }
}
