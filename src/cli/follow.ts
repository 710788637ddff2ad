import { setTimeout as sleep } from 'node:timers/promises';
import { EngineTimeout } from '../engine/connect.ts';
import type { RolloutStatus } from '../domain/status.ts';
import type { Engine } from './engine.ts';
import { CliError } from './outcome.ts';
import { isFinal } from './rollout-outcome.ts';
import { readStatus } from './rollouts.ts';

/** How often a followed rollout is asked, in milliseconds: one query costs 45 ms for 10,000 hosts. */
const EVERY_MS = 700;
/** After so many milliseconds without an answer it is said that there is none; calls wait longer than that. */
const SLOW_MS = 4_000;

/** What follow needs; `onSilence` is told why there is no answer, again and again until there is one. */
export interface FollowOptions {
  readonly engine: Engine;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly onStatus: (status: RolloutStatus) => void | Promise<void>;
  readonly onSilence?: (why: string) => void;
}

/**
 * Asks for a rollout's status until it has ended, and hands each answer on. A moment without a worker or an engine is no
 * reason to stop: the engine is looked for again, also where another `vfleet up` has put it. Rejects when the signal aborts.
 */
export async function follow(options: FollowOptions): Promise<RolloutStatus> {
  const { id, signal, onStatus } = options;
  let engine = options.engine;
  try {
    for (;;) {
      signal.throwIfAborted();
      const looked = await look(engine, options);
      if ('status' in looked) {
        await onStatus(looked.status);
        if (isFinal(looked.status)) return looked.status;
      } else if (looked.lost) {
        engine = await again(engine, options);
      }
      await sleep(EVERY_MS, undefined, { signal });
    }
  } finally {
    if (engine !== options.engine) await engine.close();
  }

  async function again(lost: Engine, { onSilence }: FollowOptions): Promise<Engine> {
    try {
      const found = await lost.reconnect?.();
      if (found === undefined) return lost;
      if (lost !== options.engine) await lost.close();
      return found;
    } catch (error) {
      onSilence?.(silenceOf(error, id).why);
      return lost;
    }
  }
}

/** One answer, or nobody's; `lost` when it is the engine that is not there. */
type Looked = { readonly status: RolloutStatus } | { readonly lost: boolean };

async function look(engine: Engine, options: FollowOptions): Promise<Looked> {
  const { id, signal, onSilence } = options;
  const slow = setTimeout(() => {
    onSilence?.(`engine ${engine.address} or its worker does not answer.`);
  }, SLOW_MS);
  try {
    return { status: (await orAborted(readStatus(engine, id), signal)).status };
  } catch (error) {
    const { why, lost } = silenceOf(error, id);
    onSilence?.(why);
    return { lost };
  } finally {
    clearTimeout(slow);
  }
}

/** Why nobody answered. Throws what is no silence. */
function silenceOf(error: unknown, id: string): { readonly why: string; readonly lost: boolean } {
  if (error instanceof EngineTimeout) return { why: `${id}: ${error.message}`, lost: true };
  if (!(error instanceof CliError) || error.outcome !== 'no-engine') throw error;
  return { why: error.message, lost: error.code === 'engine.none' };
}

/** Calls have deadlines of their own; Ctrl-C waits for none of them. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop);
    });
  });
}
