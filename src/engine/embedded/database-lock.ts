import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, isAlive } from './process-info.ts';

/** A server whose parent was killed ends within 10 s (guardian.sh). */
const PATIENCE_MS = 15_000;
const POLL_MS = 100;

/** Thrown when another embedded server has the database file open. Two servers on one file corrupt each other. */
export class DatabaseInUse extends Error {
  override readonly name = 'DatabaseInUse';
  readonly file: string;
  readonly pid: number;

  constructor(file: string, pid: number) {
    super(
      `${file} is in use by process ${pid}: another "vfleet up" or demo runs on it. ` +
        'Stop that one, or give this one another database file.',
    );
    this.file = file;
    this.pid = pid;
  }
}

export interface DatabaseLock {
  /** Names the server that is about to open the file. */
  readonly heldBy: (serverPid: number) => Promise<void>;
  readonly release: () => Promise<void>;
}

/** Who holds the file: the process that started the server, and the server once there is one. */
interface Holder {
  readonly owner: number;
  readonly server: number | null;
}

/**
 * Takes `FILE.pid`. A holder that is gone, or whose id now belongs to something else, is passed over; a server
 * whose owner was killed is waited for, since it is about to end. Throws `DatabaseInUse`.
 */
export async function lockDatabase(file: string): Promise<DatabaseLock> {
  const path = `${file}.pid`;
  const deadline = Date.now() + PATIENCE_MS;
  const mine: Holder = { owner: process.pid, server: null };
  while (!(await tryTake(path, mine))) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text === null) continue; // Just released: try again.
    const busy = await busyPid(text, file);
    if (busy === undefined) await takeAway(path, text);
    else if (busy.staying || Date.now() > deadline) throw new DatabaseInUse(file, busy.pid);
    else await sleep(POLL_MS);
  }
  return {
    heldBy: async (server) => {
      const scratch = `${path}.${process.pid}`;
      await writeFile(scratch, JSON.stringify({ ...mine, server } satisfies Holder));
      await rename(scratch, path);
    },
    release: () => rm(path, { force: true }),
  };
}

/** Links a whole file into place: unlike an exclusive create, nobody ever reads it half written. */
async function tryTake(path: string, mine: Holder): Promise<boolean> {
  const scratch = `${path}.${process.pid}`;
  await writeFile(scratch, JSON.stringify(mine));
  try {
    await link(scratch, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(scratch, { force: true });
  }
}

/** The process that keeps us out, and whether it will stay; `undefined` when the lock is a leftover. */
async function busyPid(
  text: string,
  file: string,
): Promise<{ pid: number; staying: boolean } | undefined> {
  const holder = parse(text);
  if (holder === undefined) return undefined;
  const ownerLives = isAlive(holder.owner);
  if (holder.server === null) return ownerLives ? { pid: holder.owner, staying: true } : undefined;
  // After a reboot the id may be another program's; ours has the file on its command line.
  const serverLives = (await commandOf(holder.server)).includes(file);
  return serverLives ? { pid: holder.server, staying: ownerLives } : undefined;
}

function parse(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** Removes the leftover that was read, and nothing that another process put there meanwhile. */
async function takeAway(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}.old`;
  try {
    await rename(path, aside);
  } catch {
    return; // Another one was faster.
  }
  if ((await readFile(aside, 'utf8')) !== text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
