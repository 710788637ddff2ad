import type { RolloutVerb } from '../status.ts';
import { raisedBudget } from './budget.ts';
import type { RolloutEvent } from './events.ts';
import { isLost, nextWave, rollbackAsked } from './settle.ts';
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
      return pause(state, verb);
    case 'resume':
      return {
        ...untold(state),
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

/** With `now`, the hosts that run stop too; not those that are being taken back, since a person asked for that. */
function pause(
  state: RolloutState,
  verb: Extract<RolloutVerb, { readonly verb: 'pause' }>,
): RolloutState {
  const now = verb.now === true;
  const told = now ? withCells(state, stoppedByPause(state), tellPause) : state;
  const why = state.paused ?? { by: 'person', sentence: `${verb.who} paused it.` };
  return { ...told, paused: now ? { ...why, now } : why };
}

const tellPause = (cell: HostCell): HostCell => withCell(cell, { tell: 'pause' });

/** The hosts that a `pause --now` stops before their next disruptive step. */
export function stoppedByPause(state: RolloutState): readonly number[] {
  return indicesOf(state, (cell) => cell.state === 'running' && !cell.undo);
}

/** What was stopped by a `pause --now` goes on. */
function untold(state: RolloutState): RolloutState {
  const stopped = indicesOf(state, (cell) => cell.told || cell.tell === 'pause');
  return withCells(state, stopped, (cell) => withCell(cell, { tell: 'resume' }));
}

/**
 * Hosts held without a run of their own are left, since nothing else can end them: those that were never written to
 * as they are, and one whose run was lost as unknown. With rollback, the latter get a run that takes back what they record.
 */
function abort(from: RolloutState, rollback: boolean, at: number): RolloutState {
  const state = untold(from);
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
    (cell) => (rollback && isLost(cell) ? rollbackAsked(cell) : skipAsked(cell, at)),
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
    : withCell(cell, {
        state: 'skipped',
        asked: null,
        since: at,
        step: undefined,
        ...(isLost(cell) ? { note: LOST_NOTE } : {}),
      });
}

const LOST_NOTE =
  'Its run was lost: changes and the lease may be left there; /var/lib/vfleet on the host says what.';
