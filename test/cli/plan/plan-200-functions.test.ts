import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../../src/simulator/fleet.ts';
import {
  DEFAULT_DEVICES,
  manyFunctions,
} from '../../../src/simulator/model/pci/default-devices.ts';
import { runCliHere } from '../run-cli.ts';

const LIMIT_MS = 1_000;

let folder: string;
let fleet: Fleet;
let spec: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-200-'));
  const devices = manyFunctions(200 - DEFAULT_DEVICES.intel.length);
  fleet = await startFleet({ hosts: 1, parentFolder: folder, describe: () => ({ devices }) });
  // The model host is made when it is first asked for; a real one is there already.
  expect(fleet.host(fleet.hosts[0]!.name).up).toBe(true);
  spec = join(folder, 'spec.yaml');
  await writeFile(
    spec,
    `version: 1
name: many
hosts: { inventory: ${fleet.inventoryFile}, select: all }
target:
  iommu: enabled
  devices:
    - { name: nics, match: { id: "8086:1592" }, expect: 2, vfs: { count: 8, groups: [{ vfs: 0-7, driver: vfio-pci }] } }
    - { name: gpu, match: { id: "10de:2204" }, functions: all, driver: vfio-pci }
`,
  );
});

afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

async function planOnce(): Promise<number> {
  const began = performance.now();
  const { code, stdout } = await runCliHere(['plan', spec], { stateHome: folder });
  const took = performance.now() - began;
  expect(stdout).toContain('1 to change   0 comply already   0 blocked   0 unreachable');
  expect(stdout).toMatch(/vfs +0000:3b:00\.0/);
  expect(code).toBe(0);
  return took;
}

describe('a plan of a host with 200 PCI functions', () => {
  it('costs one connection and one command, writes nothing, and is there in under 1 s', async () => {
    const first = await planOnce();
    const [host] = fleet.hosts;
    const { log } = fleet.host(host!.name);
    expect(fleet.connections(host!.name)).toBe(1);
    expect(log.entries.map((entry) => entry.verb)).toEqual(['read']);
    expect(log.changes()).toEqual([]);
    // Other tests run beside this one on the same few cores: one more try, with the machine's quieter moment counting.
    const best = first < LIMIT_MS ? first : Math.min(first, await planOnce());
    expect(best).toBeLessThan(LIMIT_MS);
  });
});
