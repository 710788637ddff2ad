import { duration } from '../../domain/duration.ts';
import { parseRolloutId } from '../../domain/ids.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import { EXIT_CODES } from '../outcome.ts';
import { isFinal, outcomeOf } from '../rollout-outcome.ts';
import { sectionsText, warningLines, withLabel } from './lines.ts';
import { count } from './count.ts';
import { numberLines } from './status-numbers.ts';
import { columns, type Style } from './style.ts';
import { age, localTimes, moment } from './time.ts';
import { waveTable } from './waves.ts';

/** A rollout's status with what the CLI knows around it. */
export interface StatusView {
  readonly status: RolloutStatus;
  readonly now: Date;
  /** Where it was read. */
  readonly engine: string;
  /** Columns of the terminal. */
  readonly width: number;
  /** Workers that poll the task queue now; absent when the status is that of a finished rollout. */
  readonly workers?: number;
}

/** Most held hosts named before it says how many more there are. */
const HELD_MAX = 12;
/** Where the text of a section begins. */
const LABEL = 20;

/** One rollout as text, what needs a person first. */
export function renderStatus(given: StatusView, style: Style): string {
  const view = plainLines(given);
  const { status, now, width } = view;
  const name = shortName(status);
  const sections = [
    headLines(view, style),
    warningLines(status.warnings ?? [], style),
    heldLines(status, name, now, style),
    nothingLines(status, now),
    waveTable(status, now, name, style, width),
    numberLines(view),
    trailLines(status, now),
    verbLines(status, name, style),
    [style.faint(exitLine(status))],
  ];
  return sectionsText(sections, width);
}

/** How commands name this rollout: the newest of a spec needs no number, but a number is never wrong. */
export function shortName(status: RolloutStatus): string {
  return parseRolloutId(status.id)?.name ?? status.id;
}

function headLines(view: StatusView, style: Style): string[] {
  const { status, now } = view;
  const { team, contact, ticket } = status.owner;
  const known = [
    ...(status.planId === undefined ? [] : [`plan ${status.planId}`]),
    ...(ticket === undefined ? [] : [ticket]),
    `started ${moment(status.startedAt, now)} by ${status.startedBy}`,
  ];
  const workers = view.workers === undefined ? '' : `: ${count(view.workers, 'worker')} alive`;
  const owner =
    team === undefined ? '' : `owner ${team}${contact === undefined ? '' : ` (${contact})`}      `;
  return [
    `${style.strong(status.id)}   ${phaseText(status, style)}     ${known.join(', ')}    now ${moment(now.toISOString(), now)}`,
    style.faint(`${owner}engine ${view.engine}${workers}`),
  ];
}

/** `RUNNING, 2 hosts held`, coloured by whether a person is needed. */
export function phaseText(status: RolloutStatus, style: Style): string {
  const direction = status.direction === 'rollback' ? 'ROLLBACK ' : '';
  const phase = `${direction}${status.phase.replaceAll('-', ' ').toUpperCase()}`;
  const held = status.counts.held === 0 ? '' : `, ${count(status.counts.held, 'host')} held`;
  const outcome = outcomeOf(status);
  const color = outcome === 'failed' ? style.bad : outcome === 'waiting' ? style.warn : style.good;
  return color(`${phase}${held}`);
}

function heldLines(status: RolloutStatus, name: string, now: Date, style: Style): string[] {
  const held = status.hosts.filter((host) => host.state === 'held');
  if (held.length === 0) return [];
  const goesOn = status.phase === 'running' || status.phase === 'baking';
  const shown = held.slice(0, HELD_MAX);
  const more = held.length - shown.length;
  return [
    `${style.warn(`HELD ${held.length}`)}     ${goesOn ? 'only these hosts wait; the rollout goes on' : 'these hosts wait for a person'}`,
    ...columns(
      shown.map((host) => [
        host.name,
        heldFor(host, now),
        style.warn(host.code ?? ''),
        noteOf(host, now),
      ]),
      { indent: 2 },
    ),
    ...(more > 0 ? [`  and ${more} more: vfleet status ${name} --json`] : []),
    `  Why, and the ways out:   ${style.command(`vfleet host ${name} ${held[0]?.name ?? ''}`)}`,
  ];
}

