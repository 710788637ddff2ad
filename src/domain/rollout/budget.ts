import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';

/** Whether a host counts as unavailable now: being worked on, or down by itself. */
export function isUnavailable(cell: HostCell): boolean {
  return cell.state === 'running' || cell.down;
}

/** How many hosts are unavailable now. */
export function unavailableCount(state: RolloutState): number {
  return count(state.cells, isUnavailable);
}

/** How many hosts are being worked on now. */
export function runningCount(state: RolloutState): number {
  return count(state.cells, (cell) => cell.state === 'running');
}

/** How many hosts have failed so far, in one wave or in all. */
export function failureCount(state: RolloutState, wave?: number): number {
  return count(state.cells, (cell) => cell.failed && (wave === undefined || cell.wave === wave));
}

/** Why no further host may start, when more hosts have failed than a budget allows; else `undefined`. */
export function budgetSpent(rules: RolloutRules, state: RolloutState): string | undefined {
  const failures = failureCount(state);
  if (failures > state.failuresMax) {
    return `${hostsHave(failures)} failed; the rollout allows ${state.failuresMax}.`;
  }
  for (let wave = 0; wave <= state.wave && wave < rules.waves.length; wave++) {
    const max = state.waveFailuresMax[wave] ?? null;
    if (max === null) continue;
    const failed = failureCount(state, wave);
    if (failed > max) {
      return `${hostsHave(failed)} failed in wave ${rules.waves[wave]?.name ?? wave}; it allows ${max}.`;
    }
  }
  return undefined;
}

/** The budgets after a person allowed `more` further failures: nothing is lowered. */
export function raisedBudget(
  state: RolloutState,
  more: number,
): Pick<RolloutState, 'failuresMax' | 'waveFailuresMax'> {
  return {
    failuresMax: Math.max(state.failuresMax, failureCount(state) + more),
    waveFailuresMax: state.waveFailuresMax.map((max, wave) =>
      max === null || wave > state.wave ? max : Math.max(max, failureCount(state, wave) + more),
    ),
  };
}

function hostsHave(number: number): string {
  return number === 1 ? '1 host has' : `${number} hosts have`;
}

function count(cells: readonly HostCell[], test: (cell: HostCell) => boolean): number {
  let found = 0;
  for (const cell of cells) if (test(cell)) found++;
  return found;
}
