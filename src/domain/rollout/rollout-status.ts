import { compact } from '../compact.ts';
import { HOST_STATES } from '../host-run.ts';
import type { HostState } from '../host-run.ts';
import type { RolloutHostStatus, RolloutInput, RolloutStatus, WaveStatus } from '../status.ts';
import { targetWarnings } from '../target-warnings.ts';
import { failureCount, unavailableCount } from './budget.ts';
import { estimateEnd } from './estimate.ts';
import { explain } from './explain.ts';
import { phaseOf, wavePhase } from './phase.ts';
import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';
import { verbsNow } from './verbs.ts';
import { NO_WAVE } from './waves.ts';

/** The whole rollout for people and programs: the answer of its query, and its result when it has ended. */
export function rolloutStatus(
  input: RolloutInput,
  rules: RolloutRules,
  state: RolloutState,
): RolloutStatus {
  return {
    id: input.id,
    direction: input.direction,
    phase: phaseOf(rules, state),
    explanation: explain(rules, state),
    ...(state.paused === null ? {} : { pausedBy: state.paused.by }),
    owner: input.spec.owner,
    ...warningsPart(input),
    ...(input.planId === undefined ? {} : { planId: input.planId }),
    startedBy: input.who,
    startedAt: new Date(state.startedAt).toISOString(),
    waves: rules.waves.map((_, wave) => waveStatus(rules, state, wave)),
    counts: countStates(state.cells),
    budget: {
      failures: failureCount(state),
      failuresMax: state.failuresMax,
      unavailable: unavailableCount(state),
      unavailableMax: rules.unavailableMax,
    },
    hosts: hostsInOrder(input, state),
    ...estimatePart(rules, state),
    verbs: verbsNow(rules, state),
    audit: state.audit,
  };
}

/** A rollout that takes changes back does nothing of what its target asks. */
function warningsPart({ direction, spec }: RolloutInput): Pick<RolloutStatus, 'warnings'> {
  const warnings = direction === 'forward' ? targetWarnings(spec.target) : [];
  return warnings.length === 0 ? {} : { warnings };
}

function estimatePart(rules: RolloutRules, state: RolloutState): Pick<RolloutStatus, 'estimate'> {
  const estimate = estimateEnd(rules, state);
  return estimate === undefined ? {} : { estimate };
}

function waveStatus(rules: RolloutRules, state: RolloutState, wave: number): WaveStatus {
  const cells = state.cells.filter((cell) => cell.wave === wave);
  const counts = Object.fromEntries(
    Object.entries(countStates(cells)).filter(([, count]) => count > 0),
  );
  const baking = state.flow === 'baking' && state.wave === wave && state.bakeUntil !== null;
  return {
    name: rules.waves[wave]?.name ?? '',
    hosts: cells.length,
    counts,
    phase: wavePhase(state, wave),
    ...(baking ? { bakeUntil: new Date(state.bakeUntil).toISOString() } : {}),
    promote: rules.waves[wave]?.promote ?? 'auto',
  };
}

function countStates(cells: readonly HostCell[]): Record<HostState, number> {
  const counts = Object.fromEntries(HOST_STATES.map((state) => [state, 0])) as Record<
    HostState,
    number
  >;
  for (const cell of cells) counts[cell.state] += 1;
  return counts;
}

function hostsInOrder(input: RolloutInput, state: RolloutState): readonly RolloutHostStatus[] {
  const order = (cell: HostCell) => (cell.wave === NO_WAVE ? Infinity : cell.wave);
  return state.cells
    .map((cell, index) => ({ cell, index }))
    .sort((a, b) => order(a.cell) - order(b.cell) || a.index - b.index)
    .map(({ cell, index }) => hostStatus(input, state, cell, index));
}

function hostStatus(
  input: RolloutInput,
  state: RolloutState,
  cell: HostCell,
  index: number,
): RolloutHostStatus {
  const host = input.hosts[index];
  const { code, note, step, pausedBefore, took, reboot } = cell;
  return {
    name: host?.connection.name ?? '',
    state: cell.state,
    kind: host?.kind ?? '',
    since: new Date(state.startedAt + cell.since * 1000).toISOString(),
    ...compact({
      wave: cell.wave === NO_WAVE ? undefined : cell.wave,
      code,
      note,
      step,
      pausedBefore,
      tookMs: milliseconds(took),
      rebootMs: milliseconds(reboot),
    }),
  };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
