import type { RolloutPhase } from '../status.ts';
import { failureCount, isUnavailable, unavailableCount } from './budget.ts';
import { isStuck, phaseOf } from './phase.ts';
import type { RolloutRules } from './rules.ts';
import type { RolloutState } from './state.ts';
import { indicesOf } from './state.ts';

/** Most names in one sentence. */
const NAMES_MAX = 5;

type Explain = (rules: RolloutRules, state: RolloutState) => string;

const BY_PHASE: Readonly<Record<RolloutPhase, Explain>> = {
  running,
  paused: (_, state) => paused(state),
  baking,
  'awaiting-promotion': (rules, state) =>
    `Wave ${waveName(rules, state)} is over and waits for "promote"; no host starts until then.`,
  waiting,
  aborting,
  done: () => 'Every host has come to its end.',
  aborted: () => 'Aborted; nothing re-applies what was left or taken back.',
  failed: (_, state) =>
    `The failure budget was spent (${failureCount(state)} hosts failed, ${state.failuresMax} may) and the changes were taken back.`,
};

/** One or two sentences: what the rollout waits for or why it stopped, and what happens if nobody does anything. */
export function explain(rules: RolloutRules, state: RolloutState): string {
  return BY_PHASE[phaseOf(rules, state)](rules, state);
}

function baking(rules: RolloutRules, state: RolloutState): string {
  const then =
    rules.waves[state.wave]?.promote === 'manual'
      ? 'then a person promotes it'
      : 'then it goes on by itself';
  return `Wave ${waveName(rules, state)} is watched until ${iso(state.bakeUntil)}; ${then}.`;
}

function running(rules: RolloutRules, state: RolloutState): string {
  const queued = indicesOf(state, (cell) => cell.state === 'queued' && cell.wave === state.wave);
  const full = unavailableCount(state) >= rules.unavailableMax && queued.length > 0;
  const held = indicesOf(state, (cell) => cell.state === 'held' && isUnavailable(cell));
  const slow =
    full && held.length > 0
      ? ` Held hosts (${namesOf(rules, held)}) use up availability and slow it down.`
      : '';
  return `Wave ${waveName(rules, state)} is under way; it goes on by itself.${slow}`;
}

function paused(state: RolloutState): string {
  const goesOn =
    state.paused?.by === 'budget'
      ? '"resume" with a new budget goes on, or "abort".'
      : '"resume" goes on.';
  return `${state.paused?.sentence ?? ''} No host of a wave starts until then: ${goesOn}`;
}

function waiting(rules: RolloutRules, state: RolloutState): string {
  const held = indicesOf(state, (cell) => cell.state === 'held');
  if (state.flow === 'ended') {
    return `Only held hosts are left: ${namesOf(rules, held)}. They stay held until retried, skipped or rolled back.`;
  }
  const down = indicesOf(state, isUnavailable);
  const why = isStuck(rules, state)
    ? `${unavailableCount(state)} of ${rules.unavailableMax} hosts that may be unavailable are: ${namesOf(rules, down)}.`
    : '';
  return `No host may start: ${why} Free places with retry, rollback or skip, or bring those hosts back and retry them.`;
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

function namesOf(rules: RolloutRules, indices: readonly number[]): string {
  const shown = indices.slice(0, NAMES_MAX).map((index) => rules.names[index] ?? `#${index}`);
  const more = indices.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function iso(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString();
}
