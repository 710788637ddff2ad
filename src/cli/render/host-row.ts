import { HOST_STATE_TABLE } from '../../domain/host-states.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import type { Style } from './style.ts';
import { age, moment } from './time.ts';

/** A host without a run of its own in this rollout: what the rollout knows of it. */
export function renderHostRow(
  given: RolloutHostStatus,
  status: RolloutStatus,
  now: Date,
  style: Style,
): string {
  const row = plainLines(given);
  const wave = row.wave === undefined ? '' : `, wave ${status.waves[row.wave]?.name ?? ''}`;
  const since =
    row.since === undefined ? '' : ` since ${moment(row.since, now)} (${age(row.since, now)})`;
  const code = row.code === undefined ? '' : `   ${style.strong(row.code)}`;
  return [
    `${style.strong(row.name)}   ${row.state.toUpperCase()}${since}${code}      ${status.id}${wave}`,
    HOST_STATE_TABLE[row.state].meaning,
    ...(row.note === undefined ? [] : [row.note]),
  ].join('\n');
}
