import { ROLLOUT_PHASE_TABLE } from '../domain/rollout-phases.ts';
import type { RolloutStatus } from '../domain/status.ts';

/** What a rollout's state means for a script: exit 0 while nothing needs a person, 3 when something does. */
export function outcomeOf(status: RolloutStatus): 'done' | 'failed' | 'waiting' {
  if (!isFinal(status) && status.counts.held > 0) return 'waiting';
  return ROLLOUT_PHASE_TABLE[status.phase].outcome;
}

/** Whether nothing more happens in it. */
export function isFinal(status: Pick<RolloutStatus, 'phase'>): boolean {
  return ROLLOUT_PHASE_TABLE[status.phase].final;
}
