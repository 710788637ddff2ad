import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameArgs } from '../../src/domain/kernel-args.ts';
import type { RolloutStatus } from '../../src/domain/status.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import type { Os } from '../../src/simulator/model/distributions.ts';
import { jsonLines } from './json-lines.ts';
import { runCliHere, startCli, type CliResult } from './run-cli.ts';

/** One rollout over hosts of both families, and back; each test goes on where the last one ended. */
const FAMILIES: readonly Os[] = [
  'debian-12',
  'rhel-8.10',
  'almalinux-9.2',
  'rocky-9.4',
  'centos-10',
  'fedora-42',
];
let folder: string;
let fleet: Fleet;
let up: ChildProcessWithoutNullStreams;
let spec: string;
/** What boots by default, and what runs. */
const before = new Map<string, readonly string[]>();

const vfleet = (...args: string[]): Promise<CliResult> => runCliHere(args, { stateHome: folder });

interface Shown {
  readonly runningArgs: readonly string[];
  readonly bootLoader: {
    readonly kind: string;
    readonly defaultEntry: { readonly args: readonly string[] };
  };
}

async function shown(host: string): Promise<Shown> {
  const { code, stdout } = await vfleet('facts', host, '-i', fleet.inventoryFile, '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Shown;
}

async function ended(rollout: string): Promise<RolloutStatus> {
  const watch = startCli(['status', rollout, '--watch', '--json'], { stateHome: folder });
  watch.stderr.resume();
  const exit = once(watch, 'exit');
  const status = await jsonLines(watch).until<RolloutStatus>(
    ({ phase, counts }) => phase === 'done' || counts.held > 0,
  );
  watch.kill('SIGINT');
  await exit;
  return status;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-families-'));
  fleet = await startFleet({
    hosts: FAMILIES.length,
    parentFolder: folder,
    describe: (index) => ({
      cpu: 'intel',
      os: FAMILIES[index]!,
      kernelArgs: ['console=tty0', 'console=ttyS0', 'intel_iommu=off'],
    }),
    timing: { shutdownMs: 20, rebootMs: 200, panicSecondMs: 10 },
  });
  spec = join(folder, 'spec.yaml');
  await writeFile(
    spec,
    `version: 1
name: families
hosts: { inventory: ${fleet.inventoryFile}, select: all }
target:
  iommu: enabled
  hostDma: passthrough
  kernelArgs: { absent: [intel_iommu=off] }
waves: [{ name: all, upTo: 100% }]
limits: { parallel: 6, maxUnavailable: 100%, maxFailures: 1 }
`,
  );
  for (const { name } of fleet.hosts) {
    before.set(name, (await shown(name)).bootLoader.defaultEntry.args);
  }
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
});

describe('a fleet of both families', () => {
  it('is planned as one, each host by its own loader', async () => {
    const { stdout } = await vfleet('plan', spec);
    expect(stdout).toContain('entries in /boot/loader/entries');
    expect(stdout).toContain('/etc/default/grub.d/zz-vfleet.cfg');
    const kinds: string[] = [];
    for (const { name } of fleet.hosts) kinds.push((await shown(name)).bootLoader.kind);
    expect(kinds).toEqual(FAMILIES.map((os) => (os === 'debian-12' ? 'grub-debian' : 'grub-bls')));
  }, 60_000);

  it('gets the line by one trial reboot a host', async () => {
    expect((await vfleet('start', spec, '--yes')).code).toBe(0);
    const status = await ended('families');
    expect(status.counts).toMatchObject({ done: FAMILIES.length, held: 0 });
    for (const { name } of fleet.hosts) {
      const { runningArgs, bootLoader } = await shown(name);
      expect(runningArgs).toEqual(expect.arrayContaining(['intel_iommu=on', 'iommu=pt']));
      expect(bootLoader.defaultEntry.args).not.toContain('intel_iommu=off');
      // A second argument of one name stays, which grubby would have taken away.
      expect(bootLoader.defaultEntry.args).toEqual(
        expect.arrayContaining(['console=tty0', 'console=ttyS0']),
      );
    }
    const again = await vfleet('plan', spec);
    expect(again.stdout).toContain(`${FAMILIES.length} comply already`);
  }, 120_000);

  it('is taken back to the line that each host had', async () => {
    const back = await vfleet('rollback', 'families', '--all', '--reason', 'the test', '--yes');
    expect(back.code).toBe(0);
    const status = await ended('families#2');
    expect(status.counts).toMatchObject({ 'rolled-back': FAMILIES.length });
    for (const { name } of fleet.hosts) {
      const { runningArgs, bootLoader } = await shown(name);
      const old = before.get(name) ?? [];
      expect(bootLoader.defaultEntry.args).toEqual(old);
      expect(sameArgs(runningArgs, old)).toBe(true);
    }
  }, 120_000);
});
