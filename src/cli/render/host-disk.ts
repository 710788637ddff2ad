import type { Change, CmdlineChange } from '../../domain/changes.ts';
import { cmdlineOf } from '../../domain/changes.ts';
import type { LoaderFacts } from '../../domain/facts.ts';
import { sameArgs } from '../../domain/kernel-args.ts';
import { STEPS, type HostRunState } from '../../domain/host-run.ts';
import type { HostStatus } from '../../domain/status.ts';
import { TRIAL_ENTRY_ID } from '../../domain/boot-loader/tools.ts';
import { BLS_TRIAL_PATH, DROP_IN_PATH, STATE_DIR, TRIAL_SNIPPET_PATH } from '../../facts/probe.ts';
import type { HostLook } from '../look-at-host.ts';
import { textLines } from './change-lines.ts';
import { describeChanges, lineFiles } from './describe-changes.ts';
import { withLabel } from './lines.ts';
import { padEnd, type Style } from './style.ts';

/** Which line a boot takes by default: `unproven`: the new one, without proof; `unknown`: it was being written. */
type DefaultLine = 'old' | 'unproven' | 'proven' | 'unknown' | 'undoing';

interface OnDisk {
  readonly line: DefaultLine;
  /** Whether the next boot runs the trial entry once. */
  readonly armed: 'yes' | 'no' | 'maybe';
}

/** Column at which a change of devices or files begins, after the label of its kind. */
const LABEL_WIDTH = 10;

/** What is changed on the host, and what it comes up with when somebody cycles its power. Made of the changes as they are. */
export function diskLines(status: HostStatus, look: HostLook | undefined, style: Style): string[] {
  const { undo } = status.run;
  if (undo.length === 0) return [withLabel('CHANGED', 'nothing')];
  const changes = undo.map(({ change }) => change);
  const last = cmdlineOf(changes.toReversed());
  const disk = last && onDisk(status, last, look);
  const changed = [
    ...lineParts(changes, style),
    ...(last === undefined || disk === undefined ? [] : filesOf(last, disk)),
    ...deviceParts(changes, style),
  ];
  const means = [
    ...(disk === undefined ? [] : [meaning(disk)]),
    ...deviceMeaning(changes, status.run),
  ];
  return [...labelled('CHANGED', changed), ...labelled('MEANS', means)];
}

function labelled(label: string, texts: readonly string[]): string[] {
  return texts.map((text, at) => withLabel(at === 0 ? label : '', text));
}

/** What every change of the line adds and takes away. */
function lineParts(changes: readonly Change[], style: Style): string[] {
  const lines = describeChanges(changes.filter(({ kind }) => kind === 'cmdline'));
  return lines
    .filter(({ sign }) => sign !== undefined)
    .flatMap((line) => textLines(line, style, Infinity));
}

/** The other changes that were begun, by kind. */
function deviceParts(changes: readonly Change[], style: Style): string[] {
  const lines = describeChanges(changes.filter(({ kind }) => kind !== 'cmdline'));
  return lines.flatMap((line, at) => {
    const label = lines[at - 1]?.label === line.label ? '' : line.label;
    return textLines(line, style, Infinity).map((text) => padEnd(label, LABEL_WIDTH) + text);
  });
}

/** What a boot makes again, by the kind of change that asked for it. */
const AT_EACH_BOOT = { vfs: 'VFs', bind: 'drivers', hugepages: 'hugepages' } as const;

/** What a boot makes of devices and modules: it does what their files say, as far as they are written. */
function deviceMeaning(
  changes: readonly Change[],
  { undoing, reboots }: Pick<HostRunState, 'undoing' | 'reboots'>,
): string[] {
  const kinds = new Set<string>(changes.map(({ kind }) => kind));
  if (undoing) {
    const isLineOnly = changes.every(({ kind }) => kind === 'cmdline');
    const taken = 'devices and files are being taken back: a boot does what is left of them';
    return isLineOnly ? [] : [taken];
  }
  const again = Object.entries(AT_EACH_BOOT).flatMap(([kind, what]) =>
    kinds.has(kind) ? what : [],
  );
  const made = `each boot sets ${again.join(' and ')} so again, as far as their files are written`;
  return [
    ...(reboots > 0 ? [] : ['no reboot is part of this: a power cycle boots the same kernel line']),
    ...(kinds.has('modules') ? ['the module files act at each boot'] : []),
    ...(again.length > 0 ? [made] : []),
    ...(kinds.has('attach') ? ['guests have their devices in their configuration'] : []),
  ];
}

