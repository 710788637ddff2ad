import type { Change } from '../../domain/changes.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { Kind } from '../plan/group-kinds.ts';
import type { Obstacle, PlanView, WavePreview } from '../plan/plan-view.ts';
import { columns, padEnd, wrapWords, type Style } from './style.ts';
import { duration } from './time.ts';

const WIDTH = 110;

/** The whole plan as text: kinds with their diff lines, what is in the way, the waves. */
export function renderPlan(given: PlanView, style: Style): string {
  const view = plainLines(given);
  const sections = [
    headLines(view, style),
    view.kinds.flatMap((kind, at) => kindLines(kind, view.kinds.slice(0, at), style)),
    obstacleLines(view, style),
    view.changing === 0 ? [] : waveLines(view, style),
    closingLines(view, style),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function headLines(view: PlanView, style: Style): string[] {
  const { plan } = view;
  const blocked = countHosts(view.blocked);
  const unreachable = countHosts(view.unreachable);
  const source =
    plan.capture === undefined
      ? `probed in ${duration(plan.probeMs)}, nothing was written`
      : `from the capture ${plan.capture}`;
  return [
    `${style.strong(plan.spec.name)}   ${count(plan.hosts.length, 'host')} (${plan.spec.hosts.select})   ${source}`,
    '',
    `  ${style.strong(`${view.changing} to change`)}   ${view.compliant.length} comply already   ` +
      `${paint(blocked, style.warn)} blocked   ${paint(unreachable, style.warn)} unreachable      ` +
      `${count(view.reboots, 'reboot')}, ${count(view.drains, 'drain')}`,
  ];
}

function paint(value: number, color: (text: string) => string): string {
  return value === 0 ? String(value) : color(String(value));
}

/** `3 hosts`, `1 host`. */
export function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}

function countHosts(obstacles: readonly Obstacle[]): number {
  return obstacles.reduce((sum, { hosts }) => sum + hosts.length, 0);
}

function kindLines(kind: Kind, earlier: readonly Kind[], style: Style): string[] {
  const example = kind.hosts.length === 1 ? (kind.hosts[0] ?? '') : `e.g. ${kind.hosts[0] ?? ''}`;
  const all = kind.hosts.length === 1 ? '' : `   (all: --hosts ${kind.letter})`;
  const head = `${style.strong(`KIND ${kind.letter}`)}   ${count(kind.hosts.length, 'host')}   ${kind.hardware}   ${example}${all}`;
  const twin = earlier.find((other) => sameDiff(other, kind));
  const diff =
    twin === undefined
      ? kind.changes.flatMap((change) => diffLines(change, style))
      : [`  changes as ${twin.letter}`];
  return [head, ...diff, ...kind.warnings.map((text) => `  ${style.warn('warning')}   ${text}`)];
}

function sameDiff(a: Kind, b: Kind): boolean {
  const plain = createDiff(a);
  return plain === createDiff(b);
}

function createDiff(kind: Kind): string {
  const none = (text: string): string => text;
  const style = { good: none, bad: none, warn: none, strong: none, faint: none, command: none };
  return kind.changes.flatMap((change) => diffLines(change, style)).join('\n');
}

/** What a change adds and takes away, and how. */
export function diffLines(change: Change, style: Style): string[] {
  const lines: string[] = [];
  const label = (): string => (lines.length === 0 ? 'cmdline' : '');
  const push = (sign: string, words: readonly string[], color: (text: string) => string): void => {
    for (const line of wrapWords(words, WIDTH - 14)) {
      lines.push(`  ${padEnd(label(), 9)} ${color(`${sign} ${line}`)}`);
    }
  };
  if (change.add.length > 0) push('+', change.add, style.good);
  if (change.drop.length > 0) push('-', change.drop, style.bad);
  const file = change.dropIn.before === null ? 'new file' : 'changes';
  lines.push(
    `  ${padEnd(label(), 9)} ${file} /etc/default/grub.d/zz-vfleet.cfg; booted once on trial, then made default`,
  );
  return lines;
}

function obstacleLines(view: PlanView, style: Style): string[] {
  const { maxUnavailable } = view.budget;
  const lines = [
    ...view.blocked.flatMap((one) => oneObstacle('BLOCKED', one, style)),
    ...view.unreachable.flatMap((one) => oneObstacle('UNREACHABLE', one, style)),
  ];
  const unreachable = countHosts(view.unreachable);
  if (unreachable > 0) {
    lines.push(
      `${padEnd('', 13)}unreachable hosts count as unavailable (${unreachable} of ${maxUnavailable})`,
    );
    if (unreachable >= maxUnavailable && view.changing > 0) {
      lines.push(
        `${padEnd('', 13)}${style.bad('so no host may start')}: bring them back, take them out of hosts.select, or raise limits.maxUnavailable`,
      );
    }
  }
  return lines;
}

function oneObstacle(label: string, one: Obstacle, style: Style): string[] {
  const hosts = wrapWords(one.hosts, WIDTH - 13);
  return [
    `${style.warn(padEnd(label, 11))}  ${one.hosts.length}   ${style.strong(one.code)}   ${one.sentence}`,
    ...hosts.map((line) => `${padEnd('', 13)}${line}`),
  ];
}

function waveLines(view: PlanView, style: Style): string[] {
  const { limits } = view.plan.spec;
  const { maxFailures, maxUnavailable } = view.budget;
  const strict = view.waves
    .filter((wave) => wave.maxFailures !== undefined)
    .map((wave) => `${wave.name} at the ${ordinal((wave.maxFailures ?? 0) + 1)}`);
  const own = strict.length === 0 ? '' : ` (${strict.join(', ')})`;
  return [
    `${style.strong('WAVES')}    at most ${Math.min(limits.parallel, maxUnavailable)} down at once; ` +
      `no new host starts at the ${ordinal(maxFailures + 1)} failure${own}`,
    ...columns(
      view.waves.map((wave) => [
        wave.name,
        String(wave.hosts.length),
        wave.asked + examples(wave),
        wave.bakeMs === 0 ? 'no bake' : `bake ${duration(wave.bakeMs)}`,
        wave.promote === 'manual' ? 'then a person promotes' : 'then by itself',
      ]),
      { indent: 2, right: [1] },
    ),
  ];
}

function examples(wave: WavePreview): string {
  return wave.hosts.length > 0 && wave.hosts.length <= 4 ? `: ${wave.hosts.join(' ')}` : '';
}

/** `1st`, `2nd`, `3rd`, `4th`, `11th`. */
export function ordinal(value: number): string {
  const tail = value % 100;
  const suffix = tail > 10 && tail < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th');
  return `${value}${suffix}`;
}

function closingLines(view: PlanView, style: Style): string[] {
  const { plan } = view;
  if (plan.capture !== undefined) {
    return ['A plan from a capture cannot be started; plan the hosts themselves for that.'];
  }
  if (view.changing === 0) return ['Nothing to do.'];
  const start = style.command(`vfleet start ${plan.specFile} --plan ${plan.id}`);
  return [`Plan ${style.strong(plan.id)} kept. Start exactly this:   ${start}`];
}
