import { duration } from '../../domain/duration.ts';
import type { HostConnection } from '../../domain/host-entry.ts';
import { STEP_OF_CHANGE, STEPS, type Step } from '../../domain/host-run.ts';
import { HOST_STATE_TABLE } from '../../domain/host-states.ts';
import { isAway } from '../../domain/holds.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { HostStatus, RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import { changeWarnings } from '../../domain/target-warnings.ts';
import { UNDO_PATH } from '../../facts/probe.ts';
import type { HostLook } from '../look-at-host.ts';
import { compareLines } from './host-compare.ts';
import { diskLines } from './host-disk.ts';
import { holdExitLines, stateExitLines } from './host-exits.ts';
import { guestsLine, nowLines } from './host-now.ts';
import { commandLines, sectionsText, warningLines, withLabel } from './lines.ts';
import { sshWords } from './ssh-command.ts';
import type { Style } from './style.ts';
import { age, localTimes, moment } from './time.ts';

/** A host's status with what is known around it. */
export interface HostView {
  readonly status: HostStatus;
  /** How the rollout is named in commands. */
  readonly rolloutName: string;
  readonly now: Date;
  /** Columns of the terminal. */
  readonly width: number;
  /** The rollout and what it says of this host: budgets, and the others of its kind. */
  readonly rollout?: RolloutStatus;
  readonly row?: RolloutHostStatus;
  readonly connection?: HostConnection;
  /** How it is right now. */
  readonly look?: HostLook;
}

/** One host of a rollout as text: what is, what was changed, and every way out. */
export function renderHost(given: HostView, style: Style): string {
  const view = plainLines(given);
  const { status, width } = view;
  const sections = [
    headLines(view, style),
    warningLines(warningsOf(view), style),
    // The changes as they are: in a plain text files have no lines any more.
    [...nowLines(view, style), guestsLine(view), ...diskLines(given.status, given.look, style)],
    [...stepLines(view, style), ...seenLines(status), ...leftLines(status), ...compareLines(view)],
    status.hold === undefined
      ? stateExitLines(status, view.rolloutName, style)
      : holdExitLines(status.hold.exits, view, width, style),
    [...nothingLines(view), ...byHandLines(view), ...moreLines(view, style)],
  ];
  return sectionsText(sections, width);
}

function headLines({ status, row, rollout, now }: HostView, style: Style): string[] {
  const wave = row?.wave === undefined ? undefined : rollout?.waves[row.wave]?.name;
  const place = [
    status.rollout,
    ...(wave === undefined ? [] : [`wave ${wave}`]),
    ...(row === undefined || row.kind === '' ? [] : [`kind ${row.kind}`]),
  ].join(', ');
  const { hold } = status;
  return [
    `${style.strong(status.name)}   ${stateText(status, now, style)}      ${place}`,
    ...(hold === undefined ? [] : [localTimes(hold.sentence, now)]),
  ];
}

function stateText(status: HostStatus, now: Date, style: Style): string {
  const { hold } = status;
  if (hold !== undefined) {
    const since = `HELD at ${hold.step} since ${moment(hold.since, now)} (${age(hold.since, now)})`;
    return `${style.warn(since)}   ${style.strong(hold.code)}`;
  }
  const stopped =
    status.pausedBefore === undefined ? '' : `, stopped before ${status.pausedBefore}`;
  const at = status.state === 'running' ? ` (${status.step}${stopped})` : '';
  return `${status.state.toUpperCase()}${at}   ${HOST_STATE_TABLE[status.state].meaning}`;
}

/** Of the rollout, and of what was planned for this host. */
function warningsOf({ status, rollout }: HostView): readonly string[] {
  const { changes, undo } = status.run;
  const ofHost = changeWarnings([...changes, ...undo.map(({ change }) => change)]);
  return [...new Set([...(rollout?.warnings ?? []), ...ofHost])];
}

