import { wayOut } from '../host-states.ts';
import type { RolloutRules } from './rules.ts';
import { isLost } from './settle.ts';
import type { HostCell, RolloutState } from './state.ts';

/** Why one host does not take a verb now, to be read after its name; `undefined` when it does. */
export function hostRefusal(
  rules: RolloutRules,
  state: RolloutState,
  index: number,
  verb: 'retry' | 'skip' | 'rollback',
): string | undefined {
  const cell = state.cells[index];
  if (cell === undefined) return 'is not in this rollout.';
  if (cell.asked !== null) {
    // Others may be down for good, so waiting for a place always has a way out (law 7).
    if (verb === 'skip' && cell.asked !== 'skip') return undefined;
    return `is waiting for a free place to ${cell.asked}; wait for it, or "skip" gives it up.`;
  }
  if (cell.state === 'running') {
    return `is running (${cell.step ?? 'starting'}); wait until it is held or done.`;
  }
  if (verb === 'retry') return refuseRetry(state, cell);
  return verb === 'skip' ? refuseSkip(cell) : refuseRollback(rules, cell);
}

function refuseRetry(state: RolloutState, cell: HostCell): string | undefined {
  if (cell.state === 'queued') return 'has not started yet; it starts with its wave.';
  if (cell.state === 'done') return 'is done; "rollback" takes it back.';
  if (state.aborting !== null && !(cell.state === 'held' && cell.open)) {
    return `is ${cell.state} and the rollout is aborting, which starts no host.`;
  }
  return undefined;
}

function refuseSkip(cell: HostCell): string | undefined {
  if (cell.state === 'held' || cell.state === 'queued') return undefined;
  return `is ${cell.state}; ${wayOut(cell.state)}.`;
}

function refuseRollback(rules: RolloutRules, cell: HostCell): string | undefined {
  if (cell.state === 'held') {
    if (!cell.open && !isLost(cell))
      return `is held as ${cell.code ?? 'held'} without a run; "retry" or "skip" it.`;
    return rules.direction === 'rollback'
      ? 'is being rolled back already; "retry" goes on with it.'
      : undefined;
  }
  if (cell.state === 'done' || cell.state === 'skipped') return undefined;
  if (cell.state === 'queued') return 'has not started, so there is nothing to take back.';
  return `is ${cell.state}; ${wayOut(cell.state)}.`;
}
