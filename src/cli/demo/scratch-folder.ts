import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'vfleet-demo-';

/**
 * Makes an empty folder of this process's own, and removes those of demos that were killed before they could. The
 * process id in the name says whose it is.
 */
export async function makeScratchFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const pid = /^vfleet-demo-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    // Another user's leftover cannot be removed; it is theirs to sweep.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
  return mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
