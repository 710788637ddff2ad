import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RolloutStatus } from '../../src/domain/status.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { jsonLines } from '../cli/json-lines.ts';
import { runCliHere, startCli, type CliOptions } from '../cli/run-cli.ts';

/** An engine, a worker and simulated hosts, with all that a drill needs to get into trouble. */
export interface DrillGround {
  readonly fleet: Fleet;
  readonly folder: string;
  readonly cli: CliOptions;
  /** Folder of the worker's hooks. */
  readonly hooks: string;
  /** Writes a spec for some hosts; `more` is further YAML. Returns its file. */
  readonly spec: (name: string, select: string, more?: string) => Promise<string>;
  /** Starts a spec; `between` happens after its plan and before anything else. */
  readonly start: (spec: string, between?: () => void) => Promise<void>;
  /** Waits until a rollout's status is as told. */
  readonly until: (
    name: string,
    isThere: (status: RolloutStatus) => boolean,
  ) => Promise<RolloutStatus>;
  readonly stop: () => Promise<void>;
}

/** Without `env` an engine and a worker of its own (`vfleet up`); else the engine that `env` names. */
export async function startDrillGround(options: {
  readonly hosts: number;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<DrillGround> {
  const folder = await mkdtemp(join(tmpdir(), 'vfleet-drill-'));
  const hooks = join(folder, 'hooks');
  await mkdir(hooks);
  const fleet = await startFleet({
    hosts: options.hosts,
    parentFolder: folder,
    describe: () => ({ cpu: 'intel', os: 'debian-12' }),
    timing: { shutdownMs: 20, rebootMs: 200, panicSecondMs: 10 },
  });
  const cli = { stateHome: folder, ...(options.env === undefined ? {} : { env: options.env }) };
  const up = options.env === undefined ? await startReady(['up', '--hooks', hooks], cli) : null;
  return {
    fleet,
    folder,
    cli,
    hooks,
    spec: async (name, select, more = '') => {
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, specText({ name, select, more, inventory: fleet.inventoryFile }));
      return file;
    },
    start: async (spec, between) => {
      const plan = await runCliHere(['plan', spec, '--json'], cli);
      expect(plan).toMatchObject({ code: 0 });
      between?.();
      const { id } = JSON.parse(plan.stdout) as { id: string };
      expect(await runCliHere(['start', spec, '--plan', id, '--yes'], cli)).toMatchObject({
        code: 0,
      });
    },
    until: (name, isThere) => until(cli, name, isThere),
    stop: async () => {
      if (up !== null) await stopped(up);
      await fleet.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a process of vfleet that serves until it is stopped; resolves when it says that it is ready. */
export async function startReady(
  args: readonly string[],
  cli: CliOptions,
): Promise<ChildProcessWithoutNullStreams> {
  const child = startCli([...args, '--json'], cli);
  child.stderr.resume();
  await jsonLines(child).until<{ ready?: boolean }>((line) => line.ready === true);
  return child;
}

/** Stops a process that was started here, and waits for its end. */
export async function stopped(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGINT');
  await once(child, 'exit');
}

async function until(
  cli: CliOptions,
  name: string,
  isThere: (status: RolloutStatus) => boolean,
): Promise<RolloutStatus> {
  const watch = startCli(['status', name, '--watch', '--json'], cli);
  watch.stderr.resume();
  try {
    return await jsonLines(watch).until<RolloutStatus>(isThere);
  } finally {
    await stopped(watch);
  }
}

const specText = (it: {
  readonly name: string;
  readonly select: string;
  readonly more: string;
  readonly inventory: string;
}): string => `version: 1
name: ${it.name}
hosts: { inventory: ${it.inventory}, select: "${it.select}" }
target: { iommu: enabled, hostDma: passthrough }
waves: [{ name: all, upTo: 100%, maxFailures: 100% }]
${it.more.includes('limits:') ? '' : 'limits: { parallel: 4, maxUnavailable: 100%, maxFailures: 100% }'}
${it.more}
`;
