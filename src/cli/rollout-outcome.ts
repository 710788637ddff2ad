import type { RolloutPhase, RolloutStatus } from '../domain/status.ts';

/** What each phase means by itself; a held host makes an open one wait as well. */
const PHASE_OUTCOME: Readonly<Record<RolloutPhase, 'done' | 'failed' | 'waiting'>> = {
  running: 'done',
  baking: 'done',
  aborting: 'done',
  paused: 'waiting',
  'awaiting-promotion': 'waiting',
  waiting: 'waiting',
  done: 'done',
  aborted: 'failed',
  failed: 'failed',
};

/** What a rollout's state means for a script: exit 0 while nothing needs a person, 3 when something does. */
export function outcomeOf(status: RolloutStatus): 'done' | 'failed' | 'waiting' {
  if (!isFinal(status) && status.counts.held > 0) return 'waiting';
  return PHASE_OUTCOME[status.phase];
}

/** Whether nothing more happens in it. */
export function isFinal(status: RolloutStatus): boolean {
  return status.phase === 'done' || status.phase === 'aborted' || status.phase === 'failed';
}
