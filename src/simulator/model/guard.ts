import type { Guard } from '../../host/port.ts';
import type { Refusal } from '../../host/wire.ts';
import { LEASE_PATH } from '../../host/writable-paths.ts';
import { DiskError } from './disk.ts';
import { HostDown } from './host-down.ts';
import type { ModelHost } from './model-host.ts';

const STATE = '/var/lib/vfleet';
const FENCE = `${STATE}/fence`;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The script refused before it changed anything. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refused: Refusal['refused'], detail: string) {
    super(refused);
    this.refusal = { refused, detail };
  }
}

/** Keeps the lock beyond the command's end: a write that hangs in the kernel holds it until it returns. */
export type Hold = (until: Promise<void>) => void;

/**
 * Does a mutation as src/host/scripts/guard.sh does: under the host's lock, after lease, boot id and fencing token
 * were found right, and the token noted.
 *
 * @throws Refused, with nothing changed but perhaps the lock file.
 */
export async function guarded<T>(
  host: ModelHost,
  guard: Guard | undefined,
  deadlineMs: number,
  mutate: (hold: Hold) => Promise<T>,
): Promise<T> {
  const { lock, generation } = host;
  prepareState(host);
  // As src/host/wire/call.ts tells the scripts: half the deadline, 1 to 30 s.
  const waitS = Math.min(30, Math.max(1, Math.floor(deadlineMs / 2000)));
  if (!(await lock.take(waitS * 1000))) throw new Refused('lock-busy', String(waitS));
  let released: Promise<void> = Promise.resolve();
  try {
    // A command that waited across a reboot died with its kernel.
    if (host.generation !== generation) throw new HostDown();
    if (guard !== undefined) checkGuard(host, guard);
    return await mutate((until) => {
      released = until;
    });
  } finally {
    void released.then(() => lock.release());
  }
}

function prepareState(host: ModelHost): void {
  recordedOrRefused(() => {
    const isNew = host.tree.at(`${STATE}/lock`) === undefined;
    host.disk.needWritable(`${STATE}/lock`);
    host.disk.mkdir(STATE);
    if (isNew) host.disk.put(`${STATE}/lock`, '');
  });
}

function checkGuard(host: ModelHost, guard: Guard): void {
  const lease = host.tree.text(LEASE_PATH) ?? '';
  if (lease.split('\n', 1)[0] !== `id=${guard.lease}`) {
    throw new Refused('lease-lost', lease.slice(0, 1024));
  }
  const bootId = (host.tree.text(BOOT_ID) ?? '').trim();
  if (guard.bootId !== undefined && guard.bootId !== bootId) {
    throw new Refused('other-boot', bootId);
  }
  checkFence(host, guard);
  recordedOrRefused(() => host.disk.put(FENCE, `${guard.lease} ${guard.seq} ${guard.attempt}\n`));
}

/** A token older than the newest that was seen under this lease belongs to an attempt that was given up. */
function checkFence(host: ModelHost, guard: Guard): void {
  const seen = /^(\S+) (\d+) (\d+)$/m.exec(host.tree.text(FENCE) ?? '');
  if (seen?.[1] !== guard.lease) return;
  const [seq, attempt] = [Number(seen[2]), Number(seen[3])];
  if (seq > guard.seq || (seq === guard.seq && attempt > guard.attempt)) {
    throw new Refused('fenced', `${seq} ${attempt}`);
  }
}

function recordedOrRefused(keep: () => void): void {
  try {
    keep();
  } catch (error) {
    if (error instanceof DiskError) throw new Refused('record-failed', error.message);
    throw error;
  }
}