/** The files that stand there now, with what each does. */
function filesOf(change: CmdlineChange, { line, armed }: OnDisk): string[] {
  const isDebian = change.loader === 'grub-debian';
  const sign = isDebian && change.dropIn.before === null ? '+' : '~';
  const keeper = isDebian ? DROP_IN_PATH : lineFiles(change).replace(/^changes /, '');
  const dropIn = `${sign} ${keeper}    makes the new line the default`;
  const trialFiles = isDebian ? `${TRIAL_SNIPPET_PATH}, ${STATE_DIR}/trial.*` : BLS_TRIAL_PATH;
  const state = { yes: 'armed', no: 'not armed', maybe: 'armed, unless it was booted already' }[
    armed
  ];
  const trial = `+ ${trialFiles}    one-shot trial entry, ${state}`;
  if (line === 'old') return [trial];
  if (line === 'unproven' || line === 'proven') return [dropIn];
  return [`either may be there: ${keeper}, ${isDebian ? TRIAL_SNIPPET_PATH : BLS_TRIAL_PATH}`];
}

function meaning({ line, armed }: OnDisk): string {
  switch (line) {
    case 'old':
      return OLD_LINE[armed];
    case 'unproven':
      return 'the NEW kernel line IS THE DEFAULT and not proven yet: a power cycle boots that one';
    case 'proven':
      return 'the new kernel line is proven and is the default';
    case 'unknown':
      return 'the new kernel line MAY BE THE DEFAULT already: see the boot loader before a power cycle';
    case 'undoing':
      return 'the changes are being taken back: see the boot loader before a power cycle';
  }
}

const OLD_LINE = {
  no: 'DEFAULT IS STILL THE OLD ONE: a power cycle boots the old kernel line',
  yes: 'DEFAULT IS STILL THE OLD ONE, and the trial is armed: the next boot runs the new line once, the one after it the old',
  maybe:
    'DEFAULT IS STILL THE OLD ONE: a power cycle boots the old kernel line, or the trial once if it was not booted yet',
} as const;

function onDisk(status: HostStatus, change: CmdlineChange, look: HostLook | undefined): OnDisk {
  return (look === undefined ? undefined : seenOnDisk(status, change, look)) ?? recorded(status);
}

/** As a fresh look found it, which knows better than any record. */
function seenOnDisk(status: HostStatus, change: CmdlineChange, look: HostLook): OnDisk | undefined {
  if (look.kind !== 'answers' || !look.bootLoader.supported) return undefined;
  const loader = look.bootLoader;
  const { defaultEntry, nextEntry, trialEntry } = loader;
  const armed = nextEntry === TRIAL_ENTRY_ID ? 'yes' : 'no';
  const isNew = sameArgs(defaultEntry.args, change.after) && isKept(loader, change);
  if (isNew) return { line: recorded(status).line === 'proven' ? 'proven' : 'unproven', armed };
  const isOld = sameArgs(defaultEntry.args, change.before);
  return isOld && trialEntry !== undefined ? { line: 'old', armed } : undefined;
}

/** Where the line is made from a file, whether that holds it too. */
function isKept(loader: LoaderFacts, change: CmdlineChange): boolean {
  if (change.loader !== 'grub-debian' || loader.kind !== 'grub-debian') return true;
  return (loader.dropIn ?? null) === change.dropIn.after;
}

/** As the steps that were taken leave it; a default that was being written when the run was held is not known. */
function recorded(status: HostStatus): OnDisk {
  const { run, step } = status;
  const line = recordedLine(status);
  const isArmed = line === 'old' && (step === 'reboot' || run.rebootSent);
  return { line, armed: isArmed || line === 'undoing' ? 'maybe' : 'no' };
}

function recordedLine({ run, step }: HostStatus): DefaultLine {
  if (run.undoing) return 'undoing';
  const { iommu = {} } = run.evidence;
  if ('default' in iommu || STEPS.indexOf(step) > STEPS.indexOf('iommu')) return 'proven';
  // It is written at the end of iommu, after the proof.
  return 'units' in iommu ? 'unknown' : 'old';
}
