import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../../src/simulator/fleet.ts';
import { runCli } from '../run-cli.ts';

const HOSTS = 400;
const LIMIT_MS = 15_000;

let folder: string;
let fleet: Fleet;
let spec: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-400-'));
  fleet = await startFleet({ hosts: HOSTS, parentFolder: folder });
  spec = join(folder, 'spec.yaml');
  await writeFile(
    spec,
    `version: 1
name: big
hosts: { inventory: ${fleet.inventoryFile}, select: all }
target: { iommu: enabled, hostDma: passthrough }
`,
  );
});

afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Plans the fleet in a process of its own, as a person does; milliseconds from the first key to the last line. */
async function planOnce(): Promise<number> {
  const began = performance.now();
  const { code, stdout } = await runCli(['plan', spec], { stateHome: folder });
  const took = performance.now() - began;
  expect(stdout).toContain(`${HOSTS} to change   0 comply already   0 blocked   0 unreachable`);
  expect(code).toBe(0);
  return took;
}

describe(`a plan of ${HOSTS} hosts`, () => {
  let took: number;

  it('costs each host one connection and one command, and writes nothing', async () => {
    took = await planOnce();
    for (const { name } of fleet.hosts) {
      expect([name, fleet.connections(name)]).toEqual([name, 1]);
      const { log } = fleet.host(name);
      expect([name, log.entries.map((entry) => entry.verb)]).toEqual([name, ['read']]);
      expect(log.changes()).toEqual([]);
    }
  }, 120_000);

  it(`is there in under ${LIMIT_MS / 1000} s`, async () => {
    // Other tests run beside this one on the same few cores: one more try, with the machine's quieter moment counting.
    const best = took < LIMIT_MS ? took : Math.min(took, await planOnce());
    expect(best).toBeLessThan(LIMIT_MS);
  }, 120_000);
});
