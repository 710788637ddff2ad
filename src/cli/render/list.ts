import type { RolloutStatus } from '../../domain/status.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { ListedRollout } from '../rollouts.ts';
import { phaseText } from './status.ts';
import { columns, type Style } from './style.ts';
import { moment } from './time.ts';

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

function doneOf(status: RolloutStatus): string {
  const all = status.waves.reduce((sum, wave) => sum + wave.hosts, 0);
  const state = status.direction === 'rollback' ? 'rolled-back' : 'done';
  return `${status.counts[state]} of ${all}`;
}
