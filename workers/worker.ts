import type { Logger } from 'pino';
import { createActivities } from '../activities/index.ts';
import { connectEngine, type EngineTarget } from '../src/engine/connect.ts';
import { connectWorker, createVfleetWorker, installRuntime } from '../src/engine/worker.ts';
import { createSshDirectory } from '../src/host/ssh/pool.ts';

/** What a worker is told. Keys, known_hosts files and hooks are this machine's own. */
export interface WorkerOptions {
  readonly target: EngineTarget;
  readonly taskQueue: string;
  /** Folder of the programs that specs may name as hooks. */
  readonly hooksFolder: string;
  readonly log: Logger;
}

/** A worker at work. */
export interface RunningWorker {
  /** Resolves when it has ended; rejects when it broke down. */
  readonly ended: Promise<void>;
  /** Takes no more work, lets steps under way come to their end, closes all connections. Safe twice. */
  readonly stop: () => Promise<void>;
}

/** The composition root of a worker: SSH hosts, activities and workflows on one task queue of one engine. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { target, taskQueue, hooksFolder, log } = options;
  installRuntime(log);
  const engine = await connectEngine({ target });
  const hosts = createSshDirectory({ log });
  const connection = await connectWorker(target);
  const worker = await createVfleetWorker({
    connection,
    namespace: target.namespace,
    taskQueue,
    activities: createActivities({
      hosts,
      hooksFolder,
      log,
      client: engine.client,
      engine: `${target.address}/${target.namespace}`,
      taskQueue,
    }),
  });
  const ended = worker.run().finally(async () => {
    await hosts.close();
    await connection.close();
    await engine.close();
  });
  // Whoever stops it hears of its failure from `ended`; nobody listening must not end the process.
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await ended;
  };
  return { ended, stop };
}
