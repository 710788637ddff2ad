import { HOST_STATES, type HostState } from '../../domain/host-run.ts';
import type { AuditEntry, RolloutStatus, WaveStatus } from '../../domain/status.ts';
import { isFinal } from '../rollout-outcome.ts';
import { columns, padEnd, widthOf, type Style } from './style.ts';
import { moment } from './time.ts';

/** What stands in a row of the table, before it is known how wide the terminal is. */
interface Row {
  readonly name: string;
  readonly hosts: number;
  readonly counts: Readonly<Partial<Record<HostState, number>>>;
  readonly note: string;
}

/**
 * The waves in a table, with the sum of all hosts as its last row. On a narrow terminal the notes stand below the rows,
 * and on a very narrow one each row is a list of counts.
 */
export function waveTable(
  status: RolloutStatus,
  now: Date,
  name: string,
  style: Style,
  width = Infinity,
): string[] {
  if (status.waves.length === 0) return [];
  const promotions = promotionsOf(status);
  const waves = status.waves.map((wave, at): Row => {
    const isLast = at === status.waves.length - 1 || isFinal(status);
    const phase = isFinal(status) && wave.phase === 'running' ? 'ended' : wave.phase;
    const context = { now, name, isLast, promotion: promotions.get(at) };
    return { ...wave, note: noteOf({ ...wave, phase }, context) };
  });
  const rows = [...waves, sumOf(status)];
  const states = statesShown(status);
  const cells = [
    ['WAVE', 'hosts', ...states.map((state) => state.replace('-', ' '))],
    ...rows.map((row) => [
      `  ${row.name}`,
      ...[row.hosts, ...states.map((state) => row.counts[state] ?? 0)].map(dash),
    ]),
  ];
  const lines = columns(cells, { right: [...states.keys(), states.length].map((at) => at + 1) });
  const widest = Math.max(...lines.map(widthOf));
  if (widest > width) return rows.flatMap((row) => listed(row, states, style));
  const wide = Math.max(...lines.map((_, at) => widest + 2 + widthOf(noteAt(rows, at))));
  return lines.flatMap((line, at) => {
    const note = noteAt(rows, at);
    if (at === 0) return [style.strong(line)];
    if (note === '') return [line];
    return wide <= width ? [`${padEnd(line, widest)}  ${note}`] : [line, `    ${note}`];
  });
}

/** The note of a line of the table, whose first line is its head. */
function noteAt(rows: readonly Row[], line: number): string {
  return rows[line - 1]?.note ?? '';
}

function listed(row: Row, states: readonly HostState[], style: Style): string[] {
  const parts = states
    .filter((state) => (row.counts[state] ?? 0) > 0)
    .map((state) => `${row.counts[state] ?? 0} ${state.replace('-', ' ')}`);
  return [
    `${style.strong(row.name)}: ${row.hosts} hosts${parts.length === 0 ? '' : `, ${parts.join(', ')}`}`,
    ...(row.note === '' ? [] : [`    ${row.note}`]),
  ];
}

/** The usual states, and any other in which a host of a wave is. */
function statesShown({ waves, direction }: RolloutStatus): readonly HostState[] {
  const usual: readonly HostState[] = [
    direction === 'forward' ? 'done' : 'rolled-back',
    'running',
    'held',
    'queued',
  ];
  const others = HOST_STATES.filter((state) => !usual.includes(state));
  return [
    ...usual,
    ...others.filter((state) => waves.some((wave) => (wave.counts[state] ?? 0) > 0)),
  ];
}

function dash(value: number): string {
  return value === 0 ? '-' : String(value);
}

/** Who promoted which wave. The trail does not name the wave, so only a trail that fits the waves is used. */
function promotionsOf({ waves, audit }: RolloutStatus): ReadonlyMap<number, AuditEntry> {
  const asked = waves.flatMap((wave, at) => {
    const isPast = wave.phase === 'ended' && at < waves.length - 1;
    return isPast && wave.promote === 'manual' && wave.hosts > 0 ? [at] : [];
  });
  const given = audit.filter((entry) => entry.verb === 'promote');
  if (given.length !== asked.length) return new Map();
  return new Map(asked.flatMap((at, index) => (given[index] ? [[at, given[index]]] : [])));
}

interface NoteContext {
  readonly now: Date;
  readonly name: string;
  readonly isLast: boolean;
  readonly promotion: AuditEntry | undefined;
}

function noteOf(wave: WaveStatus, context: NoteContext): string {
  const { now, name } = context;
  switch (wave.phase) {
    case 'pending':
      return '';
    case 'running':
      return 'under way';
    case 'baking':
      return wave.bakeUntil === undefined ? 'bakes' : `bakes until ${moment(wave.bakeUntil, now)}`;
    case 'awaiting-promotion':
      return `waits for a person: vfleet promote ${name}`;
    case 'ended':
      return endedNote(wave, context);
  }
}

/** A wave ends when none of its hosts is queued or running: those that are held still wait. */
function endedNote(wave: WaveStatus, { now, isLast, promotion }: NoteContext): string {
  const held = wave.counts.held ?? 0;
  const over = held === 0 ? 'over' : `over but for ${held} held`;
  if (isLast) return over;
  if (wave.promote === 'auto') return `${over}, promoted by itself`;
  const who = promotion?.who ?? 'a person';
  return `${over}, promoted ${promotion === undefined ? '' : `${moment(promotion.at, now)} `}by ${who}`;
}

/** All waves together, and the hosts that are in none: `+ 9 comply, 3 blocked, 2 unreachable = 400`. */
function sumOf({ waves, hosts }: RolloutStatus): Row {
  const inWaves = waves.reduce((sum, wave) => sum + wave.hosts, 0);
  const counts = Object.fromEntries(
    HOST_STATES.map((state) => [
      state,
      waves.reduce((sum, wave) => sum + (wave.counts[state] ?? 0), 0),
    ]),
  );
  const without = hosts.filter((host) => host.wave === undefined);
  const parts = (['compliant', 'blocked', 'unreachable', 'skipped'] as const)
    .map((state) => [without.filter((host) => host.state === state).length, state] as const)
    .filter(([number]) => number > 0)
    .map(([number, state]) => `${number} ${state}`);
  const note = parts.length === 0 ? '' : `+ ${parts.join(', ')} = ${inWaves + without.length}`;
  return { name: 'all', hosts: inWaves, counts, note };
}
