import { join } from 'node:path';
import { startWorker, type RunningWorker } from '../../workers/worker.ts';
import { connectEngine, type EngineTarget } from '../engine/connect.ts';
import { findTemporal } from '../engine/embedded/binaries.ts';
import { startEmbedded, type EmbeddedServer } from '../engine/embedded/embedded-server.ts';
import type { CommandContext } from './context.ts';
import { createEngine, type Engine } from './engine.ts';

/** An embedded engine with a worker, both on this machine, both ended by `stop`. */
export interface LocalEngine {
  readonly server: EmbeddedServer;
  readonly worker: RunningWorker;
  readonly engine: Engine;
  /** Resolves with what ended first by itself: never in good times. */
  readonly broken: Promise<string>;
  /** Worker first, so that its steps end well; then the server. Safe twice. */
  readonly stop: () => Promise<void>;
}

/** Finds the Temporal server, starts it on a free loopback port, and a worker beside it. */
export async function startLocalEngine(
  context: Pick<CommandContext, 'config' | 'log' | 'note'>,
  options: { readonly dbFile?: string; readonly hooksFolder?: string },
): Promise<LocalEngine> {
  const { config, log, note } = context;
  const binary = await findTemporal({ env: process.env, onProgress: note });
  const server = await startEmbedded({
    binary,
    ...(options.dbFile === undefined ? {} : { dbFile: options.dbFile }),
    onLine: (line) => log.debug({ server: line }, 'engine'),
  });
  try {
    const target: EngineTarget = {
      address: server.address,
      namespace: server.namespace,
      source: 'option',
      connectionOptions: { address: server.address },
    };
    const worker = await startWorker({
      target,
      taskQueue: config.taskQueue,
      hooksFolder: options.hooksFolder ?? join(config.stateFolder, 'hooks'),
      log,
    });
    const connected = await connectEngine({ target });
    return {
      server,
      worker,
      engine: createEngine(connected, config.taskQueue),
      broken: Promise.race([
        server.ended.then((code) => `the embedded engine ended (${code})`),
        worker.ended.then(
          () => 'the worker ended',
          (error: unknown) => `the worker broke down: ${String(error)}`,
        ),
      ]),
      stop: async () => {
        await connected.close();
        await worker.stop().catch((error: unknown) => log.error({ err: error }, 'worker'));
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
