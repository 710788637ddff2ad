import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolloutStatus } from '../../src/domain/status.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { jsonLines } from './json-lines.ts';
import { runCli, startCli, type CliResult } from './run-cli.ts';

/** The whole way of a user, in order: each test goes on where the one before ended. */
let folder: string;
let fleet: Fleet;
let up: ChildProcessWithoutNullStreams;
let spec: string;

const vfleet = (...args: string[]): Promise<CliResult> => runCli(args, { stateHome: folder });
const json = async <T>(...args: string[]): Promise<T> => {
  const { stdout } = await vfleet(...args, '--json');
  return JSON.parse(stdout) as T;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-e2e-'));
  fleet = await startFleet({
    hosts: 4,
    parentFolder: folder,
    describe: () => ({ cpu: 'intel', os: 'debian-12' }),
    faults: { hv04: [{ kind: 'firmware-off' }], hv03: [{ kind: 'trial-panics' }] },
    timing: { shutdownMs: 20, rebootMs: 200, panicSecondMs: 10 },
  });
  spec = join(folder, 'spec.yaml');
  await writeFile(spec, specText(fleet.inventoryFile));
  up = startCli(['up', '--json'], { stateHome: folder });
  up.stderr.resume();
  await jsonLines(up).until<{ ready?: boolean }>((line) => line.ready === true);
}, 120_000);

