import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RolloutStatus } from '../../src/domain/status.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import type { HostLogEntry } from '../../src/simulator/model/host-log.ts';
import type { ModelHost } from '../../src/simulator/model/model-host.ts';
import { jsonLines } from '../cli/json-lines.ts';
import { runCli, startCli } from '../cli/run-cli.ts';

/** A fleet whose hosts take their time, and processes of vfleet that can be killed in the middle of it. */
export class CrashBench {
  readonly folder: string;
  readonly fleet: Fleet;
  private readonly children: ChildProcessWithoutNullStreams[] = [];

  private constructor(folder: string, fleet: Fleet) {
    this.folder = folder;
    this.fleet = fleet;
  }

  static async open(): Promise<CrashBench> {
    const folder = await mkdtemp(join(tmpdir(), 'vfleet-crash-'));
    const fleet = await startFleet({
      hosts: 1,
      parentFolder: folder,
      describe: () => ({ cpu: 'intel', os: 'debian-12' }),
      // Long enough to kill in the middle of; a command that was begun goes on when its caller dies.
      timing: { updateGrubMs: 1500, shutdownMs: 300, rebootMs: 1500 },
    });
    const bench = new CrashBench(folder, fleet);
    await writeFile(bench.spec, specText(fleet.inventoryFile));
    return bench;
  }

  async close(): Promise<void> {
    for (const child of this.children) await kill(child);
    await this.fleet.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  get host(): ModelHost {
    return this.fleet.host('hv01');
  }

  private get spec(): string {
    return join(this.folder, 'spec.yaml');
  }

  /** Starts `vfleet up` or `vfleet worker`; resolves when it is ready. */
  async start(
    command: 'up' | 'worker',
    env: Readonly<Record<string, string>> = {},
  ): Promise<ChildProcessWithoutNullStreams> {
    const child = startCli([command, '--json'], { stateHome: this.folder, env });
    this.children.push(child);
    child.stderr.resume();
    await jsonLines(child).until<{ ready?: boolean }>((line) => line.ready === true);
    return child;
  }

  /** Starts the rollout of the spec; it promotes itself. */
  async rollout(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { code, stderr } = await runCli(['start', this.spec, '--yes'], {
      stateHome: this.folder,
      env,
    });
    if (code !== 0) throw new Error(stderr);
  }

  /** Follows the rollout until it has ended; resolves with its last status. */
  async ended(env: Readonly<Record<string, string>> = {}): Promise<RolloutStatus> {
    const watch = startCli(['status', 'crash', '--watch', '--json'], {
      stateHome: this.folder,
      env,
    });
    this.children.push(watch);
    watch.stderr.resume();
    return jsonLines(watch).until<RolloutStatus>(
      ({ phase }) => phase === 'done' || phase === 'waiting' || phase === 'paused',
    );
  }

  /** Resolves when the host's own log gets an entry that is meant. */
  logged(wanted: (entry: Omit<HostLogEntry, 'at'>) => boolean): Promise<void> {
    const { log } = this.host;
    const add = log.add.bind(log);
    return new Promise((resolve) => {
      log.add = (entry) => {
        add(entry);
        if (wanted(entry)) resolve();
      };
    });
  }

  /** Process id of the embedded server, from the lock beside its database. */
  async serverPid(): Promise<number> {
    const lock = await readFile(join(this.folder, 'vfleet/engine.db.pid'), 'utf8');
    return (JSON.parse(lock) as { server: number }).server;
  }
}

/** Ends a process at once, as the kernel's out-of-memory killer would. */
export async function kill(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const specText = (inventory: string): string => `version: 1
name: crash
hosts: { inventory: ${inventory}, select: all }
target: { iommu: enabled, hostDma: passthrough }
waves:
  - { name: all, upTo: 100%, promote: auto, bake: 0s }
limits: { parallel: 1, maxUnavailable: 1, maxFailures: 0 }
reboot: { timeout: 3m }
`;
