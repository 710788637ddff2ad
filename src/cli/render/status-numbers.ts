import { duration } from '../../domain/duration.ts';
import { STEPS, type Step } from '../../domain/host-run.ts';
import type { RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import { isFinal } from '../rollout-outcome.ts';
import { withLabel } from './lines.ts';
import { count } from './count.ts';
import type { StatusView } from './status.ts';
import { localTimes, moment } from './time.ts';

/** Most names in one list. */
const NAMED_MAX = 12;
const LABEL = 13;

/** What runs, what is stopped, the budgets, the estimate, and the hosts that ended in another way than done, and what is left there. */
export function numberLines(view: StatusView): string[] {
  const { status } = view;
  return [
    ...runningLines(view),
    ...stoppedLines(status),
    ...budgetLines(status),
    ...estimateLines(view),
    ...(['skipped', 'rolled-back', 'blocked', 'unreachable'] as const).flatMap((state) =>
      namesOf(status, state),
    ),
    ...leftThere(view),
  ];
}

/** Most hosts whose sentence about what is left there is shown. */
const LEFT_MAX = 4;

/** What could not be taken back or given up on hosts whose run has ended (law 5). */
function leftThere({ status, now }: StatusView): string[] {
  const left = status.hosts.flatMap(({ name, state, note }) =>
    note === undefined || state === 'held' || state === 'running' ? [] : [`${name}: ${note}`],
  );
  const more = left.length - LEFT_MAX;
  const rest = more > 0 ? [withLabel('', `and on ${count(more, 'more host')}`, LABEL)] : [];
  return [
    ...left
      .slice(0, LEFT_MAX)
      .map((text, at) => withLabel(at === 0 ? 'LEFT THERE' : '', localTimes(text, now), LABEL)),
    ...rest,
  ];
}

/**
 * A host tells its rollout of few steps only, since each report has its price: the others show within them. One that
 * changes no device never tells of `vfs`.
 */
const STAGES: readonly (readonly [string, Step])[] = [
  ['inspect to drain', 'inspect'],
  ['cmdline or modules', 'cmdline'],
  ['reboot or wait', 'reboot'],
  ['iommu to undrain', 'iommu'],
  ['vfs to undrain', 'vfs'],
];

function runningLines({ status }: StatusView): string[] {
  const running = status.hosts.filter(isUnderWay);
  if (running.length === 0) return [];
  const stages = STAGES.map(([words, from], at) => {
    const to = STAGES[at + 1]?.[1];
    const hosts = running.filter((host) => isWithin(host.step ?? 'inspect', from, to)).length;
    return { words, hosts };
  }).filter(({ hosts }) => hosts > 0);
  const parts = stages.map(({ words, hosts }) => `${hosts} ${words}`);
  const lines = [withLabel(`RUNNING ${running.length}`, parts.join('   '), LABEL)];
  const changed = running.filter((host) => isWithin(host.step ?? 'inspect', 'cmdline', 'iommu'));
  if (changed.length === 0 || status.direction === 'rollback') return lines;
  const have =
    changed.length === 1
      ? '1 has or gets a kernel line or modules not proven yet; a line is on trial, a crash returns to the old one'
      : `${changed.length} have or get a kernel line or modules not proven yet; lines are on trial, a crash returns to the old one`;
  return [...lines, withLabel('', have, LABEL)];
}

/** Running, and not stopped by `pause --now`. */
function isUnderWay(host: RolloutHostStatus): boolean {
  return host.state === 'running' && host.pausedBefore === undefined;
}

function isWithin(step: Step, from: Step, to: Step | undefined): boolean {
  const at = STEPS.indexOf(step);
  return at >= STEPS.indexOf(from) && (to === undefined || at < STEPS.indexOf(to));
}

/** Hosts that `pause --now` has stopped, by the step they stand before. */
function stoppedLines(status: RolloutStatus): string[] {
  const stopped = status.hosts.filter((host) => host.pausedBefore !== undefined);
  if (stopped.length === 0) return [];
  const parts = STEPS.flatMap((step) => {
    const names = stopped.filter((host) => host.pausedBefore === step).map((host) => host.name);
    return names.length === 0 ? [] : [`before ${step}: ${named(names)}`];
  });
  return [withLabel(`STOPPED ${stopped.length}`, `${parts.join('; ')} ("resume" goes on)`, LABEL)];
}

function budgetLines(status: RolloutStatus): string[] {
  const { failures, failuresMax, unavailable, unavailableMax } = status.budget;
  const spent = failures > failuresMax ? ', SPENT' : '';
  const lines = [
    withLabel(
      'BUDGET',
      `failures ${failures} of ${failuresMax}${spent}       unavailable ${unavailable} of ${unavailableMax}${unavailableWhy(status)}`,
      LABEL,
    ),
  ];
  const isOpen = status.phase === 'running' || status.phase === 'waiting';
  if (!isOpen || unavailable < unavailableMax || status.counts.held === 0) return lines;
  const full =
    'full: held hosts slow the rollout; retry or rollback gives their places back, skip does not while they are down or drained';
  return [...lines, withLabel('', full, LABEL)];
}

/** Who takes the places: the running hosts, those that did not answer, and what is held or skipped while down or drained. */
function unavailableWhy({ budget, counts, hosts }: RolloutStatus): string {
  const unreachable = hosts.filter((host) => host.state === 'unreachable').length;
  const rest = budget.unavailable - counts.running - unreachable;
  const parts = [
    ...(counts.running > 0 ? [`${counts.running} running`] : []),
    ...(rest > 0 ? [`${rest} ${counts.skipped === 0 ? 'held' : 'held or skipped'}`] : []),
    ...(unreachable > 0 ? [`${unreachable} unreachable`] : []),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function estimateLines({ status, now }: StatusView): string[] {
  if (isFinal(status) || status.estimate === undefined) return [];
  const { endsAt, hostMs, samples } = status.estimate;
  const text = `about ${moment(endsAt, now)}: ${count(samples, 'host')} took ${duration(hostMs)} (median); without waiting for people`;
  return [withLabel('ETA', text, LABEL)];
}

function namesOf(status: RolloutStatus, state: RolloutHostStatus['state']): string[] {
  const hosts = status.hosts.filter((host) => host.state === state);
  if (hosts.length === 0) return [];
  const groups = [...new Set(hosts.map((host) => host.code))].map((code) => {
    const names = hosts.filter((host) => host.code === code).map((host) => host.name);
    return `${code === undefined ? '' : `${code}: `}${named(names)}`;
  });
  const back =
    state === 'unreachable' && !isFinal(status) ? ' (bring them back, then "retry")' : '';
  return [withLabel(state.toUpperCase(), `${groups.join('; ')}${back}`, LABEL)];
}

function named(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  return names.slice(0, NAMED_MAX).join(' ') + (more > 0 ? ` and ${more} more` : '');
}
