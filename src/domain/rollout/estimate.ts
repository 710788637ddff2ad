import { median } from '../median.ts';
import type { Estimate } from '../status.ts';
import { unavailableCount, runningCount } from './budget.ts';
import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';

/**
 * When the rollout ends by itself, if each host takes as long as the median of those that are done: hosts go through as
 * many places as the limits leave, wave after wave, with the bakes between. `undefined` while none is done, and while
 * nothing goes on by itself. Promotions by people are taken as given at once.
 */
export function estimateEnd(rules: RolloutRules, state: RolloutState): Estimate | undefined {
  const took = state.cells.flatMap((cell) => cell.took ?? []);
  const seconds = median(took);
  if (seconds === undefined || state.end !== null || state.paused !== null) return undefined;
  if (state.aborting !== null || state.flow === 'ended') return undefined;
  const end = endOfWaves(rules, state, seconds);
  return {
    endsAt: new Date(state.startedAt + end * 1000).toISOString(),
    hostMs: seconds * 1000,
    samples: took.length,
  };
}

/** Seconds after the rollout's start. */
function endOfWaves(rules: RolloutRules, state: RolloutState, seconds: number): number {
  const places = freeTimes(rules, state, seconds);
  let end = Math.max(...places);
  for (let wave = state.wave; wave < rules.waves.length; wave++) {
    const queued = state.cells.filter((cell) => isQueued(cell, wave)).length;
    // All take equally long, so that going round the places in the order in which they come free is the best there is.
    for (let host = 0; host < queued; host++) {
      const place = host % places.length;
      places[place] = (places[place] ?? 0) + seconds;
    }
    end = Math.max(...places) + bakeSeconds(rules, state, wave);
    places.fill(end);
  }
  return end;
}

/** When each place that the limits leave comes free, soonest first. */
function freeTimes(rules: RolloutRules, state: RolloutState, seconds: number): number[] {
  const now = lastNews(state);
  const down = unavailableCount(state) - runningCount(state);
  const running = state.cells
    .filter((cell) => cell.state === 'running')
    .map((cell) => Math.max(now, (cell.began ?? now) + seconds));
  const most = Math.max(1, running.length, Math.min(rules.parallel, rules.unavailableMax - down));
  const free = Array.from({ length: most - running.length }, () => now);
  return [...free, ...running].sort((a, b) => a - b);
}

function isQueued(cell: HostCell, wave: number): boolean {
  return cell.state === 'queued' && cell.wave === wave;
}

function bakeSeconds(rules: RolloutRules, state: RolloutState, wave: number): number {
  const { flow, bakeUntil } = state;
  if (wave !== state.wave || flow === 'wave') return (rules.waves[wave]?.bakeMs ?? 0) / 1000;
  if (flow !== 'baking' || bakeUntil === null) return 0;
  return Math.max(0, (bakeUntil - state.startedAt) / 1000 - lastNews(state));
}

/** Seconds after the rollout's start: the state has no clock, so that everything here is counted from the last news. */
function lastNews(state: RolloutState): number {
  return Math.max(0, ...state.cells.map((cell) => Math.max(cell.heard, cell.since)));
}
