import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { descendantsOf, stillAlive } from './descendants.ts';
import { finished, startCli } from './run-cli.ts';

let folder: string;
let demo: ChildProcessWithoutNullStreams | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-demo-test-'));
});
afterEach(async () => {
  if (demo?.exitCode === null && demo.signalCode === null) demo.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Each demo makes its scratch folder in a TMPDIR of its own, so that what is left there can be seen. */
function startDemo(...args: string[]): ChildProcessWithoutNullStreams {
  demo = startCli(['demo', ...args], {
    stateHome: folder,
    env: { TMPDIR: folder, VFLEET_LOG: 'error' },
  });
  return demo;
}

/** Resolves with what the demo has started, once its rollout is under way. */
async function underWay(child: ChildProcessWithoutNullStreams): Promise<readonly number[]> {
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('demo#1 is running')) return descendantsOf(child.pid ?? 0);
  }
  throw new Error('the demo ended before its rollout began');
}

async function scratchFolders(): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('vfleet-'));
}

describe('the demo', () => {
  it('runs a rollout with its holds to the end, and leaves nothing behind', async () => {
    const child = startDemo('--seed', '5');
    const result = finished(child);
    const started = underWay(child);
    const { code, stdout } = await result;
    expect(code).toBe(0);
    expect(stdout).toContain('SIMULATED');
    expect(stdout).toContain('held at wait (reboot.no-return)');
    expect(stdout).toContain('held at wait (reboot.trial-failed)');
    expect(stdout).toMatch(/\$ vfleet promote demo --yes/);
    expect(stdout).toMatch(/the demo power-cycles the simulated machine hv-\d+/);
    expect(stdout).toMatch(/\$ vfleet rollback demo hv-\d+ --reason [a-z.-]+ --yes/);
    expect(stdout).toContain('demo#1 done');
    expect(stdout).toContain('34 changed, proven and back in service');
    expect((await started).length).toBeGreaterThan(0);
    expect(await stillAlive(await started)).toEqual([]);
    expect(await scratchFolders()).toEqual([]);
  }, 120_000);

  it('stops all it started at Ctrl-C', async () => {
    const child = startDemo();
    child.stderr.resume();
    const started = await underWay(child);
    expect(started.length).toBeGreaterThan(0);
    child.stdout.resume();
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(await stillAlive(started)).toEqual([]);
    expect(await scratchFolders()).toEqual([]);
  }, 60_000);

  it('leaves no process behind when it is killed', async () => {
    const child = startDemo();
    child.stderr.resume();
    const started = await underWay(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect.poll(() => stillAlive(started), { timeout: 20_000 }).toEqual([]);
  }, 60_000);
});
