import { HOST_STATE_TABLE } from '../../domain/host-states.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import type { HostLook } from '../look-at-host.ts';
import { stateExitLines } from './host-exits.ts';
import { lookText } from './host-now.ts';
import { sectionsText, warningLines, withLabel } from './lines.ts';
import { shortName } from './status.ts';
import type { Style } from './style.ts';
import { age, localTimes, moment } from './time.ts';

/** What is known of a host without a run of its own in this rollout. */
export interface HostRowView {
  readonly row: RolloutHostStatus;
  readonly rollout: RolloutStatus;
  readonly now: Date;
  /** Columns of the terminal. */
  readonly width: number;
  readonly look?: HostLook;
}

/** A host of which only the rollout knows: its state, how it is now, and the verbs that lead out. */
export function renderHostRow(given: HostRowView, style: Style): string {
  const { row, rollout, now, width, look } = plainLines(given);
  const name = shortName(rollout);
  const wave = row.wave === undefined ? '' : `, wave ${rollout.waves[row.wave]?.name ?? ''}`;
  const since =
    row.since === undefined ? '' : ` since ${moment(row.since, now)} (${age(row.since, now)})`;
  const code = row.code === undefined ? '' : `   ${style.strong(row.code)}`;
  const more = moreCommands(row, name).map((command) => style.command(command));
  return sectionsText(
    [
      [
        `${style.strong(row.name)}   ${row.state.toUpperCase()}${since}${code}      ${rollout.id}${wave}`,
        HOST_STATE_TABLE[row.state].meaning,
        ...(row.note === undefined ? [] : [localTimes(row.note, now)]),
      ],
      warningLines(rollout.warnings ?? [], style),
      look === undefined ? [] : [withLabel('NOW', lookText(look, undefined, style))],
      stateExitLines(row, name, style),
      [withLabel('MORE', more.join('     '))],
    ],
    width,
  );
}

function moreCommands({ name, state, code }: RolloutHostStatus, rollout: string): string[] {
  return [
    ...(code === undefined ? [] : [`vfleet explain ${code}`]),
    ...(state === 'blocked' ? [`vfleet diagnose ${name} -i INVENTORY`] : []),
    `vfleet status ${rollout}`,
  ];
}
