import type { HostState } from '../../domain/host-run.ts';
import type { RolloutStatus, WaveStatus } from '../../domain/status.ts';
import { columns, type Style } from './style.ts';
import { moment } from './time.ts';

/** States that have a column, when any wave has a host in them. */
const COLUMNS: readonly (readonly [HostState, string, 'always' | 'if-any'])[] = [
  ['done', 'done', 'always'],
  ['running', 'running', 'always'],
  ['held', 'held', 'always'],
  ['queued', 'queued', 'always'],
  ['skipped', 'skipped', 'if-any'],
  ['rolled-back', 'rolled back', 'if-any'],
  ['compliant', 'found right', 'if-any'],
  ['blocked', 'blocked', 'if-any'],
  ['unreachable', 'unreachable', 'if-any'],
];

/** The waves in a table, with the sum of all hosts as its last row. */
export function waveTable(status: RolloutStatus, now: Date, name: string, style: Style): string[] {
  const { waves } = status;
  if (waves.length === 0) return [];
  const inWaves = (state: HostState): number =>
    waves.reduce((sum, wave) => sum + (wave.counts[state] ?? 0), 0);
  const shown = COLUMNS.filter(([state, , when]) => when === 'always' || inWaves(state) > 0);
  const rows = waves.map((wave) => [
    `  ${wave.name}`,
    String(wave.hosts),
    ...shown.map(([state]) => dash(wave.counts[state] ?? 0)),
    waveNote(wave, now, name),
  ]);
  const hosts = waves.reduce((sum, wave) => sum + wave.hosts, 0);
  const lines = columns(
    [
      ['WAVE', 'hosts', ...shown.map(([, title]) => title), ''],
      ...rows,
      [
        '  all',
        String(hosts),
        ...shown.map(([state]) => dash(inWaves(state))),
        outside(status, hosts),
      ],
    ],
    { right: [...shown.keys(), shown.length].map((at) => at + 1) },
  );
  return lines.map((line, at) => (at === 0 ? style.strong(line) : line));
}

function dash(value: number): string {
  return value === 0 ? '-' : String(value);
}

function waveNote(wave: WaveStatus, now: Date, name: string): string {
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
      return wave.promote === 'manual' ? 'promoted by a person' : 'ended';
  }
}

/** The hosts that are in no wave: `+ 9 comply, 3 blocked, 2 unreachable = 400`. */
function outside(status: RolloutStatus, inWaves: number): string {
  const words: readonly (readonly [HostState, string])[] = [
    ['compliant', 'comply'],
    ['blocked', 'blocked'],
    ['unreachable', 'unreachable'],
  ];
  const without = status.hosts.filter((host) => host.wave === undefined);
  const parts = words
    .map(([state, word]) => [without.filter((host) => host.state === state).length, word] as const)
    .filter(([hosts]) => hosts > 0)
    .map(([hosts, word]) => `${hosts} ${word}`);
  if (parts.length === 0) return '';
  return `+ ${parts.join(', ')} = ${inWaves + without.length}`;
}
