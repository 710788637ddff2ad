import type { RolloutPhase } from '../status.ts';
import { failureCount, isUnavailable, unavailableCount } from './budget.ts';
import { phaseOf } from './phase.ts';
import type { RolloutRules } from './rules.ts';
import type { RolloutState } from './state.ts';
import { indicesOf } from './state.ts';

/** Most names in one sentence. */
const NAMES_MAX = 5;

type Explain = (rules: RolloutRules, state: RolloutState) => string;

const BY_PHASE: Readonly<Record<RolloutPhase, Explain>> = {
  running,
  paused,
  baking,
  'awaiting-promotion': (rules, state) =>
    `Wave ${waveName(rules, state)} is over and waits for "promote"; no host starts until then.`,
  waiting,
  aborting,
  done: () => 'Every host has come to its end.',
  aborted: () => 'Aborted; nothing re-applies what was left or taken back.',
  failed: () => 'The failure budget was spent and the changes were taken back.',
};

/** One or two sentences: what the rollout waits for or why it stopped, and what happens if nobody does anything. */
export function explain(rules: RolloutRules, state: RolloutState): string {
  return BY_PHASE[phaseOf(rules, state)](rules, state);
}

function baking(rules: RolloutRules, state: RolloutState): string {
  const until = state.bakeUntil === null ? '' : new Date(state.bakeUntil).toISOString();
  return `Wave ${waveName(rules, state)} is watched until ${until}; ${after(rules, state)}.`;
}

/** What follows the wave under way. */
function after(rules: RolloutRules, state: RolloutState): string {
  if (!state.cells.some((cell) => cell.wave > state.wave)) return 'it is the last one';
  return rules.waves[state.wave]?.promote === 'manual'
    ? 'then it waits for "promote"'
    : `then wave ${rules.waves[state.wave + 1]?.name ?? ''} begins by itself`;
}

function running(rules: RolloutRules, state: RolloutState): string {
  if (state.flow === 'ended') return 'The last wave is over; what runs comes to its end by itself.';
  const queued = indicesOf(state, (cell) => cell.state === 'queued' && cell.wave === state.wave);
  const full = unavailableCount(state) >= rules.unavailableMax && queued.length > 0;
  const held = indicesOf(state, (cell) => cell.state === 'held' && isUnavailable(cell));
  const slow =
    full && held.length > 0
      ? ` Held hosts (${namesOf(rules, held)}) use up availability and slow it down.`
      : '';
  return `Wave ${waveName(rules, state)} goes on by itself; ${after(rules, state)}. ${spending(rules, state)}${slow}`;
}

/** How far the failure budget is, in failures that would end the wave under way. */
function spending(rules: RolloutRules, state: RolloutState): string {
  const ofWave = state.waveFailuresMax[state.wave] ?? null;
  const left = Math.min(
    state.failuresMax - failureCount(state),
    ofWave === null ? Infinity : ofWave - failureCount(state, state.wave),
  );
  const one = left < 1;
  const who = one ? 'The next failure' : `${left + 1} more failures`;
  const back = rules.onBudgetSpent === 'rollback' && rules.direction === 'forward';
  const verb = back ? 'take' : 'pause';
  return `${who} ${verb}${one ? 's' : ''} ${back ? 'every host back' : 'it'}.`;
}

function paused(rules: RolloutRules, state: RolloutState): string {
  const goesOn =
    state.paused?.by === 'budget'
      ? '"resume --new-budget N" goes on, where N more may fail; or "abort".'
      : '"resume" goes on.';
  return `${state.paused?.sentence ?? ''} No host of a wave starts until then: ${goesOn}${stopped(rules, state)}`;
}

/** What a `pause --now` did to the hosts that ran. */
function stopped(rules: RolloutRules, state: RolloutState): string {
  const at = indicesOf(state, (cell) => cell.pausedBefore !== undefined);
  if (at.length > 0) return ` Stopped before a disruptive step: ${namesOf(rules, at)}.`;
  const due = indicesOf(state, (cell) => cell.state === 'running' && cell.told);
  return due.length === 0
    ? ''
    : ` Will stop before their next disruptive step: ${namesOf(rules, due)}.`;
}

function waiting(rules: RolloutRules, state: RolloutState): string {
  const held = indicesOf(state, (cell) => cell.state === 'held');
  if (state.flow === 'ended') {
    return `Only held hosts are left: ${namesOf(rules, held)}. They stay held until retried, skipped or rolled back.`;
  }
  const down = indicesOf(state, (cell) => isUnavailable(cell) && cell.state !== 'held');
  const places = indicesOf(state, (cell) => isUnavailable(cell) && cell.state === 'held');
  return [
    `No host may start: ${unavailableCount(state)} of ${rules.unavailableMax} hosts that may be unavailable are.`,
    ...(places.length === 0
      ? []
      : [
          `Held: ${namesOf(rules, places)}; "retry" or "rollback" gives a place back, "skip" does not.`,
        ]),
    ...(down.length === 0 ? [] : [`Down: ${namesOf(rules, down)}; bring them back, then "retry".`]),
  ].join(' ');
}

function aborting(rules: RolloutRules, state: RolloutState): string {
  const held = indicesOf(state, (cell) => cell.state === 'held' && cell.asked === null);
  const runs = indicesOf(state, (cell) => cell.state === 'running').length;
  const left =
    held.length === 0
      ? ''
      : ` Held hosts must be retried, skipped or rolled back: ${namesOf(rules, held)}.`;
  return `Aborting: ${runs} running hosts come to their end, no new one starts.${left}${starved(rules, state, runs)}`;
}

/** Hosts that are to go back and get no place, since others are down. */
function starved(rules: RolloutRules, state: RolloutState, runs: number): string {
  const due = indicesOf(state, (cell) => cell.asked === 'rollback');
  const full = unavailableCount(state) >= rules.unavailableMax;
  if (due.length === 0 || runs > 0 || !full) return '';
  return ` ${namesOf(rules, due)} cannot be taken back while ${unavailableCount(state)} of ${rules.unavailableMax} hosts that may be unavailable are: "skip" leaves them as they are.`;
}

function waveName(rules: RolloutRules, state: RolloutState): string {
  return rules.waves[state.wave]?.name ?? '';
}

/** Up to five names, and how many more there are. */
export function namesOf(rules: RolloutRules, indices: readonly number[]): string {
  const shown = indices.slice(0, NAMES_MAX).map((index) => rules.names[index] ?? `#${index}`);
  const more = indices.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