function heldFor(host: RolloutHostStatus, now: Date): string {
  const since = host.since === undefined ? '' : age(host.since, now);
  return `${since} at ${host.step ?? 'the start'}`.trim();
}

function noteOf(host: RolloutHostStatus, now: Date): string {
  return host.note === undefined ? '' : localTimes(host.note, now);
}

/** What it waits for, or why it stopped; and what becomes of it when nobody comes. */
function nothingLines(status: RolloutStatus, now: Date): string[] {
  const explanation = localTimes(status.explanation, now);
  if (isFinal(status)) return [withLabel('ENDED', explanation)];
  const held = countOf(status.counts.held, 'held host', 'stays held', 'stay held');
  if (!['paused', 'awaiting-promotion', 'waiting'].includes(status.phase)) {
    return [withLabel('IF YOU DO NOTHING', `${explanation}${held}`, LABEL)];
  }
  const stopped = status.hosts.filter((host) => host.pausedBefore !== undefined).length;
  const running = status.counts.running - stopped;
  const stays = [
    `It stays ${status.phase.replaceAll('-', ' ')}. No further host starts.`,
    runningOn(status, running),
    countOf(stopped, 'stopped host', 'stays stopped', 'stay stopped'),
    held,
  ];
  return [
    withLabel('WHY IT WAITS', explanation, LABEL),
    withLabel('IF YOU DO NOTHING', stays.join(''), LABEL),
  ];
}

/** What becomes of the hosts that run: a `pause --now` stops those that still have something disruptive before them. */
function runningOn({ phase, audit }: RolloutStatus, running: number): string {
  const last = audit.findLast(({ verb }) => verb === 'pause' || verb === 'resume');
  const told = phase === 'paused' && last?.verb === 'pause' && last.hosts > 0;
  return told
    ? countOf(
        running,
        'running host',
        'stops before its next disruptive step, or comes to its end',
        'stop before their next disruptive step, or come to their end',
      )
    : countOf(running, 'running host', 'comes to its end', 'come to their end');
}

/** ` 2 held hosts stay held.`; nothing of no hosts. */
function countOf(hosts: number, noun: string, one: string, many: string): string {
  return hosts === 0 ? '' : ` ${count(hosts, noun)} ${hosts === 1 ? one : many}.`;
}

function trailLines(status: RolloutStatus, now: Date): string[] {
  return status.audit.slice(-3).map((entry, at) => {
    const hosts = entry.hosts === 0 ? '' : ` ${count(entry.hosts, 'host')}`;
    const reason = entry.reason === undefined ? '' : `: ${entry.reason}`;
    return withLabel(
      at === 0 ? 'TRAIL' : '',
      `${moment(entry.at, now)} ${entry.verb}${hosts} by ${entry.who}${reason}`,
      13,
    );
  });
}

function verbLines(status: RolloutStatus, name: string, style: Style): string[] {
  if (status.verbs.length === 0) {
    return status.phase === 'done' && status.counts.done > 0 && status.direction === 'forward'
      ? [`TAKE IT BACK    ${style.command(`vfleet rollback ${status.id} --all`)}`]
      : [];
  }
  const held = status.counts.held > 0;
  const words = status.verbs.map((verb) =>
    held && (verb === 'retry' || verb === 'skip' || verb === 'rollback') ? `${verb} --held` : verb,
  );
  return [`ALL VERBS NOW    ${words.join('   ')}      (vfleet VERB ${name} ...)`];
}

function exitLine(status: RolloutStatus): string {
  const outcome = outcomeOf(status);
  const phase = status.phase.replaceAll('-', ' ');
  const why = !isFinal(status) && status.counts.held > 0 ? `${phase}, something held` : phase;
  return `EXIT ${EXIT_CODES[outcome]} (${why})`;
}

/** `12s` since it started; for a live head line. */
export function runningFor(status: RolloutStatus, now: Date): string {
  return duration(now.getTime() - Date.parse(status.startedAt));
}
