import { count } from './count.ts';
import { duration } from '../../domain/duration.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { Obstacle } from '../plan/obstacles.ts';
import type { PlanView } from '../plan/plan-view.ts';
import { commandLines, sectionsText, warningLines } from './lines.ts';
import { kindsLines, notKnownLines } from './plan-kinds.ts';
import { timeLines, waveLines } from './plan-waves.ts';
import { padEnd, widthOf, wrapWords, type Style } from './style.ts';
import { localTimes } from './time.ts';

/** Column at which what is said of hosts that cannot be changed begins. */
const OBSTACLE_INDENT = 13;

export interface PlanLook {
  /** Columns of the terminal. */
  readonly width: number;
  readonly now: Date;
  /** Path of the spec's file for the command that starts the plan; absent where it is being started. */
  readonly spec?: string;
}

/** The whole plan as text: kinds with their diff lines, what is in the way, the waves and the time. */
export function renderPlan(given: PlanView, style: Style, look: PlanLook): string {
  const view = plainLines(given);
  const start = view.changing > 0;
  return sectionsText(
    [
      headLines(view, style),
      warningLines(view.warnings, style),
      [...kindsLines(given.kinds, style, look.width), ...notKnownLines(view)],
      [
        ...guestLines(view, style),
        ...compliantLines(view, style, look),
        ...obstacleLines(view, style, look),
      ],
      start ? [...waveLines(view, style, look.width), ...timeLines(view, style)] : [],
      closingLines(view, style, look),
    ],
    look.width,
  );
}

/** The names of a kind's or a wave's hosts, with the title over them; `undefined` when the plan has no such part. */
export function renderPart(view: PlanView, part: string, width: number): string | undefined {
  const kind = view.kinds.find((one) => one.letter === part.toUpperCase());
  const wave = view.waves.find((one) => one.name === part);
  const found = kind ?? wave;
  if (found === undefined) return undefined;
  const title = kind === undefined ? `WAVE ${part}` : `KIND ${kind.letter}`;
  return [`${title}   ${count(found.hosts.length, 'host')}`, ...wrapWords(found.hosts, width)].join(
    '\n',
  );
}

function headLines(view: PlanView, style: Style): string[] {
  const { plan } = view;
  const source =
    plan.capture === undefined
      ? `probed in ${duration(plan.probeMs)}, nothing was written`
      : `from the capture ${plan.capture}`;
  const disruption = `${count(view.reboots, 'reboot')}, ${count(view.drains, 'drain')}`;
  return [
    `${style.strong(plan.spec.name)}   ${count(plan.hosts.length, 'host')} (${plan.spec.hosts.select})   ${source}`,
    '',
    `  ${style.strong(`${view.changing} to change`)}   ${view.compliant.length} comply already   ` +
      `${paint(countHosts(view.blocked), style.warn)} blocked   ` +
      `${paint(countHosts(view.unreachable), style.warn)} unreachable      ${disruption}`,
  ];
}

function paint(value: number, color: (text: string) => string): string {
  return value === 0 ? String(value) : color(String(value));
}

function countHosts(obstacles: readonly Obstacle[]): number {
  return obstacles.reduce((sum, { hosts }) => sum + hosts.length, 0);
}

function guestLines({ guests }: PlanView, style: Style): string[] {
  if (guests.guests === 0) return [];
  const where = `${guests.guests} run on ${count(guests.hosts.length, 'host')} to reboot`;
  const label = padEnd(style.strong('GUESTS'), OBSTACLE_INDENT);
  if (guests.drained)
    return [`${label}${where}; the drain hook empties each host before its change`];
  return [
    `${label}${where} and the spec has no drain hook: each of these hosts will be held with`,
    `${padEnd('', OBSTACLE_INDENT)}drain.guests-running until its guests are moved: ${guests.hosts.join(' ')}`,
  ];
}

/** Sentences about hosts that comply: as many as a person reads; the rest is in the JSON. */
const COMPLIANT_LEFT_MAX = 6;

