import { STEPS } from '../../domain/host-run.ts';
import { parseRolloutId } from '../../domain/ids.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import { EXIT_CODES } from '../outcome.ts';
import { isFinal, outcomeOf } from '../rollout-outcome.ts';
import { count } from './plan.ts';
import { columns, labelled, padEnd, wrapWords, type Style } from './style.ts';
import { age, duration, moment } from './time.ts';
import { waveTable } from './waves.ts';

/** A rollout's status with what the CLI knows around it. */
export interface StatusView {
  readonly status: RolloutStatus;
  readonly now: Date;
  /** Where it was read. */
  readonly engine: string;
  /** Workers that poll the task queue now; absent when the status is that of a finished rollout. */
  readonly workers?: number;
}

/** Most hosts named in a list before it says how many more there are. */
const NAMED_MAX = 12;

/** One rollout as text, what needs a person first. */
export function renderStatus(given: StatusView, style: Style): string {
  const view = plainLines(given);
  const { status, now } = view;
  const name = shortName(status);
  const sections = [
    headLines(view, style),
    heldLines(status, name, now, style),
    labelled(
      isFinal(status) ? 'ENDED' : 'IF YOU DO NOTHING',
      status.explanation,
      isFinal(status) ? 9 : 20,
    ),
    waveTable(status, now, name, style),
    numberLines(status),
    trailLines(status, now),
    verbLines(status, name, style),
    [style.faint(exitLine(status))],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
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
  const owner = team === undefined ? '' : `owner ${team}${contact ? ` (${contact})` : ''}      `;
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
  const others = status.counts.running + status.counts.queued > 0;
  const shown = held.slice(0, NAMED_MAX);
  const more = held.length - shown.length;
  return [
    `${style.warn(padEnd(`HELD ${held.length}`, 9))}  ${others ? 'only these hosts wait; the others go on' : 'the rollout waits for these hosts'}`,
    ...columns(
      shown.map((host) => [host.name, heldFor(host, now), style.warn(host.code ?? '')]),
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

function numberLines(status: RolloutStatus): string[] {
  const lines: string[] = [];
  const running = status.hosts.filter((host) => host.state === 'running');
  if (running.length > 0) {
    const steps = STEPS.map(
      (step) => [step, running.filter((host) => host.step === step).length] as const,
    ).filter(([, hosts]) => hosts > 0);
    const parts = steps.map(([step, hosts]) => `${hosts} ${step}`);
    lines.push(`${padEnd(`RUNNING ${running.length}`, 12)} ${parts.join('   ')}`.trimEnd());
  }
  const { failures, failuresMax, unavailable, unavailableMax } = status.budget;
  lines.push(
    `${padEnd('BUDGET', 12)} failures ${failures} of ${failuresMax}       unavailable ${unavailable} of ${unavailableMax}`,
  );
  if (!isFinal(status) && unavailable >= unavailableMax && status.counts.held > 0) {
    lines.push(
      `${padEnd('', 12)} full: held hosts slow the rollout; free their places with retry, rollback or skip`,
    );
  }
  for (const state of ['skipped', 'rolled-back', 'blocked', 'unreachable'] as const) {
    lines.push(...namesOf(status, state));
  }
  return lines;
}

function namesOf(status: RolloutStatus, state: RolloutHostStatus['state']): string[] {
  const hosts = status.hosts.filter((host) => host.state === state);
  if (hosts.length === 0) return [];
  const named = hosts
    .slice(0, NAMED_MAX)
    .map((host) => (host.code === undefined ? host.name : `${host.name} (${host.code})`));
  if (hosts.length > NAMED_MAX) named.push(`and ${hosts.length - NAMED_MAX} more`);
  return wrapWords(named, 96).map(
    (line, at) => `${padEnd(at === 0 ? state.toUpperCase() : '', 12)} ${line}`,
  );
}

function trailLines(status: RolloutStatus, now: Date): string[] {
  return status.audit.slice(-3).map((entry, at) => {
    const hosts = entry.hosts === 0 ? '' : ` ${count(entry.hosts, 'host')}`;
    const reason = entry.reason === undefined ? '' : `: ${entry.reason}`;
    return `${padEnd(at === 0 ? 'TRAIL' : '', 12)} ${moment(entry.at, now)} ${entry.verb}${hosts} by ${entry.who}${reason}`;
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
  const why = isFinal(status)
    ? status.phase
    : outcome === 'waiting'
      ? 'needs a person'
      : 'under way';
  return `EXIT ${EXIT_CODES[outcome]} (${why})`;
}

/** `12s` since it started; for a live head line. */
export function runningFor(status: RolloutStatus, now: Date): string {
  return duration(now.getTime() - Date.parse(status.startedAt));
}
