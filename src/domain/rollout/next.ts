import type { HostReport } from '../host-run.ts';
import { applyVerb } from './apply-verb.ts';
import type { DescribedHost, FanOutOutcome, RolloutEvent, StartOutcome } from './events.ts';
import { lastReport, reported } from './reported.ts';
import type { RolloutRules } from './rules.ts';
import { settle } from './settle.ts';
import type { HostCell, RolloutState } from './state.ts';
import { withCell, withCells } from './state.ts';

/** The one door of a rollout's state: what it is after an event, settled as far as it goes by itself. */
export function next(rules: RolloutRules, state: RolloutState, event: RolloutEvent): RolloutState {
  return settle(rules, apply(rules, state, event), event.now);
}

function apply(rules: RolloutRules, state: RolloutState, event: RolloutEvent): RolloutState {
  const at = Math.floor((event.now - state.startedAt) / 1000);
  switch (event.kind) {
    case 'tick':
      return state;
    case 'starting':
      return withCells(state, event.indices, (cell) => started(cell, at));
    case 'start-answered':
      return withCells(state, event.outcomes.map(indexOf), (cell, index) =>
        startAnswered(
          cell,
          event.outcomes.find((outcome) => outcome.index === index),
          at,
        ),
      );
    case 'sending':
      return withCells(state, event.indices, (cell) =>
        withCell(cell, { state: 'running', asked: null, heard: at, since: at, ...UNTOLD }),
      );
    case 'told':
      return withCells(state, event.indices, (cell) =>
        withCell(cell, {
          // Another verb may have come while this one was on its way.
          tell: cell.tell === event.verb ? null : cell.tell,
          told: event.verb === 'pause',
          heard: at,
        }),
      );
    case 'send-answered':
      return withCells(state, event.outcomes.map(indexOf), (cell, index) =>
        sendAnswered(
          cell,
          event.outcomes.find((outcome) => outcome.index === index),
          at,
        ),
      );
    case 'report':
      return withCells(state, [event.report.index], (cell) =>
        isNews(cell, event.report) ? reported(rules, state, cell, event.report, at) : undefined,
      );
    case 'described':
      return withCells(state, event.hosts.map(indexOf), (cell, index) =>
        described(
          rules,
          state,
          cell,
          event.hosts.find((host) => host.index === index),
          at,
        ),
      );
    case 'verb':
      return applyVerb(state, event, at);
  }
}

/** A run that a person asked for after a `pause --now` is not stopped by it. */
const UNTOLD = { tell: null, told: false, pausedBefore: undefined, note: undefined } as const;

function indexOf(item: { readonly index: number }): number {
  return item.index;
}

function started(cell: HostCell, at: number): HostCell {
  return withCell(cell, {
    state: 'running',
    run: cell.run + 1,
    seq: 0,
    since: at,
    heard: at,
    open: true,
    asked: null,
    began: at,
    took: undefined,
    reboot: undefined,
    step: undefined,
    code: undefined,
    ...UNTOLD,
  });
}

/** A host whose run could not be started is held without a run: nothing was written there. */
function startAnswered(
  cell: HostCell,
  outcome: StartOutcome | undefined,
  at: number,
): HostCell | undefined {
  if (outcome === undefined || cell.state !== 'running' || cell.seq > 0) return undefined;
  if (outcome.outcome === 'started' || outcome.outcome === 'ours') return undefined;
  return withCell(cell, {
    state: 'held',
    since: at,
    heard: at,
    failed: true,
    open: false,
    code: outcome.outcome === 'busy' ? 'host.busy' : 'run.start-failed',
    note: outcome.detail,
  });
}

/** A verb that the host's run refused puts the host back into its hold, with the reason. */
function sendAnswered(
  cell: HostCell,
  outcome: FanOutOutcome | undefined,
  at: number,
): HostCell | undefined {
  // A cell without a code has reported since: the report is newer than the refusal.
  if (outcome?.refused === undefined || cell.state !== 'running' || cell.code === undefined) {
    return undefined;
  }
  return withCell(cell, { state: 'held', since: at, heard: at, note: outcome.refused });
}

function isNews(cell: HostCell, report: HostReport): boolean {
  return report.run === cell.run && report.seq > cell.seq;
}

/** Settles what a silent host is. Closed without a report: its result counts; unknown to the engine: lost. */
function described(
  rules: RolloutRules,
  state: RolloutState,
  cell: HostCell,
  host: DescribedHost | undefined,
  at: number,
): HostCell | undefined {
  if (host === undefined || cell.state !== 'running') return undefined;
  if (host.status === 'running') {
    const report = host.report;
    return report?.run === cell.run && report.seq >= cell.seq
      ? reported(rules, state, cell, report, at)
      : withCell(cell, { heard: at });
  }
  return host.status === 'closed' && host.result !== undefined
    ? reported(rules, state, cell, lastReport(cell, host.result), at)
    : lost(cell, at);
}

/** Nobody knows what the host is like now, so it counts as unavailable (law 8). */
function lost(cell: HostCell, at: number): HostCell {
  return withCell(cell, {
    state: 'held',
    since: at,
    heard: at,
    down: true,
    failed: true,
    open: false,
    code: 'run.lost',
    ...UNTOLD,
  });
}
