import type { ChangeKind, Evidence } from './changes.ts';
import { holdRule, type HoldRule } from './hold-rules.ts';
import { STEP_OF_CHANGE, STEPS, type Hold, type HostExit, type Step } from './host-run.ts';
import type { Hooks } from './spec.ts';

/** Codes of a host that did not answer: what it does now is unknown (law 8). */
const AWAY: ReadonlySet<string> = new Set([
  'ssh.timeout',
  'ssh.refused',
  'ssh.unreachable',
  'ssh.closed',
  'ssh.protocol',
  'ssh.name-not-found',
  'ssh.jump',
  'host.outcome-unknown',
  'reboot.no-return',
]);

/** Whether a code means that the host does not answer, so that it counts as unavailable and nothing can be undone there. */
export function isAway(code: string): boolean {
  return AWAY.has(code);
}

/** Where a run stands when it is held, as far as its exits depend on it. */
export interface HeldAt {
  readonly step: Step;
  /** The changes are being taken back. */
  readonly undoing: boolean;
  /** Lease and record are on the host, so that there may be something to take back. */
  readonly begun: boolean;
  /** Not a run that is itself a rollback: before that turns round, its undo stack is empty and would claim success. */
  readonly forward: boolean;
  /** Whether a kernel line of ours was or may have been booted. */
  readonly booted: 'no' | 'maybe' | 'yes';
  /** Reboots that the plan needs. */
  readonly reboots: number;
  /** What the plan changes. */
  readonly kinds: readonly ChangeKind[];
  /** The drain hook has run, and no undrain since. */
  readonly drained: boolean;
  readonly hooks: Pick<Hooks, 'drain' | 'undrain'>;
  readonly since: string;
}

/** A hold with the exits it offers, one of them recommended. */
export function holdFor(
  at: HeldAt,
  why: { readonly code: string; readonly sentence: string; readonly evidence: Evidence },
): Hold {
  const rule = holdRule(why.code);
  const canRollBack = at.begun && at.forward && !at.undoing;
  const wanted = rule.recommended ?? 'retry';
  const recommended = wanted === 'rollback' && !canRollBack ? 'retry' : wanted;
  const exits = [
    retryExit(at, rule, why.code),
    ...(canRollBack ? [rollbackExit(at, why.code)] : []),
    skipExit(at, why.code),
  ];
  const { code, sentence, evidence } = why;
  return {
    // Not `...why`: it is a step's outcome, which has more, and all that is here is published as JSON.
    code,
    sentence,
    evidence,
    step: at.step,
    since: at.since,
    exits: exits.map((exit) => ({ ...exit, recommended: exit.verb === recommended })),
  };
}

type Exit = Omit<HostExit, 'recommended'>;

function retryExit(at: HeldAt, rule: HoldRule, code: string): Exit {
  const resume = resumeStep(at, rule, code);
  const reboots = retryReboots(at, resume);
  return {
    verb: 'retry',
    at: resume,
    effect: `again from ${resume}: ${rule.retry}`,
    guests: retryGuests(at, resume, reboots),
    reboots,
  };
}

function resumeStep(at: HeldAt, rule: HoldRule, code: string): Step {
  // The other rules lead forward; only a reboot is told again in both directions.
  if (at.undoing) return rule.at === 'reboot' ? 'reboot' : at.step;
  // The trial entry that a reboot needs is gone: only installing it again helps.
  return code === 'drift' && at.step === 'reboot' ? 'cmdline' : (rule.at ?? at.step);
}

function rollbackExit(at: HeldAt, code: string): Exit {
  const takesBack = isBefore(at.step, 'cmdline') ? 'nothing was changed yet' : 'takes it all back';
  return {
    verb: 'rollback',
    effect: `${isAway(code) ? 'when it answers: ' : ''}${takesBack}, brings it back into service and gives its lease up`,
    guests: rollbackGuests(at),
    reboots: rollbackReboots(at, code),
  };
}

function rollbackGuests(at: HeldAt): string {
  if (at.drained) return comeBack(at);
  const attached = at.kinds.includes('attach') && !isBefore(at.step, 'attach');
  return attached ? 'the named ones lose the devices again' : 'none touched';
}

