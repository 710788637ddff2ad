import type { RolloutStatus } from '../../domain/status.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { ListedRollout } from '../rollouts.ts';
import { phaseText, shortName } from './status.ts';
import { columns, type Style } from './style.ts';
import { age, localTimes, moment } from './time.ts';

/** A rollout in the list; `problem` says why its status could not be read. */
export interface ListRow {
  readonly rollout: ListedRollout;
  readonly status?: RolloutStatus;
  readonly problem?: string;
}

/** Rollouts as a table, or one sentence when there are none. */
export function renderList(
  given: readonly ListRow[],
  options: { readonly now: Date; readonly attention: boolean; readonly style: Style },
): string {
  const { now, attention, style } = options;
  const rows = plainLines(given);
  if (rows.length > 0 && attention) return attentionText(rows, now, style);
  if (rows.length === 0) {
    return attention
      ? `Nothing waits for a person.   ${style.command('vfleet list')} shows every rollout, ${style.command('vfleet --help')} what you can do.`
      : `No rollout yet.   Start one:   ${style.command('vfleet start SPEC')}`;
  }
  return columns([
    ['ROLLOUT', 'STATE', 'DONE', 'STARTED', 'BY'].map((title) => style.strong(title)),
    ...rows.map(({ rollout, status, problem }) => [
      rollout.id,
      status === undefined ? style.warn(problem ?? rollout.engineStatus) : phaseText(status, style),
      status === undefined ? '' : doneOf(status),
      moment(rollout.startedAt.toISOString(), now),
      status?.startedBy ?? '',
    ]),
  ]).join('\n');
}

/** What needs a person, each rollout with why and the next command. */
function attentionText(rows: readonly ListRow[], now: Date, style: Style): string {
  const needs = rows.length === 1 ? '1 rollout needs' : `${rows.length} rollouts need`;
  return [
    style.strong(`${needs} a person`),
    ...rows.map(({ rollout, status, problem }) =>
      [
        `${style.strong(rollout.id)}   ${status === undefined ? style.warn('NOBODY ANSWERS FOR IT') : `${phaseText(status, style)}   ${doneOf(status)} done`}`,
        `  ${localTimes(status?.explanation ?? problem ?? rollout.engineStatus, now)}`,
        ...(status === undefined ? [] : heldLines(status, now, style)),
        ...nextCommands(status, rollout.id).map((line) => `  next   ${style.command(line)}`),
      ].join('\n'),
    ),
  ].join('\n\n');
}

/** Most held hosts named of one rollout. */
const NAMED_MAX = 8;

function heldLines(status: RolloutStatus, now: Date, style: Style): string[] {
  const held = status.hosts.filter((host) => host.state === 'held');
  const more = held.length - NAMED_MAX;
  return [
    ...columns(
      held
        .slice(0, NAMED_MAX)
        .map((host) => [
          host.name,
          host.since === undefined ? '' : age(host.since, now),
          host.step === undefined ? '' : `at ${host.step}`,
          style.warn(host.code ?? ''),
        ]),
      { indent: 4 },
    ),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
}

/** What to type: where a decision needs a look first, the look. */
function nextCommands(status: RolloutStatus | undefined, id: string): string[] {
  if (status === undefined) return ['vfleet worker, on a machine that reaches the hosts'];
  const name = shortName(status);
  const held = status.hosts.find((host) => host.state === 'held');
  const look = held === undefined ? [] : [`vfleet host ${name} ${held.name}`];
  if (status.phase === 'awaiting-promotion') return [...look, `vfleet promote ${name}`];
  if (status.phase !== 'paused') return look.length > 0 ? look : [`vfleet status ${id}`];
  const budget = status.pausedBy === 'budget' ? ' --new-budget N' : '';
  return [...look, `vfleet resume ${name}${budget}`];
}

function doneOf(status: RolloutStatus): string {
  const all = status.waves.reduce((sum, wave) => sum + wave.hosts, 0);
  const state = status.direction === 'rollback' ? 'rolled-back' : 'done';
  return `${status.counts[state]} of ${all}`;
}
