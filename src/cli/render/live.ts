import { stripVTControlCharacters } from 'node:util';
import type { RolloutStatus } from '../../domain/status.ts';
import { plainLines } from '../../domain/plain-line.ts';
import { isFinal } from '../rollout-outcome.ts';
import { phaseText, runningFor, shortName } from './status.ts';
import { columns, widthOf, wrapWords, type Style } from './style.ts';
import { age, clock, localTimes, moment } from './time.ts';
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
  /** Nobody answers: why, and the time of the last answer. What is shown is as old as that. */
  readonly silence?: { readonly why: string; readonly since: Date };
}

/** A rollout in a terminal, redrawn in place: at most `rows - 1` lines, none wider than `width`. */
export function renderLive(given: LiveView, style: Style): string {
  // Events carry our own colours; whoever made them has made them plain.
  const view = { ...plainLines({ ...given, events: [] }), events: given.events };
  const { status, now, rows, width } = view;
  const top = [
    `${style.strong(status.id)}   ${phaseText(status, style)}   ${runningFor(status, now)}`,
    ...silenceLines(view, style),
    ...(status.warnings ?? []).flatMap((warning) =>
      wrapWords(`WARNING ${warning}`.split(' '), width).map(style.warn),
    ),
    progressLine(status, now, width),
    ...wrapWords(localTimes(status.explanation, now).split(' '), width).map(style.faint),
    '',
    ...waveTable(status, now, shortName(status), style),
    '',
  ];
  const left = Math.max(0, rows - 1 - top.length);
  const hosts = hostLines(view, style).slice(0, Math.ceil(left / 2));
  const gap = hosts.length === 0 ? [] : [''];
  const room = left - hosts.length - gap.length;
  const events = room <= 0 ? [] : view.events.slice(-room);
  return [...top, ...hosts, ...gap, ...events]
    .slice(0, Math.max(1, rows - 1))
    .map((line) => cut(line, width))
    .join('\n');
}

function silenceLines({ silence, now, width }: LiveView, style: Style): string[] {
  if (silence === undefined) return [];
  const text = `NO ANSWER since ${clock(silence.since)} (${age(silence.since.toISOString(), now)}): ${silence.why} This view goes on by itself.`;
  return wrapWords(text.split(' '), width).map(style.warn);
}

/** `[=====.....] 5 of 10   failures 0 of 2   unavailable 1 of 4   ETA about 04:10`. */
function progressLine(status: RolloutStatus, now: Date, width: number): string {
  const { failures, failuresMax, unavailable, unavailableMax } = status.budget;
  const all = status.waves.reduce((sum, wave) => sum + wave.hosts, 0);
  const open = status.waves.reduce(
    (sum, { counts }) => sum + (counts.queued ?? 0) + (counts.running ?? 0) + (counts.held ?? 0),
    0,
  );
  const ended = all - open;
  const cells = width < 80 ? 10 : 24;
  const full = all === 0 ? cells : Math.floor((ended / all) * cells);
  const eta =
    status.estimate === undefined || isFinal(status)
      ? ''
      : `   ETA about ${moment(status.estimate.endsAt, now)}`;
  return (
    `[${'='.repeat(full)}${'.'.repeat(cells - full)}] ${ended} of ${all}${eta}` +
    `   failures ${failures} of ${failuresMax}   unavailable ${unavailable} of ${unavailableMax}`
  );
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
        host.pausedBefore === undefined ? 'running' : 'stopped',
        host.pausedBefore === undefined ? (host.step ?? '') : `before ${host.pausedBefore}`,
        host.since === undefined ? '' : age(host.since, now),
      ]),
    ],
    { indent: 2 },
  );
}

/** Cuts a line that would wrap: a wrapped line breaks the redraw in place. Colour codes take no room. */
function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  const plain = stripVTControlCharacters(line);
  let kept = '';
  for (const character of plain) {
    if (widthOf(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
