import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutStatus } from '../domain/status.ts';
import type { Engine } from './engine.ts';
import { CliError } from './outcome.ts';
import { isFinal } from './rollout-outcome.ts';
import { readStatus } from './rollouts.ts';

/** How often a followed rollout is asked, in milliseconds: one query costs 45 ms for 10,000 hosts. */
const EVERY_MS = 700;

/**
 * Asks for a rollout's status until it has ended, and hands each answer on. A moment without a worker is no reason to
 * stop: `onSilence` is told, and the next answer is waited for. Rejects when the signal aborts.
 */
export async function follow(options: {
  readonly engine: Engine;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly onStatus: (status: RolloutStatus) => void | Promise<void>;
  readonly onSilence?: (error: CliError) => void;
}): Promise<RolloutStatus> {
  const { engine, id, signal, onStatus, onSilence } = options;
  for (;;) {
    signal.throwIfAborted();
    try {
      const { status } = await readStatus(engine, id);
      await onStatus(status);
      if (isFinal(status)) return status;
    } catch (error) {
      if (!(error instanceof CliError) || error.outcome !== 'no-engine') throw error;
      onSilence?.(error);
    }
    await sleep(EVERY_MS, undefined, { signal });
  }
}
