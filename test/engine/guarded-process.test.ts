import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { startGuarded } from '../../src/engine/embedded/guarded-process.ts';
import { isAlive } from '../../src/engine/embedded/process-info.ts';

const PARENT = fileURLToPath(new URL('guarded-parent.ts', import.meta.url));

/** Starts a process that starts `command` guarded; gives both ids. */
async function parentOf(...command: string[]): Promise<{ kill: () => void; childPid: number }> {
  const parent = spawn(process.execPath, ['--import', 'tsx', PARENT, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  return { kill: () => parent.kill('SIGKILL'), childPid: Number(line) };
}

describe('a guarded process', () => {
  it('is gone soon after its parent was killed with -9', async () => {
    const { kill, childPid } = await parentOf('sleep', '600');
    expect(isAlive(childPid)).toBe(true);
    kill();
    await vi.waitFor(() => expect(isAlive(childPid)).toBe(false), { timeout: 5_000, interval: 20 });
  });

  it('is killed when it ignores the request to end, also with its parent gone', async () => {
    const { kill, childPid } = await parentOf(
      'sh',
      '-c',
      'trap "" TERM; echo up; while :; do sleep 1; done',
    );
    kill();
    await vi.waitFor(() => expect(isAlive(childPid)).toBe(false), {
      timeout: 20_000,
      interval: 100,
    });
  }, 30_000);

  it('has the process id that was given, and its own exit code', async () => {
    const child = await startGuarded(['sh', '-c', 'echo "I am $$"; exit 3']);
    expect(await child.line(/I am/)).toBe(`I am ${child.pid}`);
    expect(await child.ended).toBe(3);
  });

  it('says which signal ended it, and stops twice without harm', async () => {
    const child = await startGuarded(['sleep', '600']);
    await child.stop();
    await child.stop();
    expect(await child.ended).toBe('SIGTERM');
    expect(isAlive(child.pid)).toBe(false);
  });

  it('is killed when it ignores the request to end', async () => {
    const child = await startGuarded([
      'sh',
      '-c',
      'trap "" TERM; echo up; while :; do sleep 1; done',
    ]);
    await child.line(/up/);
    await child.stop(100);
    expect(await child.ended).toBe('SIGKILL');
  });

  it('keeps only the last forty lines', async () => {
    const seen: string[] = [];
    const child = await startGuarded(['seq', '1', '100'], (line) => seen.push(line));
    await child.ended;
    expect(seen).toHaveLength(100);
    expect(child.lastLines()).toEqual(seen.slice(60));
  });

  it('reports a program that does not exist by its exit code', async () => {
    const child = await startGuarded(['/nonexistent/program']);
    expect(await child.ended).toBe(127);
    expect(child.lastLines().join()).toContain('/nonexistent/program');
  });
});
