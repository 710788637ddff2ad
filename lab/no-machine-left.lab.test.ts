import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { startMachines } from './machines.ts';

/** Command, parent and whether it runs; a zombie that its new parent has not reaped yet does not. */
async function processOf(pid: number | string) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, command = '', state = 'X', parent] = /\((.*)\) (\S) (\d+)/.exec(stat) ?? [];
  return { command, parent: Number(parent), runs: !['X', 'Z'].includes(state) };
}

/** The QEMU processes that a process has started and that run. */
async function machinesOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const { command, parent, runs } = await processOf(name);
    if (runs && parent === pid && command.startsWith('qemu-system')) found.push(Number(name));
  }
  return found;
}

it('leaves no machine running when its process is killed', async () => {
  const code = "await (await import('./lab/machines.ts')).startMachines([{ name: 'orphan' }]);";
  const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const owner = spawn(process.execPath, args, { stdio: 'ignore' });
  const qemu = await vi.waitUntil(async () => (await machinesOf(owner.pid!))[0], {
    timeout: 15 * 60_000,
  });
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await vi.waitUntil(async () => !(await processOf(qemu)).runs, { timeout: 30_000 });
});

it('leaves no machine running when another one cannot be started', async () => {
  await expect(startMachines([{ name: 'twin' }, { name: 'twin' }])).rejects.toThrow('EEXIST');
  expect(await machinesOf(process.pid)).toEqual([]);
});
