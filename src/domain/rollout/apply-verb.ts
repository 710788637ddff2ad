import type { RolloutVerb } from '../status.ts';
import { raisedBudget } from './budget.ts';
import type { RolloutEvent } from './events.ts';
import { nextWave, rollbackAsked } from './settle.ts';
import type { HostCell, RolloutState } from './state.ts';
import { VERBS_KEPT, indicesOf, withCell, withCells } from './state.ts';
import { NO_WAVE } from './waves.ts';

type VerbEvent = Extract<RolloutEvent, { kind: 'verb' }>;

/** The state after a verb that was not refused, with the verb in the audit trail. */
export function applyVerb(state: RolloutState, event: VerbEvent, at: number): RolloutState {
  const { verb, targets, answer } = event;
  const after = carryOut(state, verb, targets, at);
  const entry = {
    at: new Date(event.now).toISOString(),
    verb: verb.verb === 'abort' && verb.rollback ? 'abort with rollback' : verb.verb,
    who: verb.who,
    ...(verb.reason === undefined ? {} : { reason: verb.reason }),
    hosts: targets.length,
  };
  return {
    ...after,
    handled: [...after.handled, { id: verb.id, answer }].slice(-VERBS_KEPT),
    audit: [...after.audit, entry].slice(-VERBS_KEPT),
  };
}

function carryOut(
  state: RolloutState,
  verb: RolloutVerb,
  targets: readonly number[],
  at: number,
): RolloutState {
  switch (verb.verb) {
    case 'pause':
      return { ...state, paused: { by: 'person', sentence: `${verb.who} paused it.` } };
    case 'resume':
      return {
        ...state,
        ...(verb.newBudget === undefined ? {} : raisedBudget(state, verb.newBudget)),
        paused: null,
      };
    case 'promote':
      return nextWave(state);
    case 'abort':
      return abort(state, verb.rollback, at);
    case 'retry':
      return withCells(state, targets, (cell) => retryAsked(cell, state.wave, at));
    case 'skip':
      return withCells(state, targets, (cell) => skipAsked(cell, at));
    case 'rollback':
      return withCells(state, targets, (cell) => rollbackAsked(cell));
  }
}

/** Hosts held without a run of their own were never written to: they are left, since nothing else can end them. */
function abort(state: RolloutState, rollback: boolean, at: number): RolloutState {
  const stopped: RolloutState = {
    ...state,
    aborting: rollback ? 'rollback' : 'leave',
    paused: null,
    bakeUntil: null,
  };
  const unasked = withCells(
    stopped,
    indicesOf(stopped, (cell) => cell.asked === 'retry'),
    (cell) => withCell(cell, { asked: null }),
  );
  return withCells(
    unasked,
    indicesOf(unasked, (cell) => cell.state === 'held' && !cell.open),
    (cell) => skipAsked(cell, at),
  );
}

function retryAsked(cell: HostCell, wave: number, at: number): HostCell {
  if (cell.state === 'held' && cell.open)
    return withCell(cell, { asked: 'retry', note: undefined });
  return withCell(cell, {
    state: 'queued',
    asked: 'retry',
    undo: false,
    wave: cell.wave === NO_WAVE ? wave : cell.wave,
    since: at,
    code: undefined,
    note: undefined,
    step: undefined,
  });
}

function skipAsked(cell: HostCell, at: number): HostCell {
  return cell.state === 'held' && cell.open
    ? withCell(cell, { asked: 'skip', note: undefined })
    : withCell(cell, { state: 'skipped', asked: null, since: at, step: undefined });
}
