import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outputs } from '../../src/cli/json/outputs.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { runCliHere, type CliResult } from './run-cli.ts';

const CAPTURES = fileURLToPath(new URL('../fixtures/captures', import.meta.url));
let folder: string;
let fleet: Fleet;

const vfleet = (...args: string[]): Promise<CliResult> => runCliHere(args, { stateHome: folder });
const found = async (...args: string[]) => {
  const { code, stdout } = await vfleet('diagnose', ...args, '--json');
  const { hosts } = JSON.parse(stdout) as Outputs['diagnose'];
  return { code, hosts };
};
const codesOf = (host: Outputs['diagnose']['hosts'][number] | undefined): readonly string[] =>
  host !== undefined && 'findings' in host ? host.findings.map(({ code }) => code) : [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-diagnose-'));
  fleet = await startFleet({
    hosts: 3,
    parentFolder: folder,
    describe: () => ({ cpu: 'intel', os: 'debian-12' }),
    faults: { hv02: [{ kind: 'firmware-off' }], hv03: [{ kind: 'refuses' }] },
  });
});

afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('vfleet diagnose', () => {
  it('asks several hosts, and says of each what is wrong, the cause first', async () => {
    const { code, hosts } = await found('hv02', 'hv01', 'hv02', '-i', fleet.inventoryFile);
    expect(code).toBe(3);
    expect(hosts.map(({ name }) => name)).toEqual(['hv02', 'hv01']);
    expect(codesOf(hosts[0])).toEqual(['firmware.no-dmar', 'iommu.no-units']);
    expect(codesOf(hosts[1])).toEqual([]);
    expect(hosts[0]).toMatchObject({
      notRead: [],
      findings: [
        { severity: 'critical', topic: 'firmware', follows: [] },
        { follows: ['firmware.no-dmar'] },
      ],
    });
  });

  it('ends with 0 where it finds nothing, and says so', async () => {
    const { code, stdout } = await vfleet('diagnose', 'hv01', '-i', fleet.inventoryFile);
    expect(code).toBe(0);
    expect(stdout).toContain('hv01   nothing found');
    expect(stdout).not.toContain('NOT READ');
  });

  it('says of a host that it could not ask why, and goes on with the others', async () => {
    const alone = await found('hv03', '-i', fleet.inventoryFile);
    expect(alone.code).toBe(1);
    expect(alone.hosts).toMatchObject([{ name: 'hv03', problem: { code: 'ssh.refused' } }]);
    const text = await vfleet('diagnose', 'hv03', 'hv02', '-i', fleet.inventoryFile);
    expect(text.code).toBe(3);
    expect(text.stdout).toMatch(
      /hv03 {3}NOT READ {3}ssh\.refused[^]*hv02 {3}2 findings: 2 critical/,
    );
    expect(text.stdout).toContain('vfleet explain ssh.refused');
  });

  it('writes nothing to a host', async () => {
    const changes = () => fleet.hosts.map(({ name }) => fleet.host(name).log.changes());
    const before = changes();
    await vfleet('diagnose', 'hv01', 'hv02', '-i', fleet.inventoryFile);
    expect(changes()).toEqual(before);
  });

  it('finds in a capture what it finds on its host', async () => {
    const dir = join(folder, 'capture');
    const captured = await vfleet('capture', 'hv02', dir, '-i', fleet.inventoryFile);
    expect(captured).toMatchObject({ code: 0 });
    expect(captured.stdout).toContain(`vfleet diagnose --from ${dir}`);
    const live = await found('hv02', '-i', fleet.inventoryFile);
    const later = await found('--from', dir);
    expect(later.hosts).toEqual([{ ...live.hosts[0], capture: dir }]);
    expect(later.code).toBe(live.code);
  });

  it('reads a capture of an earlier release, and says what is not in it', async () => {
    const off = await vfleet('diagnose', '--from', join(CAPTURES, 'debian-12-iommu-off'));
    expect(off.code).toBe(3);
    expect(off.stdout).toMatch(/CRITICAL {2}cmdline\.iommu-off {3}kernel\n/);
    expect(off.stdout).toContain('iommu.no-units   firmware   follows from cmdline.iommu-off');
    expect(off.stdout).toContain('PROOF     /proc/cmdline: intel_iommu=off');
    expect(off.stdout).toMatch(/NOT READ {2}the kernel's log.*: of these nothing is said/);
    const well = await vfleet('diagnose', '--from', join(CAPTURES, 'debian-12-vfs'));
    expect(well).toMatchObject({ code: 0 });
    expect(well.stdout).toContain('nothing found');
  });

  it('asks for hosts or a capture, one of the two', async () => {
    const dir = join(folder, 'none');
    for (const args of [[], ['hv01'], ['hv01', '-i', fleet.inventoryFile, '--from', dir]]) {
      const { code, stderr } = await vfleet('diagnose', ...args);
      expect(code).toBe(2);
      expect(stderr).toContain('vfleet diagnose --from DIR');
    }
    expect((await vfleet('diagnose', 'hv0', '-i', fleet.inventoryFile)).code).toBe(2);
    await writeFile(dir, '');
    expect((await vfleet('diagnose', '--from', dir)).stderr).toContain('is not a capture');
  });
});
