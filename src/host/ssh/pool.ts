import type { Logger } from 'pino';
import type { HostConnection } from '../../domain/host-entry.ts';
import type { HostDirectory } from '../connection.ts';
import { HostError } from '../errors.ts';
import { SSH_LIMITS, type SshLimits } from './limits.ts';
import { openClient } from './open-client.ts';
import { Semaphore } from './semaphore.ts';
import { SshConnection } from './ssh-connection.ts';
import { createSshHost } from './ssh-host.ts';

export interface SshDirectoryOptions {
  readonly log: Logger;
  readonly limits?: Partial<SshLimits>;
}

/**
 * All hosts by SSH. Each has one connection however many commands run at once; a lost one is replaced by the next
 * command. Jump hosts are connected to once and shared by the hosts behind them.
 */
export function createSshDirectory({ log, limits: given }: SshDirectoryOptions): HostDirectory {
  const limits = { ...SSH_LIMITS, ...given };
  const pool = new Pool(limits, log);
  return {
    host: (connection) =>
      createSshHost({
        connection,
        log,
        graceMs: limits.graceMs,
        run: async (call, context) => (await pool.connected(connection)).run(call, context),
      }),
    forget: (connection) => pool.forget(connection),
    close: () => pool.close(),
  };
}

class Pool {
  private readonly entries = new Map<string, Promise<SshConnection>>();
  private readonly doors = new Map<string, Semaphore>();
  private readonly connects: Semaphore;
  private readonly limits: SshLimits;
  private readonly log: Logger;
  private closing = false;

  constructor(limits: SshLimits, log: Logger) {
    this.limits = limits;
    this.log = log;
    this.connects = new Semaphore(limits.connects);
  }

  /** The host's connection; one attempt serves all who wait, and one that failed is not kept. */
  async connected(connection: HostConnection): Promise<SshConnection> {
    if (this.closing) {
      throw new HostError('ssh.closed', connection.name, 'the SSH pool has been closed');
    }
    const key = keyOf(connection);
    const pooled = this.entries.get(key);
    if (pooled !== undefined) {
      const ready = await pooled;
      if (ready.usable) return ready;
      this.drop(key, pooled);
      return this.connected(connection);
    }
    const opening = this.open(connection);
    this.entries.set(key, opening);
    opening.then(
      (ready) => void ready.closed.then(() => this.drop(key, opening)),
      () => this.drop(key, opening),
    );
    return opening;
  }

  forget(connection: HostConnection): void {
    const key = keyOf(connection);
    const pooled = this.entries.get(key);
    if (pooled === undefined) return;
    this.drop(key, pooled);
    pooled.then(
      (ready) => ready.retire(),
      () => undefined,
    );
  }

  /** Ends every connection, by force where the other side does not answer within a second. */
  async close(): Promise<void> {
    this.closing = true;
    const settled = await Promise.allSettled(this.entries.values());
    const open = settled.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    for (const connection of open) connection.retire();
    const force = setTimeout(() => {
      for (const connection of open) connection.destroy();
    }, 1000);
    await Promise.all(open.map((connection) => connection.closed));
    clearTimeout(force);
  }

  private drop(key: string, entry: Promise<SshConnection>): void {
    if (this.entries.get(key) === entry) this.entries.delete(key);
  }

  private async open(connection: HostConnection): Promise<SshConnection> {
    const { jump, ...direct } = connection;
    const through =
      jump === undefined
        ? undefined
        : await this.connected({ ...jump, name: `${connection.name} (jump host ${jump.address})` });
    // Permits are taken after the jump host stands, so that no holder waits for another permit.
    return this.door(jump ?? connection).use(() =>
      this.connects.use(async () => {
        const via = await through?.forward(connection.name, connection.address, connection.port);
        try {
          const client = await openClient({
            connection: direct,
            limits: this.limits,
            ...(via && { via }),
          });
          this.log.debug({ host: connection.name }, 'connected');
          return new SshConnection(client, this.limits);
        } catch (error) {
          via?.destroy();
          throw error;
        }
      }),
    );
  }

  /** Handshakes are limited where they come in: at the jump host, or at the address itself. */
  private door({ address, port }: { address: string; port: number }): Semaphore {
    const key = `${address}:${port}`;
    const known = this.doors.get(key) ?? new Semaphore(this.limits.connectsPerDoor);
    this.doors.set(key, known);
    return known;
  }
}

/** Entries that reach one machine in the same way share a connection; the name is not part of it. */
function keyOf({ name: _name, ...way }: HostConnection): string {
  const { address, port, user, identityFile, knownHostsFile, jump } = way;
  return JSON.stringify([address, port, user, identityFile, knownHostsFile, jump]);
}
