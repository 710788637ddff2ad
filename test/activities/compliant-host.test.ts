import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { runCli } from '../cli/run-cli.ts';

let folder: string;
let fleet: Fleet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-compliant-'));
  fleet = await startFleet({
    hosts: 2,
    parentFolder: folder,
    describe: () => ({ cpu: 'intel', os: 'debian-12', kernelArgs: ['intel_iommu=on', 'iommu=pt'] }),
  });
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true });
});

describe('a host that complies already', () => {
  it('costs one SSH connection and one command, and is not written to', async () => {
    const spec = join(folder, 'spec.yaml');
    await writeFile(
      spec,
      `name: compliant\nhosts: { inventory: ${fleet.inventoryFile}, select: all }\ntarget: { iommu: enabled, hostDma: passthrough }\n`,
    );
    const before = ['hv01', 'hv02'].map((name) => fleet.host(name).log.entries.length);
    const { code, stdout } = await runCli(['plan', spec, '--json'], { stateHome: folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ changing: 0 });
    for (const [at, name] of ['hv01', 'hv02'].entries()) {
      const { log } = fleet.host(name);
      expect(fleet.connections(name)).toBe(1);
      expect(log.entries.slice(before[at]).map(({ verb }) => verb)).toEqual(['read']);
      expect(log.changes()).toEqual([]);
    }
  });
});