/** The steps in the order in which they were begun: a retry begins one again, and a rollback has its own order. */
function stepLines(view: HostView, style: Style): string[] {
  const { status, now } = view;
  const begun = stepsBegun(status);
  const parts = begun.map(([step, at], index) => {
    const until = begun[index + 1]?.[1];
    if (until !== undefined) return `${step} ${duration(until - at)}`;
    if (status.state === 'held') return style.warn(`${step.toUpperCase()} HELD`);
    const since = duration(now.getTime() - at);
    return status.state === 'running' ? `${step.toUpperCase()} ${since}` : step;
  });
  const isOpen = status.state === 'held' || status.state === 'running';
  const left = status.run.undoing ? 0 : STEPS.length - 1 - STEPS.indexOf(status.step);
  const toGo = isOpen && left > 0 ? [`(${left} to go)`] : [];
  const label = status.run.undoing ? 'UNDO' : 'STEPS';
  return [withLabel(label, [...parts, ...toGo].join('  '))];
}

function stepsBegun({ run, step, stepsAt }: HostStatus): readonly (readonly [Step, number])[] {
  const order = run.undoing ? UNDO_ORDER : STEPS;
  const all = order.flatMap((one) => {
    const at = stepsAt[one];
    return at === undefined ? [] : [[one, Date.parse(at)] as const];
  });
  // A rollback enters each of its steps, from the first one on, and so begins them again.
  const turned = run.undoing ? Date.parse(stepsAt[UNDO_ORDER[0] ?? step] ?? '') : NaN;
  const mine = Number.isNaN(turned)
    ? all.filter(([one]) => STEPS.indexOf(one) <= STEPS.indexOf(step))
    : all.filter(([, at]) => at >= turned);
  return mine.toSorted(([, a], [, b]) => a - b);
}

/** The steps that change something, last first; then those that bring the host back. */
const UNDO_ORDER: readonly Step[] = [
  ...STEPS.filter(isChangeStep).toReversed(),
  ...STEPS.filter((step) => !isChangeStep(step)),
];

function isChangeStep(step: Step): boolean {
  const steps: readonly Step[] = Object.values(STEP_OF_CHANGE);
  return steps.includes(step);
}

function seenLines(status: HostStatus): string[] {
  const evidence = status.hold?.evidence ?? status.run.evidence[status.step] ?? {};
  return Object.entries(evidence).map(([name, value], at) =>
    withLabel(at === 0 ? 'SEEN' : '', `${name}: ${value}`),
  );
}

/** What could not be taken back or given up (law 5). */
function leftLines({ undoFailures }: HostStatus): string[] {
  return undoFailures.map((failure, at) => withLabel(at === 0 ? 'LEFT' : '', failure));
}

function nothingLines(view: HostView): string[] {
  const { hold, run } = view.status;
  if (hold === undefined) return [];
  const parts = [
    `it stays held${run.drained ? ' and drained' : ''}`,
    costsText(view),
    ...(run.leaseId === null ? [] : ['its lease and its line in the message of the day stay']),
    ...(isAway(hold.code) ? ['nobody looks at it again before a retry'] : []),
  ];
  return [withLabel('IF YOU DO NOTHING', parts.join('; '), 20)];
}

function costsText({ status, rollout }: HostView): string {
  const isDown = status.run.lastReport?.unavailable === true;
  if (rollout === undefined) return `costs a failure${isDown ? ' and a place' : ''}`;
  const { unavailable, unavailableMax, failures, failuresMax } = rollout.budget;
  return [
    ...(isDown ? [`1 of ${unavailableMax} unavailable (${unavailable} are)`] : []),
    `1 of ${failuresMax} failures (${failures} so far)`,
  ].reduce((text, cost, at) => `${text}${at === 0 ? '' : ' and '}${cost}`, 'costs ');
}

function byHandLines({ status, connection, width }: HostView): string[] {
  if (connection === undefined) return [];
  const undo =
    status.run.undo.length === 0 ? [] : [`undo without vfleet, on the host: sudo sh ${UNDO_PATH}`];
  const ssh = commandLines(sshWords(connection), width - 10);
  return [...ssh, ...undo].map((line, at) => withLabel(at === 0 ? 'BY HAND' : '', line));
}

function moreLines({ status, rolloutName }: HostView, style: Style): string[] {
  const code = status.hold?.code ?? status.run.reason?.code;
  const isHere = code !== undefined && !isAway(code) && !code.startsWith('ssh.');
  const commands = [
    ...(code === undefined ? [] : [`vfleet explain ${code}`]),
    ...(isHere && status.hold !== undefined ? [`vfleet diagnose ${status.name} -i INVENTORY`] : []),
    `vfleet status ${rolloutName}`,
  ];
  return [withLabel('MORE', commands.map((command) => style.command(command)).join('     '))];
}
