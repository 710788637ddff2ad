import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Process ids of all that a process started, and of what those started, now. */
export async function descendantsOf(pid: number): Promise<readonly number[]> {
  const parents = await processes();
  const found = [pid];
  for (const at of found) {
    for (const [child, parent] of parents) if (parent === at) found.push(child);
  }
  return found.slice(1);
}

/** Those of some processes that are still there; zombies are not. */
export async function stillAlive(pids: readonly number[]): Promise<readonly number[]> {
  const known = await processes();
  return pids.filter((pid) => known.has(pid));
}

/** Parent of each process that runs. */
async function processes(): Promise<ReadonlyMap<number, number>> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(
    rows
      .filter(([, , state]) => state !== undefined && !state.startsWith('Z'))
      .map(([pid, parent]) => [Number(pid), Number(parent)]),
  );
}
