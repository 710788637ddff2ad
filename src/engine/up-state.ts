import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './embedded/process-info.ts';

/** Where the engine of a running `vfleet up` is, for the other commands of the same user. */
export interface UpState {
  /** `127.0.0.1:PORT` of its Temporal front end. */
  readonly address: string;
  readonly namespace: string;
  /** The `vfleet up` process. */
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly since: string;
}

const FILE = 'up.json';

/** Writes `up.json` in the state folder, whole or not at all. */
export async function writeUpState(folder: string, state: UpState): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const scratch = join(folder, `${FILE}.${process.pid}`);
  await writeFile(scratch, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(scratch, join(folder, FILE));
}

/** The running `vfleet up`; `undefined` when there is none, or when the one that wrote the file is gone. */
export async function readUpState(folder: string): Promise<UpState | undefined> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => '');
  const state = parse(text);
  return state !== undefined && isAlive(state.pid) ? state : undefined;
}

/** Removes `up.json` if it is ours; another `vfleet up` that came meanwhile keeps its own. */
export async function removeUpState(folder: string, pid: number): Promise<void> {
  const state = parse(await readFile(join(folder, FILE), 'utf8').catch(() => ''));
  if (state?.pid === pid) await rm(join(folder, FILE), { force: true });
}

function parse(text: string): UpState | undefined {
  let found: Partial<UpState> | null;
  try {
    found = JSON.parse(text) as Partial<UpState> | null;
  } catch {
    return undefined; // Missing, or written by hand.
  }
  const { address, namespace, pid = -1, since } = found ?? {};
  if (typeof address !== 'string' || typeof namespace !== 'string') return undefined;
  if (!Number.isSafeInteger(pid) || pid <= 0 || typeof since !== 'string') return undefined;
  return { address, namespace, pid, since };
}