function compliantLines({ compliantLeft }: PlanView, style: Style, look: PlanLook): string[] {
  const indent = padEnd('', OBSTACLE_INDENT);
  const lines = compliantLeft
    .slice(0, COMPLIANT_LEFT_MAX)
    .flatMap(({ sentence, hosts }) => [
      `${padEnd(style.strong('LEFT ALONE'), 11)}  ${hosts.length}   ${sentence}`,
      ...wrapWords(hosts, look.width - OBSTACLE_INDENT).map((line) => indent + line),
    ]);
  const more = compliantLeft.length - COMPLIANT_LEFT_MAX;
  return more > 0
    ? [...lines, `${indent}and ${more} more that few hosts share: see --json`]
    : lines;
}

function obstacleLines(view: PlanView, style: Style, look: PlanLook): string[] {
  const { maxUnavailable } = view.budget;
  const indent = padEnd('', OBSTACLE_INDENT);
  const lines = [
    ...obstaclesOf('BLOCKED', view.blocked, style, look),
    ...obstaclesOf('UNREACHABLE', view.unreachable, style, look),
  ];
  const unreachable = countHosts(view.unreachable);
  if (unreachable > 0) {
    lines.push(`${indent}they count as unavailable (${unreachable} of ${maxUnavailable})`);
    if (unreachable >= maxUnavailable && view.changing > 0) {
      lines.push(
        `${indent}${style.bad('so no host may start')}: bring them back, take them out of hosts.select, or raise limits.maxUnavailable`,
      );
    }
  }
  return lines;
}

/** Each obstacle, and after the last one of a code where to read on about that. */
function obstaclesOf(
  label: string,
  obstacles: readonly Obstacle[],
  style: Style,
  look: PlanLook,
): string[] {
  const indent = padEnd('', OBSTACLE_INDENT);
  return obstacles.flatMap((one, at) => {
    const lines = oneObstacle(label, one, style, look);
    if (obstacles[at + 1]?.code === one.code) return lines;
    const command = style.command(`vfleet explain ${one.code}`);
    return [...lines, `${indent}causes and ways out: ${command}`];
  });
}

function oneObstacle(label: string, one: Obstacle, style: Style, look: PlanLook): string[] {
  const indent = padEnd('', OBSTACLE_INDENT);
  const sentence = localTimes(one.sentence, look.now);
  return [
    `${style.warn(padEnd(label, 11))}  ${one.hosts.length}   ${style.strong(one.code)}   ${sentence}`,
    ...wrapWords(one.hosts, look.width - OBSTACLE_INDENT).map((line) => indent + line),
  ];
}

function closingLines(view: PlanView, style: Style, look: PlanLook): string[] {
  const { plan } = view;
  if (plan.capture !== undefined) {
    return ['A plan from a capture cannot be started; plan the hosts themselves for that.'];
  }
  if (view.changing === 0) return [nothingToStart(view)];
  if (look.spec === undefined) return [];
  const words = ['vfleet', 'start', look.spec, '--plan', plan.id];
  const said = `Plan ${style.strong(plan.id)} kept. Start exactly this:`;
  const oneLine = `${said}   ${style.command(words.join(' '))}`;
  if (widthOf(oneLine) <= look.width) return [oneLine];
  return [said, ...commandLines(words, look.width - 2).map((line) => `  ${style.command(line)}`)];
}

/** Why no start is offered; that there is nothing to do is said only when every host was seen to comply. */
function nothingToStart(view: PlanView): string {
  const [blocked, unreachable] = [countHosts(view.blocked), countHosts(view.unreachable)];
  if (blocked + unreachable === 0) return 'Nothing to do.';
  const reasons = [
    ...(unreachable === 0
      ? []
      : [
          `${count(unreachable, 'host')} did not answer, so what ${unreachable === 1 ? 'it needs' : 'they need'} is not known`,
        ]),
    ...(blocked === 0 ? [] : [`${count(blocked, 'host')} ${blocked === 1 ? 'is' : 'are'} blocked`]),
  ];
  return `Nothing to start: ${reasons.join('; ')}. See to that, then plan again.`;
}
