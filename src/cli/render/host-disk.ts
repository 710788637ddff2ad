import type { CmdlineChange } from '../../domain/changes.ts';
import { sameArgs } from '../../domain/kernel-args.ts';
import { STEPS } from '../../domain/host-run.ts';
import type { HostStatus } from '../../domain/status.ts';
import { TRIAL_ENTRY_ID } from '../../facts/boot-loader.ts';
import { DROP_IN_PATH, STATE_DIR, TRIAL_SNIPPET_PATH } from '../../facts/probe.ts';
import type { HostLook } from '../look-at-host.ts';
import { withLabel } from './lines.ts';
import type { Style } from './style.ts';

/** Which line a boot takes by default: `unproven`: the new one, without proof; `unknown`: it was being written. */
type DefaultLine = 'old' | 'unproven' | 'proven' | 'unknown' | 'undoing';

interface OnDisk {
  readonly line: DefaultLine;
  /** Whether the next boot runs the trial entry once. */
  readonly armed: 'yes' | 'no' | 'maybe';
}

/** What is changed on the host's disk, and which kernel line it boots when somebody cycles its power. */
export function diskLines(status: HostStatus, look: HostLook | undefined, style: Style): string[] {
  const { undo } = status.run;
  const [last] = undo.slice(-1);
  if (last === undefined) return [withLabel('CHANGED', 'nothing')];
  const disk = onDisk(status, last.change, look);
  return [
    ...undo.flatMap(({ change }, at) => argumentLines(change, at === 0 ? 'CHANGED' : '', style)),
    ...filesOf(last.change, disk).map((line) => withLabel('', line)),
    withLabel('MEANS', meaning(disk)),
  ];
}

function argumentLines(change: CmdlineChange, label: string, style: Style): string[] {
  const parts = [
    ...(change.add.length === 0 ? [] : [style.good(`+ ${change.add.join(' ')}`)]),
    ...(change.drop.length === 0 ? [] : [style.bad(`- ${change.drop.join(' ')}`)]),
  ];
  return parts.map((part, at) => withLabel(at === 0 ? label : '', part));
}

/** The files that stand there now, with what each does. */
function filesOf(change: CmdlineChange, { line, armed }: OnDisk): string[] {
  const sign = change.dropIn.before === null ? '+' : '~';
  const dropIn = `${sign} ${DROP_IN_PATH}    makes the new line the default`;
  const state = { yes: 'armed', no: 'not armed', maybe: 'armed, unless it was booted already' }[
    armed
  ];
  const trial = `+ ${TRIAL_SNIPPET_PATH}, ${STATE_DIR}/trial.*    one-shot trial entry, ${state}`;
  if (line === 'old') return [trial];
  if (line === 'unproven' || line === 'proven') return [dropIn];
  return [`either may be there: ${DROP_IN_PATH}, ${TRIAL_SNIPPET_PATH}`];
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
      return 'the new kernel line MAY BE THE DEFAULT already: see grub.cfg before a power cycle';
    case 'undoing':
      return 'the changes are being taken back: see grub.cfg before a power cycle';
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
  const { defaultEntry, dropIn, nextEntry, trialEntry } = look.bootLoader;
  const armed = nextEntry === TRIAL_ENTRY_ID ? 'yes' : 'no';
  const isNew =
    sameArgs(defaultEntry.args, change.after) && (dropIn ?? null) === change.dropIn.after;
  if (isNew) return { line: recorded(status).line === 'proven' ? 'proven' : 'unproven', armed };
  const isOld = sameArgs(defaultEntry.args, change.before);
  return isOld && trialEntry !== undefined ? { line: 'old', armed } : undefined;
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