afterAll(async () => {
  if (up.exitCode === null) {
    up.kill('SIGINT');
    await once(up, 'exit');
  }
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const specText = (inventory: string): string => `version: 1
name: enable
hosts: { inventory: ${inventory}, select: all }
target: { iommu: enabled, hostDma: passthrough }
waves:
  - { name: canary, hosts: 1, maxFailures: 0, promote: manual }
  - { name: fleet, upTo: 100% }
limits: { parallel: 4, maxUnavailable: 100%, maxFailures: 2 }
`;

describe('a rollout from the command line', () => {
  it('plans what would change', async () => {
    const plan = await json<{ changing: number; blocked: unknown[] }>('plan', spec);
    expect(plan).toMatchObject({
      changing: 3,
      blocked: [{ code: 'firmware.no-dmar', hosts: ['hv04'] }],
    });
  });

  it('captures a host, and plans from the capture', async () => {
    const dir = join(folder, 'capture');
    const captured = await vfleet('capture', 'hv01', dir, '-i', fleet.inventoryFile);
    expect(captured.code).toBe(0);
    const facts = await json<{ hostname: string }>('facts', '--from', dir);
    expect(facts.hostname).toBe('hv01');
    const plan = await vfleet('plan', spec, '--from', dir);
    expect(plan.stdout).toContain('1 to change');
    expect(plan.stdout).toContain('+ intel_iommu=on iommu=pt');
  });

  it('refuses a second up, a wrong number of hosts, and to start without being told to', async () => {
    const [second, wrong, unasked] = await Promise.all([
      vfleet('up'),
      vfleet('start', spec, '--expect-hosts', '7', '--yes'),
      vfleet('start', spec),
    ]);
    expect([second.code, wrong.code, unasked.code]).toEqual([5, 5, 5]);
    expect(second.stderr).toContain('running already');
    expect(second.stderr).toContain('vfleet explain up.running');
    expect(wrong.stderr).toContain('3 hosts would change, not 7');
    expect(wrong.stderr).toContain('vfleet explain start.wrong-count');
    expect(unasked.stderr).toContain('3 reboots');
    expect(unasked.stderr).toContain('--yes');
    expect(unasked.stderr).toContain('vfleet explain confirm.nobody');
  });

  it('starts exactly a kept plan, once', async () => {
    const { id } = await json<{ id: string }>('plan', spec);
    const edited = join(folder, 'edited.yaml');
    await writeFile(edited, specText(fleet.inventoryFile).replace('passthrough', 'translated'));
    const changed = await vfleet('start', edited, '--plan', id, '--yes');
    expect(changed.code).toBe(5);
    expect(changed.stderr).toContain('vfleet explain start.spec-changed');
    const started = await json<{ rollout: string }>(
      ...['start', spec, '--plan', id, '--expect-hosts', '3', '--yes'],
    );
    expect(started.rollout).toBe('enable#1');
    const again = await vfleet('start', spec, '--yes');
    expect(again.code).toBe(5);
    expect(again.stderr).toContain('enable#1 is under way');
    expect(again.stderr).toContain('vfleet explain rollout.under-way');
  }, 120_000);

  it('waits for a promotion, holds what fails, and takes the exits that it names', async () => {
    const watch = startCli(['status', 'enable', '--watch', '--json'], { stateHome: folder });
    watch.stderr.resume();
    const ended = once(watch, 'exit');
    const lines = jsonLines(watch);
    await lines.until<RolloutStatus>(({ phase }) => phase === 'awaiting-promotion');
    expect((await vfleet('status', 'enable')).code).toBe(3);
    expect((await vfleet('promote', 'enable')).code).toBe(5);
    const nobody = await vfleet('retry', 'enable', '--held', '--yes');
    expect(nobody.code).toBe(5);
    expect(nobody.stderr).toContain('vfleet explain verb.no-host');
    const promoted = await vfleet('promote', 'enable#1', '--yes', '--reason', 'looks well');
    expect(promoted).toMatchObject({ code: 0 });

    await lines.until<RolloutStatus>(({ phase }) => phase === 'waiting');
    const host = await vfleet('host', 'enable', 'hv03');
    expect(host.code).toBe(3);
    expect(host.stdout).toContain('reboot.trial-failed');
    expect(host.stdout).toContain('vfleet rollback enable hv03');
    const list = await vfleet();
    expect(list.code).toBe(3);
    expect(list.stdout).toContain('enable#1');

    const back = await vfleet('rollback', 'enable', '--held', '--reason', 'bad line', '--yes');
    expect(back).toMatchObject({ code: 0 });
    const end = await lines.until<RolloutStatus>(({ phase }) => phase === 'done');
    expect(end.counts).toMatchObject({ done: 2, 'rolled-back': 1, blocked: 1 });
    expect(end.audit.map(({ verb, reason }) => [verb, reason])).toEqual([
      ['start', undefined],
      ['promote', 'looks well'],
      ['rollback', 'bad line'],
    ]);
    expect(await ended).toEqual([0, null]);
  }, 120_000);

  it('refuses verbs on what has ended, and says what to do', async () => {
    const { code, stderr } = await vfleet('pause', 'enable');
    expect(code).toBe(5);
    expect(stderr).toContain('has ended');
    expect((await vfleet('status', 'nothing')).code).toBe(2);
  });

  it('takes a finished rollout back with the next number', async () => {
    const started = await json<{ rollout: string; hosts: number }>(
      ...['rollback', 'enable#1', '--all', '--reason', 'the test is over', '--yes'],
    );
    expect(started).toMatchObject({ rollout: 'enable#2', hosts: 2 });
    const watch = await vfleet('status', 'enable#2', '--watch');
    expect(watch.code).toBe(0);
    expect(watch.stdout).toContain('ROLLBACK DONE');
    const never = await vfleet('rollback', 'enable#1', 'hv04', '--reason', 'blocked', '--yes');
    expect(never.code).toBe(5);
    expect(never.stderr).toContain('vfleet explain rollback.nothing');
    const plan = await json<{ changing: number }>('plan', spec);
    expect(plan.changing).toBe(3);
  }, 120_000);

  it('says what was meant by a wrong host, a wrong name, and both the wrong way round', async () => {
    const [host, name, number, swapped] = await Promise.all([
      vfleet('host', 'enable', 'hv0l'),
      vfleet('status', 'enabel'),
      vfleet('status', 'enable#9'),
      vfleet('retry', 'hv03', 'enable'),
    ]);
    expect([host.code, name.code, number.code, swapped.code]).toEqual([2, 2, 2, 2]);
    expect(host.stderr).toMatch(/has no host "hv0l"; did you mean hv0\d\?/);
    expect(name.stderr).toContain('did you mean enable?');
    expect(name.stderr).toContain('next: vfleet status enable\n');
    expect(number.stderr).toContain('the newest of enable is enable#2');
    expect(swapped.stderr).toContain('vfleet retry enable hv03');
  });

  it('asks with the hosts and their reboots, and refuses where nobody is asked for the reason', async () => {
    const [asked, unreasoned] = await Promise.all([
      vfleet('rollback', 'enable#1', 'hv01', '--reason', 'x'),
      vfleet('rollback', 'enable#1', 'hv01', '--yes'),
    ]);
    expect([asked.code, unreasoned.code]).toEqual([5, 2]);
    expect(asked.stderr).toMatch(
      /Take hv01 of enable#1 back to what it was, .*: (1 reboot|at most 1 reboot)\?/,
    );
    expect(unreasoned.stderr).toContain('rollback needs a reason');
    expect(unreasoned.stderr).toContain('vfleet rollback enable#1 hv01 --yes --reason "');
  });

  it('ends at Ctrl-C, after which there is no engine', async () => {
    up.kill('SIGINT');
    expect(await once(up, 'exit')).toEqual([0, null]);
    expect((await vfleet('list')).code).toBe(4);
  }, 60_000);
});
