import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a process with this id exists (it may be another user's). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process, arguments joined by spaces; empty when it is gone or a zombie. */
export async function commandOf(pid: number): Promise<string> {
  try {
    // proc(5): NUL-separated, empty for a zombie.
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    // No /proc (macOS), or gone: ps tells both.
    const asked = run('ps', ['-o', 'command=', '-p', String(pid)], { timeout: 5_000 });
    return asked.then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
  }
}
