import { runningCount, unavailableCount } from './budget.ts';
import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';
import { indicesOf } from './state.ts';

/** After this long without news of a running host, its run is looked up: a report may have been lost. */
export const SILENT_AFTER_MS = 5 * 60_000;
/** Most hosts handed to one activity at once, so that its input stays far below the engine's 2 MB. */
export const BATCH_MAX = 50;

/** What is to be done now; with nothing to do, what is waited for. */
export interface Decision {
  /** Hosts whose run is to be started, in this order. */
  readonly start: readonly number[];
  /** A verb to be sent to the open runs of some hosts. */
  readonly send: {
    readonly verb: 'retry' | 'skip' | 'rollback';
    readonly indices: readonly number[];
  } | null;
  /** Hosts whose runs are to be told of a `pause --now`, or that it is over. */
  readonly tell: {
    readonly verb: 'pause' | 'resume';
    readonly indices: readonly number[];
  } | null;
  /** Running hosts that have been silent too long. */
  readonly reconcile: readonly number[];
  /** Milliseconds since the epoch: when to look again though nothing happened; `null`: only an event matters. */
  readonly wakeAt: number | null;
  readonly finished: boolean;
}

/** Decides from the state alone; every limit is counted here, in the state, at the moment of starting. */
export function decide(rules: RolloutRules, state: RolloutState, now: number): Decision {
  if (state.end !== null) {
    return { start: [], send: null, tell: null, reconcile: [], wakeAt: null, finished: true };
  }
  const places = freePlaces(rules, state);
  const asked = indicesOf(state, (cell) => cell.asked !== null);
  const send = sendNow(state, asked, places);
  const start = take(places, state, [
    ...lastWaveFirst(
      state,
      asked.filter((index) => state.cells[index]?.state === 'queued'),
    ),
    ...startable(state),
  ]);
  return {
    start: start.slice(0, BATCH_MAX),
    send,
    tell: tellNow(state),
    reconcile: silentHosts(state, now).slice(0, BATCH_MAX),
    wakeAt: nextWake(state),
    finished: false,
  };
}

/** Hosts of the wave under way that wait for a place, in order; none while paused, baking or aborting. */
export function startable(state: RolloutState): readonly number[] {
  if (state.paused !== null || state.aborting !== null || state.flow !== 'wave') return [];
  return indicesOf(
    state,
    (cell) => cell.state === 'queued' && cell.asked === null && cell.wave === state.wave,
  );
}

interface Places {
  running: number;
  available: number;
}

/** How many more hosts may run, and how many more may become unavailable. */
function freePlaces(rules: RolloutRules, state: RolloutState): Places {
  return {
    running: rules.parallel - runningCount(state),
    available: rules.unavailableMax - unavailableCount(state),
  };
}

/** Takes hosts while there are places. Working on a host that is down already adds nothing to the unavailable. */
function take(
  places: Places,
  state: RolloutState,
  candidates: readonly number[],
): readonly number[] {
  return candidates.filter((index) => {
    const adds = state.cells[index]?.down === true ? 0 : 1;
    if (places.running < 1 || (adds > 0 && places.available < adds)) return false;
    places.running -= 1;
    places.available -= adds;
    return true;
  });
}

/** One verb at a time, the skips first: they give places back and need none. */
function sendNow(state: RolloutState, asked: readonly number[], places: Places): Decision['send'] {
  const open = asked.filter((index) => state.cells[index]?.state === 'held');
  const of = (verb: HostCell['asked']) =>
    open.filter((index) => state.cells[index]?.asked === verb);
  const skips = of('skip');
  if (skips.length > 0) return { verb: 'skip', indices: skips.slice(0, BATCH_MAX) };
  for (const verb of ['rollback', 'retry'] as const) {
    const taken = take(places, state, lastWaveFirst(state, of(verb)).slice(0, BATCH_MAX));
    if (taken.length > 0) return { verb, indices: taken };
  }
  return null;
}

/** One verb at a time; who is told needs no place. */
function tellNow(state: RolloutState): Decision['tell'] {
  for (const verb of ['pause', 'resume'] as const) {
    const indices = indicesOf(state, (cell) => cell.open && cell.tell === verb);
    if (indices.length > 0) return { verb, indices: indices.slice(0, BATCH_MAX) };
  }
  return null;
}

/** While aborting, what was changed last goes back first. */
function lastWaveFirst(state: RolloutState, indices: readonly number[]): readonly number[] {
  if (state.aborting === null) return indices;
  return indices.toSorted((a, b) => (state.cells[b]?.wave ?? 0) - (state.cells[a]?.wave ?? 0));
}

function silentHosts(state: RolloutState, now: number): readonly number[] {
  return indicesOf(state, (cell) => isExpected(cell) && now >= silentAt(state, cell));
}

/** Whether news of a host are due: one that `pause --now` has stopped has none to give until it was told to go on. */
function isExpected(cell: HostCell): boolean {
  return cell.state === 'running' && (cell.pausedBefore === undefined || !cell.told);
}

function silentAt(state: RolloutState, cell: HostCell): number {
  return state.startedAt + cell.heard * 1000 + SILENT_AFTER_MS;
}

function nextWake(state: RolloutState): number | null {
  const bake = state.paused === null && state.flow === 'baking' ? state.bakeUntil : null;
  let at = bake ?? Infinity;
  for (const cell of state.cells) {
    if (isExpected(cell)) at = Math.min(at, silentAt(state, cell));
  }
  return Number.isFinite(at) ? at : null;
}
