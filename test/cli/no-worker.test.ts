import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolloutStatus } from '../../src/domain/status.ts';
import { findTemporal } from '../../src/engine/embedded/binaries.ts';
import { startEmbedded, type EmbeddedServer } from '../../src/engine/embedded/embedded-server.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { jsonLines } from './json-lines.ts';
import { runCli, startCli, type CliResult } from './run-cli.ts';

let folder: string;
let fleet: Fleet;
let server: EmbeddedServer;
let worker: ChildProcessWithoutNullStreams;

const options = (): { stateHome: string; env: Record<string, string> } => ({
  stateHome: folder,
  env: { TEMPORAL_ADDRESS: server.address },
});
const vfleet = (...args: string[]): Promise<CliResult> => runCli(args, options());

async function writeSpec(name: string, promote: string, kernelArg: string): Promise<string> {
  const path = join(folder, `${name}.yaml`);
  const text = `name: ${name}
hosts: { inventory: ${fleet.inventoryFile}, select: all }
target: { iommu: enabled, kernelArgs: { present: [${kernelArg}] } }
waves:
  - { name: canary, hosts: 1, promote: ${promote} }
  - { name: fleet, upTo: 100% }
limits: { maxUnavailable: 100% }
`;
  await writeFile(path, text);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-no-worker-'));
  fleet = await startFleet({
    hosts: 2,
    describe: () => ({ cpu: 'intel', os: 'debian-12' }),
    parentFolder: folder,
    timing: { shutdownMs: 10, rebootMs: 100 },
  });
  server = await startEmbedded({ binary: await findTemporal({ env: process.env }) });
  worker = startCli(['worker', '--json'], options());
  worker.stderr.resume();
  await jsonLines(worker).until<{ ready?: boolean }>((line) => line.ready === true);
}, 120_000);

afterAll(async () => {
  if (worker.exitCode === null) worker.kill('SIGKILL');
  await server.stop();
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe('with no worker alive', () => {
  it('still tells how a finished rollout ended, and that nobody can answer for an open one', async () => {
    const [finished, open] = [
      await writeSpec('finished', 'auto', 'pci=realloc'),
      await writeSpec('open', 'manual', 'pci=noaer'),
    ];
    const first = await vfleet('start', finished, '--yes', '--watch');
    expect(first.code).toBe(0);
    expect((await vfleet('start', open, '--yes')).code).toBe(0);
    const watch = startCli(['status', 'open', '--watch', '--json'], options());
    watch.stderr.resume();
    await jsonLines(watch).until<RolloutStatus>(({ phase }) => phase === 'awaiting-promotion');
    watch.kill('SIGINT');
    expect(await once(watch, 'exit')).toEqual([3, null]);
    worker.kill('SIGINT');
    expect(await once(worker, 'exit')).toEqual([0, null]);

    const known = await vfleet('status', 'finished#1');
    expect(known.code).toBe(0);
    expect(known.stdout).toContain('finished#1   DONE');

    const [status, verb, list] = await Promise.all([
      vfleet('status', 'open'),
      vfleet('pause', 'open'),
      vfleet('list'),
    ]);
    expect([status.code, verb.code, list.code]).toEqual([4, 4, 0]);
    expect(status.stderr).toContain('no worker answers on task queue vfleet');
    expect(status.stderr).toContain('vfleet explain worker.none');
    expect(status.stderr).toMatch(/the last one was seen|none was seen/);
    expect(list.stdout).toContain('open#1');
  }, 180_000);
});