/** The undo itself finds out whether the running line has to go; here is what may be said before. */
function rollbackReboots(at: HeldAt, code: string): string {
  // A failed trial left it on its old line.
  if (code === 'reboot.trial-failed' || at.booted === 'no') return '0';
  // It may have been told before, in an earlier attempt, or not at all.
  return at.booted === 'maybe' || at.step === 'reboot' ? '0 or 1' : '1';
}

function skipExit(at: HeldAt, code: string): Exit {
  return {
    verb: 'skip',
    effect: at.begun
      ? `leaves it ${leftBehind(at, code)}; gives its lease up`
      : 'leaves it as it is; nothing was changed there',
    guests: at.drained ? 'stay away' : 'none touched',
    reboots: '0',
  };
}

/** What a skip leaves on the host, after `leaves it`: above all which line it boots next, since nobody looks any more. */
function leftBehind(at: HeldAt, code: string): string {
  const changed = at.undoing || !isBefore(at.step, 'cmdline');
  const how = changed ? changesLeft(at, code) : 'as it was; nothing was changed yet';
  return at.drained ? `drained, ${how}` : how;
}

function changesLeft(at: HeldAt, code: string): string {
  if (at.undoing) return 'with what is not taken back yet';
  const line = at.kinds.includes('cmdline') ? lineLeft(at, code) : undefined;
  return [line, devicesLeft(at)].filter((part) => part !== undefined).join('; ');
}

/** The devices of a run that touches some; each of their steps may have done a part of its changes. */
function devicesLeft(at: HeldAt): string | undefined {
  const devices = at.kinds.filter((kind) => kind !== 'cmdline');
  if (devices.length === 0) return undefined;
  if (isBefore(at.step, 'modules')) return 'no device touched';
  if (isBefore('attach', at.step)) return 'with its devices as asked';
  const begun = devices.some((kind) => !isBefore(at.step, STEP_OF_CHANGE[kind]));
  return begun ? 'with what of its devices and files is done up to here' : 'no device touched';
}

function lineLeft(at: HeldAt, code: string): string {
  if (isBefore('iommu', at.step)) return 'on the new line, proven and the default';
  if (at.reboots === 0) {
    return 'with the new line as the default, or half written: see grub.cfg';
  }
  switch (at.step) {
    case 'cmdline':
    case 'modules':
      return 'with the trial entry in GRUB, not armed; the default is the old line';
    case 'iommu':
      // Every other code comes from writing the default, after the proof.
      return code.startsWith('iommu.')
        ? 'on the new line on trial: its next boot is the old line again'
        : 'on the new line; the default may be half written: see grub.cfg';
    default:
      return at.step === 'reboot' || at.booted === 'maybe'
        ? 'with the trial armed: unless it was booted already, THE NEXT BOOT RUNS THE NEW LINE ONCE, every later one the old'
        : 'with the trial entry in GRUB, not armed; the next boot is the old line';
  }
}

function retryGuests(at: HeldAt, resume: Step, reboots: string): string {
  if (at.drained) return resume === 'undrain' ? comeBack(at) : 'stay away until undrain';
  if (at.reboots > 0 && !isBefore('drain', resume)) {
    return at.hooks.drain === undefined ? 'none may run' : 'moved away by the drain hook';
  }
  if (reboots !== '0') return 'none ran at drain';
  return at.kinds.includes('attach') && !at.undoing
    ? 'the named ones get their devices'
    : 'none touched';
}

function comeBack(at: HeldAt): string {
  return at.hooks.undrain === undefined ? 'stay away: no undrain hook' : 'come back at undrain';
}

function isBefore(step: Step, other: Step): boolean {
  return STEPS.indexOf(step) < STEPS.indexOf(other);
}

function retryReboots(at: HeldAt, resume: Step): string {
  if (isBefore('wait', resume) || (at.begun && at.reboots === 0)) return '0';
  return at.undoing || resume === 'wait' ? '0 or 1' : '1';
}
