import { duration } from '../../domain/duration.ts';
import type { PlanView, WavePreview } from '../plan/plan-view.ts';
import { columns, padEnd, widthOf, wrapWords, type Style } from './style.ts';

/** Column at which what is said of waves and time begins. */
const INDENT = 9;
/** Most hosts of a wave that are all named. */
const NAMED_MAX = 4;

/** The waves with their hosts, and the limits that hold for all. */
export function waveLines(view: PlanView, style: Style, width: number): string[] {
  const { limits } = view.plan.spec;
  const { maxFailures, maxUnavailable } = view.budget;
  const strict = view.waves
    .filter((wave) => wave.maxFailures !== undefined)
    .map((wave) => `${wave.name} at the ${ordinal((wave.maxFailures ?? 0) + 1)}`);
  const own = strict.length === 0 ? '' : ` (${strict.join(', ')})`;
  return [
    `${padEnd(style.strong('WAVES'), INDENT)}at most ${Math.min(limits.parallel, maxUnavailable)}${view.reboots > 0 ? ' down' : ''} at once; ` +
      `no new host starts at the ${ordinal(maxFailures + 1)} failure${own}`,
    ...waveTable(view.waves, width),
  ];
}

/** One line a wave; where that is too wide, the hosts stand below it. */
function waveTable(waves: readonly WavePreview[], width: number): string[] {
  const row = (wave: WavePreview, named: boolean): string[] => [
    wave.name,
    String(wave.hosts.length),
    wave.asked + (named && wave.hosts.length > 0 ? `: ${namesOf(wave)}` : ''),
    wave.bakeMs === 0 ? 'no bake' : `bake ${duration(wave.bakeMs)}`,
    wave.promote === 'manual' ? 'then a person promotes' : 'then by itself',
  ];
  const options = { indent: 2, right: [1] };
  const wide = columns(
    waves.map((wave) => row(wave, true)),
    options,
  );
  if (wide.every((line) => widthOf(line) <= width)) return wide;
  const narrow = columns(
    waves.map((wave) => row(wave, false)),
    options,
  );
  const indent = padEnd('', INDENT);
  return waves.flatMap((wave, at) => [
    narrow[at] ?? '',
    ...wrapWords(namesOf(wave).split(' '), width - INDENT).map((line) => indent + line),
  ]);
}

/** `hv-001 hv-041`, or `hv-005 ... hv-060` of many. */
function namesOf({ hosts }: WavePreview): string {
  if (hosts.length <= NAMED_MAX) return hosts.join(' ');
  return `${hosts[0] ?? ''} ... ${hosts.at(-1) ?? ''}`;
}

/** How long it takes, what that is made of, and what is not in it. */
export function timeLines({ estimate }: PlanView, style: Style): string[] {
  const label = padEnd(style.strong('TIME'), INDENT);
  if (estimate === undefined) return [`${label}not known: no host may start`];
  const { hostTime, places, bakesMs, totalMs, promotedByPerson } = estimate;
  const bakes = bakesMs === 0 ? '' : `, with ${duration(bakesMs)} of bakes`;
  const people =
    promotedByPerson.length === 0
      ? ''
      : ` Not in it: until a person promotes ${promotedByPerson.join(' and ')}.`;
  return [
    `${label}about ${rough(totalMs)} at ${rough(hostTime.ms)} a host, ${places} at a time${bakes}.${people}`,
    `${padEnd('', INDENT)}A host's time is ${hostTime.from}. Holds and retries come on top.`,
  ];
}

/** A duration as exact as an estimate is: to the minute below two hours, then to ten minutes, from ten hours on to the hour. */
function rough(ms: number): string {
  const minute = 60_000;
  if (ms < minute) return duration(ms);
  const unit = ms < 120 * minute ? minute : ms < 600 * minute ? 10 * minute : 60 * minute;
  return duration(Math.ceil(ms / unit) * unit);
}

/** `1st`, `2nd`, `3rd`, `4th`, `11th`. */
function ordinal(value: number): string {
  const tail = value % 100;
  const suffix = tail > 10 && tail < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th');
  return `${value}${suffix}`;
}
