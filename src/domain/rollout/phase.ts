import { runningCount } from './budget.ts';
import { decide } from './decide.ts';
import type { RolloutPhase, WaveStatus } from '../status.ts';
import type { RolloutRules } from './rules.ts';
import type { RolloutState } from './state.ts';

/** The rollout's phase as people see it. */
export function phaseOf(rules: RolloutRules, state: RolloutState): RolloutPhase {
  if (state.end !== null) return state.end;
  if (state.aborting !== null) return 'aborting';
  return state.paused === null ? flowPhase(rules, state) : 'paused';
}

function flowPhase(rules: RolloutRules, state: RolloutState): RolloutPhase {
  switch (state.flow) {
    case 'baking':
    case 'awaiting-promotion':
      return state.flow;
    case 'ended':
      return runningCount(state) > 0 ? 'running' : 'waiting';
    case 'wave':
      return isStuck(rules, state) ? 'waiting' : 'running';
  }
}

/** Hosts wait for a place, none runs that could give one back, and none may start. */
function isStuck(rules: RolloutRules, state: RolloutState): boolean {
  if (runningCount(state) > 0) return false;
  const decision = decide(rules, state, state.startedAt);
  return decision.start.length === 0 && decision.send === null;
}

/** Where one wave stands. */
export function wavePhase(state: RolloutState, wave: number): WaveStatus['phase'] {
  if (wave < state.wave) return 'ended';
  if (wave > state.wave) return 'pending';
  switch (state.flow) {
    case 'wave':
      return state.cells.some((cell) => cell.wave === wave && cell.run > 0) ? 'running' : 'pending';
    case 'baking':
    case 'awaiting-promotion':
    case 'ended':
      return state.flow;
  }
}
