import { budgetSpent } from './budget.ts';
import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';
import { indicesOf, withCell, withCells } from './state.ts';
import { NO_WAVE } from './waves.ts';

/** Carries a state as far as it goes by itself: budgets, ends of waves, bakes that are over, the end. */
export function settle(rules: RolloutRules, state: RolloutState, now: number): RolloutState {
  if (state.end !== null) return state;
  const guarded = guardBudget(rules, state);
  if (guarded.aborting !== null) return settleAbort(guarded);
  return guarded.paused === null ? advance(rules, guarded, now) : guarded;
}

function guardBudget(rules: RolloutRules, state: RolloutState): RolloutState {
  if (state.aborting !== null) return state;
  const sentence = budgetSpent(rules, state);
  if (sentence === undefined || state.paused?.by === 'budget') return state;
  return rules.onBudgetSpent === 'rollback' && rules.direction === 'forward'
    ? { ...state, aborting: 'budget', paused: null, bakeUntil: null }
    : { ...state, paused: { ...state.paused, by: 'budget', sentence } };
}

/** Whether a wave has no host left that is queued, running or about to run again. */
export function waveEnded(state: RolloutState, wave: number): boolean {
  return !state.cells.some((cell) => cell.wave === wave && isUnderWay(cell));
}

function isUnderWay(cell: HostCell): boolean {
  return cell.state === 'queued' || cell.state === 'running' || cell.asked !== null;
}

/** Walks over as many waves as have ended. A pause freezes this, so that a bake begins after the repair. */
function advance(rules: RolloutRules, from: RolloutState, now: number): RolloutState {
  let state = from;
  for (;;) {
    const before = state;
    state = advanceOnce(rules, state, now);
    if (state === before || state.end !== null) return state;
  }
}

function advanceOnce(rules: RolloutRules, state: RolloutState, now: number): RolloutState {
  switch (state.flow) {
    case 'wave':
      return waveEnded(state, state.wave) ? bake(rules, state, now) : state;
    case 'baking':
      return now >= (state.bakeUntil ?? 0) && waveEnded(state, state.wave)
        ? afterBake(rules, state)
        : state;
    case 'awaiting-promotion':
      return state;
    case 'ended':
      return hasWork(state) ? state : { ...state, end: 'done' };
  }
}

function bake(rules: RolloutRules, state: RolloutState, now: number): RolloutState {
  const bakeMs = waveIsEmpty(state) ? 0 : (rules.waves[state.wave]?.bakeMs ?? 0);
  return bakeMs > 0
    ? { ...state, flow: 'baking', bakeUntil: now + bakeMs }
    : afterBake(rules, state);
}

function hasWork(state: RolloutState): boolean {
  return state.cells.some(
    (cell) => cell.state === 'held' || (isUnderWay(cell) && cell.wave !== NO_WAVE),
  );
}

function waveIsEmpty(state: RolloutState): boolean {
  return !state.cells.some((cell) => cell.wave === state.wave);
}

function afterBake(rules: RolloutRules, state: RolloutState): RolloutState {
  const later = state.cells.some((cell) => cell.wave > state.wave);
  if (!later) return { ...state, flow: 'ended', bakeUntil: null };
  return rules.waves[state.wave]?.promote === 'manual' && !waveIsEmpty(state)
    ? { ...state, flow: 'awaiting-promotion', bakeUntil: null }
    : nextWave(state);
}

/** The state in the wave after this one. */
export function nextWave(state: RolloutState): RolloutState {
  return { ...state, flow: 'wave', wave: state.wave + 1, bakeUntil: null };
}

/**
 * An abort ends when nothing runs, is held or waits for a place. With rollback, hosts that came to `done` or are
 * held are asked to go back, once: one whose undo failed waits for a person.
 */
function settleAbort(state: RolloutState): RolloutState {
  const asked = state.aborting === 'leave' ? state : askForRollback(state);
  const pending = asked.cells.some(
    (cell) => cell.state === 'running' || cell.state === 'held' || cell.asked !== null,
  );
  if (pending) return asked;
  return { ...asked, end: asked.aborting === 'budget' ? 'failed' : 'aborted' };
}

function askForRollback(state: RolloutState): RolloutState {
  const due = indicesOf(
    state,
    (cell) =>
      !cell.undo &&
      cell.asked === null &&
      (cell.state === 'done' || (cell.state === 'held' && (cell.open || isLost(cell)))),
  );
  if (due.length === 0) return state;
  return withCells(state, due, (cell) => rollbackAsked(cell));
}

/** A cell whose changes are to be taken back: by its open run, or by a new one. */
export function rollbackAsked(cell: HostCell): HostCell {
  return withCell(cell, {
    asked: 'rollback',
    undo: true,
    ...(cell.state === 'held' && cell.open
      ? {}
      : { state: 'queued', step: undefined, code: undefined }),
    note: undefined,
  });
}

/** Whether the engine lost a host's run: what it left on the host is known to the host's own record only. */
export function isLost(cell: HostCell): boolean {
  return cell.state === 'held' && !cell.open && cell.code === 'run.lost';
}
