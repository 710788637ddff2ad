import type { Hold, HostExit, Step } from '../../domain/host-run.ts';
import { STEPS } from '../../domain/host-run.ts';
import { HOST_STATE_TABLE } from '../../domain/host-states.ts';
import type { HostConnection } from '../../domain/host-entry.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { HostStatus } from '../../domain/status.ts';
import { diffLines } from './plan.ts';
import { columns, labelled, padEnd, type Style } from './style.ts';
import { age, duration, moment } from './time.ts';

/** A host's status with what the rollout knows of it. */
export interface HostView {
  readonly status: HostStatus;
  /** How the rollout is named in commands. */
  readonly rolloutName: string;
  readonly connection?: HostConnection;
  readonly wave?: string;
  readonly kind?: string;
  readonly now: Date;
}

const LABEL = 10;

/** One host of a rollout as text: what is, what was changed, and every way out. */
export function renderHost(given: HostView, style: Style): string {
  const view = plainLines(given);
  const { status } = view;
  const sections = [
    headLines(view, style),
    [...nowLines(view), ...changedLines(status, style)],
    [...stepLines(view, style), ...seenLines(status)],
    exitLines(view, style),
    [...nothingLines(status), ...byHandLines(view)],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function headLines(view: HostView, style: Style): string[] {
  const { status, now } = view;
  const place = [
    status.rollout,
    ...(view.wave === undefined ? [] : [`wave ${view.wave}`]),
    ...(view.kind === undefined || view.kind === '' ? [] : [`kind ${view.kind}`]),
  ].join(', ');
  const { hold } = status;
  const lines = [
    `${style.strong(status.name)}   ${stateText(status, hold, now, style)}      ${place}`,
  ];
  if (hold !== undefined) lines.push(...labelled('', hold.sentence, 0));
  return lines;
}

function stateText(status: HostStatus, hold: Hold | undefined, now: Date, style: Style): string {
  if (hold !== undefined) {
    const since = `HELD at ${hold.step} since ${moment(hold.since, now)} (${age(hold.since, now)})`;
    return `${style.warn(since)}   ${style.strong(hold.code)}`;
  }
  const at = status.state === 'running' ? ` (${status.step})` : '';
  return `${status.state.toUpperCase()}${at}   ${HOST_STATE_TABLE[status.state].meaning}`;
}

function nowLines(view: HostView): string[] {
  const { run } = view.status;
  const parts = [
    run.drained ? 'drained' : 'not drained',
    run.leaseId === null ? 'not reserved for this rollout' : 'reserved for this rollout',
    ...(run.bootIdBefore === null
      ? []
      : [`boot id before the reboot ${run.bootIdBefore.slice(0, 8)}`]),
  ];
  return [padEnd('NOW', LABEL) + parts.join('; ')];
}

function changedLines(status: HostStatus, style: Style): string[] {
  const { undo } = status.run;
  if (undo.length === 0) return [`${padEnd('CHANGED', LABEL)}nothing`];
  const lines = undo.flatMap(({ change }) => diffLines(change, style));
  return [
    ...lines.map((line, at) => padEnd(at === 0 ? 'CHANGED' : '', LABEL) + line.trimStart()),
    `${padEnd('MEANS', LABEL)}${DEFAULT_LINE[defaultLine(status)]}`,
  ];
}

const DEFAULT_LINE = {
  old: 'the DEFAULT IS STILL THE OLD kernel line: a power cycle boots that one',
  unproven: 'the NEW kernel line IS THE DEFAULT and not proven yet: a power cycle boots that one',
  proven: 'the new kernel line is proven and is the default',
  unknown: 'the new kernel line MAY BE THE DEFAULT already: see grub.cfg before a power cycle',
  undoing: 'the changes are being taken back: see grub.cfg before a power cycle',
} as const;

/** Which line a power cycle boots, from what the steps saw; a default that was being written is not known. */
function defaultLine({ run, step }: HostStatus): keyof typeof DEFAULT_LINE {
  if (run.undoing) return 'undoing';
  const { cmdline = {}, iommu = {} } = run.evidence;
  if ('default' in iommu || STEPS.indexOf(step) > STEPS.indexOf('iommu')) return 'proven';
  const trial = !('default' in cmdline) || cmdline['default'] === 'unchanged';
  if (!trial) return 'unproven';
  const writing = step === 'cmdline' ? 'default' in cmdline : 'units' in iommu;
  return writing ? 'unknown' : 'old';
}

function stepLines(view: HostView, style: Style): string[] {
  const { status, now } = view;
  const parts = STEPS.map((step, at) => stepText(status, step, at, now, style)).filter(
    (part) => part !== '',
  );
  const left = STEPS.length - 1 - STEPS.indexOf(status.step);
  const open = status.state === 'held' || status.state === 'running';
  return [
    `${padEnd('STEPS', LABEL)}${parts.join('  ')}${open && left > 0 ? `  (${left} to go)` : ''}`,
  ];
}

/** `drain 6m`: how long a step took, which is until the next one began. */
function stepText(status: HostStatus, step: Step, at: number, now: Date, style: Style): string {
  const began = status.stepsAt[step];
  if (began === undefined) return '';
  if (step === status.step && status.state === 'held') {
    return style.warn(`${step.toUpperCase()} HELD`);
  }
  const next = STEPS.slice(at + 1).find((later) => status.stepsAt[later] !== undefined);
  const until = next === undefined ? undefined : status.stepsAt[next];
  if (until === undefined) {
    return status.state === 'running' ? `${step.toUpperCase()} ${age(began, now)}` : step;
  }
  return `${step} ${duration(Date.parse(until) - Date.parse(began))}`;
}

function seenLines(status: HostStatus): string[] {
  const evidence = status.hold?.evidence ?? status.run.evidence[status.step] ?? {};
  return Object.entries(evidence).flatMap(([name, value], at) =>
    labelled(at === 0 ? 'SEEN' : '', `${name}: ${value}`, LABEL),
  );
}

function exitLines(view: HostView, style: Style): string[] {
  const exits = view.status.hold?.exits ?? [];
  if (exits.length === 0) return [];
  const rows = exits.map((exit, at) => [
    `${at + 1}${exit.recommended ? ' *' : ''}`,
    style.command(exitCommand(exit, view)),
    exit.effect,
    exit.reboots,
  ]);
  return [
    ...columns([['', style.strong('WHAT YOU CAN DO'), '', 'reboots'], ...rows], { indent: 2 }),
    '  *  recommended. Each prints what it will do and asks; --reason TEXT is kept.',
  ];
}

/** The very command that takes an exit. */
export function exitCommand(
  exit: HostExit,
  view: Pick<HostView, 'rolloutName'> & { readonly status: Pick<HostStatus, 'name'> },
): string {
  return `vfleet ${exit.verb} ${view.rolloutName} ${view.status.name}`;
}

function nothingLines(status: HostStatus): string[] {
  if (status.hold === undefined) return [];
  const drained = status.run.drained ? ' and drained' : '';
  return [
    `IF YOU DO NOTHING   it stays held${drained}; it counts as failed${status.run.lastReport?.unavailable === true ? ' and unavailable' : ''}, the other hosts go on`,
  ];
}

function byHandLines(view: HostView): string[] {
  if (view.connection === undefined) return [];
  const changed = view.status.run.undo.length > 0;
  return [
    `${padEnd('BY HAND', LABEL)}${sshCommand(view.connection)}${changed ? '     undo without vfleet: docs/operations.md, "By hand"' : ''}`,
  ];
}

/** The ssh command that reaches a host as vfleet does. */
export function sshCommand(connection: HostConnection): string {
  const { address, port, user, jump, identityFile, knownHostsFile } = connection;
  return [
    'ssh',
    ...(jump === undefined ? [] : ['-J', `${jump.user}@${jump.address}:${jump.port}`]),
    ...(identityFile === undefined ? [] : ['-i', shellWord(identityFile)]),
    ...(knownHostsFile === undefined
      ? []
      : ['-o', `UserKnownHostsFile=${shellWord(knownHostsFile)}`]),
    ...(port === 22 ? [] : ['-p', String(port)]),
    `${user}@${address}`,
  ].join(' ');
}

/** A path of the inventory as a word that a shell takes as it is; a leading ~/ is left to the shell. */
function shellWord(path: string): string {
  return /^[A-Za-z0-9_./~@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
