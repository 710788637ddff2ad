import type { HostReport, HostRunResult } from '../host-run.ts';
import { shortText } from '../short-text.ts';
import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';
import { withCell } from './state.ts';

type Report = Omit<HostReport, 'rollout' | 'index'>;

/** Longest note of a host, in characters: 10,000 of them travel through continue-as-new. */
const NOTE_LENGTH_MAX = 300;

/** The cell of a host after a report of its run; `at` in seconds after the rollout's start. */
export function reported(
  rules: RolloutRules,
  state: RolloutState,
  cell: HostCell,
  report: Report,
  at: number,
): HostCell {
  const final = report.state !== 'running' && report.state !== 'held';
  return withCell(cell, {
    state: report.state,
    seq: report.seq,
    since: report.state === cell.state ? cell.since : at,
    heard: at,
    down: report.unavailable,
    failed: cell.failed || isFailure(rules, state, cell, report),
    open: !final,
    asked: null,
    step: final ? undefined : report.step,
    code: report.code,
    note: leftBehind(report),
    pausedBefore: report.pausedBefore,
    ...timesOf(cell, report, at),
    ...(final ? { tell: null, told: false } : {}),
  });
}

/** A hold spends the budget, and so does a host that went back though nobody asked for that. */
function isFailure(
  rules: RolloutRules,
  state: RolloutState,
  cell: HostCell,
  report: Report,
): boolean {
  const wanted = cell.undo || rules.direction === 'rollback' || state.aborting !== null;
  return report.state === 'held' || (report.state === 'rolled-back' && !wanted);
}

/** How long it took; a host that was held waited for a person, which says nothing of the others. */
function timesOf(cell: HostCell, report: Report, at: number): Pick<HostCell, 'took' | 'reboot'> {
  const clean = report.state === 'done' && !cell.failed && cell.began !== undefined;
  return {
    ...(clean ? { took: at - cell.began } : {}),
    ...(report.rebootMs === undefined ? {} : { reboot: Math.round(report.rebootMs / 1000) }),
  };
}

/** What is still on the host though its run has ended (law 5). */
function leftBehind({ undoFailures = [] }: Report): string | undefined {
  return undoFailures.length === 0
    ? undefined
    : shortText(undoFailures.join('; '), NOTE_LENGTH_MAX);
}

/** The last report that a closed run would have made, from its result. */
export function lastReport(cell: HostCell, result: HostRunResult): Report {
  const { state, code } = result;
  return {
    run: cell.run,
    seq: cell.seq + 1,
    state,
    unavailable: state === 'unreachable' || (state === 'skipped' && cell.down),
    ...(code === undefined ? {} : { code }),
    ...(result.undoFailures.length === 0 ? {} : { undoFailures: result.undoFailures }),
  };
}
