import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { startWorker } from '../../../workers/worker.ts';
import { NoEngine, resolveEngine, type EngineTarget } from '../../engine/connect.ts';
import type { CommandContext } from '../context.ts';
import { CliError, sentenceOf, type Outcome } from '../outcome.ts';

/** Runs a worker for the engine of TEMPORAL_ADDRESS, a Temporal profile or `vfleet up`, until Ctrl-C. */
export async function worker(
  context: CommandContext,
  options: { readonly hooks?: string; readonly taskQueue?: string },
): Promise<Outcome> {
  const { config, log } = context;
  const target = await findEngine();
  const taskQueue = options.taskQueue ?? config.taskQueue;
  const running = await startWorker({
    target,
    taskQueue,
    hooksFolder:
      options.hooks === undefined ? join(config.stateFolder, 'hooks') : resolve(options.hooks),
    log,
  }).catch((error: unknown) => {
    throw engineError(error);
  });
  context.data({ ready: true, address: target.address, taskQueue }, { line: true });
  context.print(
    `${context.style.good('ready')}   worker on ${taskQueue} of ${target.address}; Ctrl-C stops it`,
  );
  try {
    if (!context.signal.aborted) await Promise.race([once(context.signal, 'abort'), running.ended]);
  } finally {
    context.note('stopping; steps under way come to their end first');
    await running.stop();
  }
  return 'done';
}

async function findEngine(): Promise<EngineTarget> {
  try {
    return await resolveEngine();
  } catch (error) {
    throw engineError(error);
  }
}

function engineError(error: unknown): unknown {
  if (!(error instanceof NoEngine)) return error;
  const next = error.next ?? 'set TEMPORAL_ADDRESS, or run vfleet up';
  return new CliError('no-engine', sentenceOf(error), next, { code: 'engine.none', cause: error });
}
