import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolloutStatus } from '../../../src/domain/status.ts';
import { startFleet, type Fleet } from '../../../src/simulator/fleet.ts';
import { jsonLines } from '../json-lines.ts';
import { runCliHere, startCli, type CliResult } from '../run-cli.ts';

/** Each test brings a rollout to its end, or nearly; a busy machine takes a while for that. */
const SLOW_MS = 120_000;

/** Between a plan and its start the fleet goes on: each test goes on where the one before ended. */
let folder: string;
let fleet: Fleet;
let up: ChildProcessWithoutNullStreams;

const vfleet = (...args: string[]): Promise<CliResult> => runCliHere(args, { stateHome: folder });

async function spec(name: string, select: string, kernelArg?: string): Promise<string> {
  const path = join(folder, `${name}.yaml`);
  const target =
    kernelArg === undefined
      ? 'iommu: enabled, hostDma: passthrough'
      : `kernelArgs: { present: ["${kernelArg}"] }`;
  await writeFile(
    path,
    `version: 1
name: ${name}
hosts: { inventory: ${fleet.inventoryFile}, select: "${select}" }
target: { ${target} }
waves: [{ name: all, upTo: 100%, maxFailures: 9 }]
limits: { parallel: 4, maxUnavailable: 100%, maxFailures: 9 }
`,
  );
  return path;
}

async function planId(file: string): Promise<string> {
  return (JSON.parse((await vfleet('plan', file, '--json')).stdout) as { id: string }).id;
}

/** Follows a rollout until the test holds of its status. */
async function until(
  name: string,
  test: (status: RolloutStatus) => boolean,
): Promise<RolloutStatus> {
  const watch = startCli(['status', name, '--watch', '--json'], { stateHome: folder });
  watch.stderr.resume();
  const ended = once(watch, 'exit');
  try {
    return await jsonLines(watch).until(test);
  } finally {
    watch.kill('SIGINT');
    await ended;
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-start-'));
  fleet = await startFleet({
    hosts: 3,
    parentFolder: folder,
    describe: () => ({ cpu: 'intel', os: 'debian-12' }),
    faults: { hv03: [{ kind: 'trial-panics' }] },
    timing: { shutdownMs: 20, rebootMs: 200, panicSecondMs: 10 },
  });
  up = startCli(['up', '--json'], { stateHome: folder });
  up.stderr.resume();
  await jsonLines(up).until<{ ready?: boolean }>((line) => line.ready === true);
}, SLOW_MS);

afterAll(async () => {
  if (up.exitCode === null) {
    up.kill('SIGINT');
    await once(up, 'exit');
  }
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe('between a plan and its start', { timeout: SLOW_MS }, () => {
  let enable: string;
  let planned: string;

  it('another rollout changes two of the hosts', async () => {
    enable = await spec('enable', 'all');
    planned = await planId(enable);
    const other = await spec('other', 'hv02,hv03', 'pci=realloc');
    const started = await vfleet('start', other, '--expect-hosts', '2', '--yes');
    expect(started).toMatchObject({ code: 0 });
    const status = await until('other', ({ counts }) => counts.done === 1 && counts.held === 1);
    expect(status.hosts.find((host) => host.state === 'held')).toMatchObject({
      name: 'hv03',
      code: 'reboot.trial-failed',
    });
  });

  it('a plan names who holds a host, since when, and does not tell anybody to reboot it', async () => {
    const { stdout } = await vfleet('plan', await spec('third', 'hv03', 'nosmt'));
    expect(stdout).toMatch(
      /BLOCKED {6}1 {3}host\.busy {3}other#1 of \S+@\S+ .*holds this host since/,
    );
    expect(stdout).not.toMatch(/reboot it/);
  });

  it('refuses a number of hosts that is not the one of the plan, naming both', async () => {
    const args = ['start', enable, '--plan', planned, '--yes', '--expect-hosts'];
    const { code, stderr } = await vfleet(...args, '7');
    expect(code).toBe(5);
    expect(stderr).toContain('3 hosts would change, not 7. Nothing was started.');
  });

  it('asks before it starts, naming hosts and reboots', async () => {
    const { code, stderr } = await vfleet('start', enable, '--plan', planned);
    expect(code).toBe(5);
    expect(stderr).toContain(
      'Start enable on 3 hosts in 1 wave, first hv01 hv02 hv03: 3 reboots, 0 drains?',
    );
  });

  it('holds the host whose plan came out differently, before its drain, and does the others', async () => {
    const before = fleet.host('hv02').log.changes().length;
    const started = await vfleet(
      'start',
      enable,
      '--plan',
      planned,
      '--expect-hosts',
      '3',
      '--yes',
    );
    expect(started).toMatchObject({ code: 0 });
    const status = await until('enable', ({ phase }) => phase === 'waiting');
    const byName = Object.fromEntries(
      status.hosts.map(({ name, state, step, code }) => [name, [state, step, code]]),
    );
    expect(byName).toMatchObject({
      hv01: ['done', undefined, undefined],
      hv02: ['held', 'inspect', 'plan.changed'],
    });
    expect(fleet.host('hv02').log.changes().length).toBe(before);
    const { stdout } = await vfleet('host', 'enable', 'hv02');
    expect(stdout).toContain('plan.changed');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('vfleet retry enable hv02');
  });

  it('takes the plan as it is now when a person says so', async () => {
    const { code, stderr } = await vfleet('retry', 'enable', 'hv02', '--yes');
    expect([code, stderr]).toEqual([0, '']);
    const status = await until('enable', ({ counts }) => counts.done === 2);
    expect(status.hosts.find((host) => host.name === 'hv02')).toMatchObject({ state: 'done' });
  });

  it('estimates by what hosts that were not held took in the newest rollout', async () => {
    const { stdout } = await vfleet('plan', await spec('enable', 'all', 'nosmt'));
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      "A host's time is the median of 1 host of enable#1.",
    );
  });
});
