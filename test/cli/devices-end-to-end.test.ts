import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutTrialArgs } from '../../src/domain/drop-in.ts';
import type { DeviceFacts } from '../../src/domain/device-facts.ts';
import type { RolloutStatus } from '../../src/domain/status.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { jsonLines } from './json-lines.ts';
import { runCliHere, startCli, type CliResult } from './run-cli.ts';

/** From bare hosts to guests that own devices, and back, by the command line: each test goes on where the last one ended. */
let folder: string;
let fleet: Fleet;
let up: ChildProcessWithoutNullStreams;
let spec: string;
const before = new Map<string, unknown>();

const vfleet = (...args: string[]): Promise<CliResult> => runCliHere(args, { stateHome: folder });

interface Shown {
  readonly devices: DeviceFacts;
  readonly runningArgs: readonly string[];
}

async function factsOf(host: string): Promise<Shown> {
  const { code, stdout } = await vfleet('facts', host, '-i', fleet.inventoryFile, '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Shown;
}

/** What a rollback must bring back; which modules are loaded is the kernel's affair. */
async function lasting(host: string): Promise<unknown> {
  const { devices, runningArgs } = await factsOf(host);
  const { modules, unsafeInterrupts, ...rest } = devices;
  expect([modules, unsafeInterrupts]).toHaveLength(2);
  // What was proven on trial and is the default by now is the same line.
  return { ...rest, runningArgs: withoutTrialArgs(runningArgs) };
}

async function until(
  name: string,
  isThere: (status: RolloutStatus) => boolean,
): Promise<RolloutStatus> {
  const watch = startCli(['status', name, '--watch', '--json'], { stateHome: folder });
  watch.stderr.resume();
  const ended = once(watch, 'exit');
  const status = await jsonLines(watch).until<RolloutStatus>(isThere);
  watch.kill('SIGINT');
  await ended;
  return status;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-devices-'));
  fleet = await startFleet({
    hosts: 3,
    parentFolder: folder,
    describe: () => ({
      cpu: 'intel',
      os: 'debian-12',
      kernelArgs: ['console=ttyS0', 'intel_iommu=off'],
      guests: [{ name: 'edge-gw', running: false, memoryMiB: 1024, password: 'of-its-screen' }],
    }),
    faults: { hv03: [{ kind: 'vfs-fewer', pf: '0000:3b:00.0', count: 2 }] },
    timing: { shutdownMs: 20, rebootMs: 200, panicSecondMs: 10 },
  });
  spec = join(folder, 'spec.yaml');
  await writeFile(
    spec,
    `version: 1
name: devices
hosts: { inventory: ${fleet.inventoryFile}, select: all }
target:
  iommu: enabled
  hostDma: passthrough
  kernelArgs: { absent: [intel_iommu=off] }
  hugepages: [{ size: 2M, count: 64, node: 1, at: runtime }]
  modules: { blacklist: [nvidiafb] }
  devices:
    - name: nics
      match: { id: "8086:1592" }
      expect: 2
      vfs:
        count: 4
        mtu: 9000
        groups:
          - { vfs: 0-2, driver: vfio-pci, trust: true, vlan: 100 }
          - { vfs: 3, driver: native }
    - { name: gpus, match: { id: "10de:2204" }, functions: all, driver: vfio-pci }
  guests:
    - { domain: edge-gw, attach: [{ device: nics, pf: 0, vf: 0 }, { device: gpus, pf: 0 }] }
waves: [{ name: all, upTo: 100%, maxFailures: 3 }]
limits: { parallel: 3, maxUnavailable: 100%, maxFailures: 3 }
`,
  );
  for (const { name } of fleet.hosts) before.set(name, await lasting(name));
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

describe('devices and guests from the command line', { timeout: 120_000 }, () => {
  it('are planned as they will be done, and nothing is written', async () => {
    const plan = await vfleet('plan', spec);
    expect(plan.code).toBe(0);
    expect(plan.stdout).toContain('3 to change');
    expect(plan.stdout).toMatch(/vfs +0000:3b:00\.0 .*sriov_numvfs 0 -> 4/);
    expect(plan.stdout).toMatch(/attach +edge-gw/);
    expect(plan.stdout).toContain('Not known before the reboot');
    expect(plan.stdout).not.toContain('of-its-screen');
    for (const { name } of fleet.hosts) expect(fleet.host(name).log.changes()).toEqual([]);
  });

  it('are there on every host in one reboot, and the host whose card gives too few is held', async () => {
    const started = await vfleet('start', spec, '--yes');
    expect(started.code).toBe(0);
    const status = await until('devices', ({ phase, counts }) => {
      return phase === 'waiting' || counts.done + counts.held === 3;
    });
    expect(status.counts).toMatchObject({ done: 2, held: 1 });
    const held = status.hosts.find(({ state }) => state === 'held');
    expect(held).toMatchObject({ name: 'hv03', code: 'vfs.fewer-than-asked' });
    for (const name of ['hv01', 'hv02']) {
      const { devices } = await factsOf(name);
      const pf = devices.functions.find(({ address }) => address === '0000:3b:00.0');
      expect(pf?.sriov?.count).toBe(4);
      const drivers = devices.functions
        .filter(({ physfn }) => physfn === '0000:3b:00.0')
        .map(({ driver }) => driver);
      expect(drivers).toEqual(['vfio-pci', 'vfio-pci', 'vfio-pci', 'iavf']);
      const guest = devices.guests.find((one) => one.name === 'edge-gw');
      expect(guest?.hostdevs.map(({ config, managed }) => [config, managed])).toEqual(
        guest?.hostdevs.map(() => [true, false]),
      );
      expect(guest?.hostdevs).toHaveLength(3);
    }
  });

  it('survive a reboot that nobody asked for, and then there is nothing to do', async () => {
    const wanted = await lasting('hv01');
    await fleet.host('hv01').powerCycle();
    expect(await lasting('hv01')).toEqual(wanted);
    const plan = await vfleet('plan', spec);
    expect(plan.stdout).toContain('2 comply already');
  });

  it('tell why a host is held, and take it back', async () => {
    const host = await vfleet('host', 'devices', 'hv03');
    expect(host.code).toBe(3);
    expect(host.stdout).toContain('vfs.fewer-than-asked');
    expect(host.stdout).toContain('vfleet rollback devices hv03');
    const back = await vfleet('rollback', 'devices', 'hv03', '--reason', 'bad card', '--yes');
    expect(back).toMatchObject({ code: 0 });
    await until('devices', ({ phase }) => phase === 'done');
    expect(await lasting('hv03')).toEqual(before.get('hv03'));
  });

  it('go back exactly, file for file and driver for driver', async () => {
    const back = await vfleet('rollback', 'devices', '--all', '--reason', 'the end', '--yes');
    expect(back.code).toBe(0);
    const status = await until('devices#2', ({ phase }) => phase === 'done');
    expect(status.counts['rolled-back']).toBe(2);
    for (const { name } of fleet.hosts) {
      expect(await lasting(name)).toEqual(before.get(name));
      expect(fleet.host(name).complaints).toEqual([]);
    }
  });
});
