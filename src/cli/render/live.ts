import type { RolloutStatus } from '../../domain/status.ts';
import { phaseText, runningFor, shortName } from './status.ts';
import { columns, widthOf, type Style } from './style.ts';
import { age } from './time.ts';
import { waveTable } from './waves.ts';

/** What a live view shows beside the status itself. */
export interface LiveView {
  readonly status: RolloutStatus;
  readonly now: Date;
  /** Lines of what happened, oldest first; the newest that fit are shown. */
  readonly events: readonly string[];
  /** The terminal now. */
  readonly width: number;
  readonly rows: number;
}

/** A rollout in a terminal, redrawn in place: at most `rows` lines, none wider than `width`. */
export function renderLive(view: LiveView, style: Style): string {
  const { status, now, rows } = view;
  const { failures, failuresMax, unavailable, unavailableMax } = status.budget;
  const top = [
    `${style.strong(status.id)}   ${phaseText(status, style)}   ${runningFor(status, now)}   ${style.faint(`failures ${failures} of ${failuresMax}, unavailable ${unavailable} of ${unavailableMax}`)}`,
    style.faint(status.explanation),
    '',
    ...waveTable(status, now, shortName(status), style),
    '',
  ];
  const left = Math.max(0, rows - 1 - top.length);
  const hosts = hostLines(view, style).slice(0, Math.ceil(left / 2));
  const gap = hosts.length === 0 ? [] : [''];
  const room = left - hosts.length - gap.length;
  const events = room <= 0 ? [] : view.events.slice(-room);
  return [...top, ...hosts, ...gap, ...events].map((line) => cut(line, view.width)).join('\n');
}

/** Held hosts first, then the running ones with their steps, in columns. */
function hostLines(view: LiveView, style: Style): string[] {
  const { status, now } = view;
  const held = status.hosts.filter((host) => host.state === 'held');
  const running = status.hosts.filter((host) => host.state === 'running');
  return columns(
    [
      ...held.map((host) => [
        style.warn(host.name),
        style.warn('held'),
        host.step ?? '',
        host.code ?? '',
      ]),
      ...running.map((host) => [
        host.name,
        'running',
        host.step ?? '',
        host.since === undefined ? '' : age(host.since, now),
      ]),
    ],
    { indent: 2 },
  );
}

/** Cuts a line that would wrap: a wrapped line breaks the redraw in place. Colour codes take no room. */
function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  // eslint-disable-next-line no-control-regex -- the escape sequences that picocolors writes
  const plain = line.replaceAll(/\u001b\[\d+m/g, '');
  let kept = '';
  for (const character of plain) {
    if (widthOf(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
