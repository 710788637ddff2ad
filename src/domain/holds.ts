import type { Evidence } from './changes.ts';
import type { Hold, HostExit, Step } from './host-run.ts';

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
  readonly since: string;
}

/** How a hold with some code is left: the step that a retry resumes at, when not the one it failed at. */
interface CodeRule {
  readonly at?: Step;
  readonly recommended?: 'retry' | 'rollback';
  /** What a person does before the retry, or what the retry takes for granted. */
  readonly retry?: string;
}

/** By code, then by the part before the dot; everything else is retried at its step after a look at the sentence. */
const RULES: Readonly<Record<string, CodeRule>> = {
  'plan.changed': { at: 'inspect', retry: 'takes the plan as it is now' },
  'host.busy': { at: 'inspect', retry: 'looks again whether the holder has given it up' },
  'reboot.no-return': {
    at: 'wait',
    retry: 'after a power cycle: waits again and says which line runs',
  },
  'reboot.did-not-happen': { at: 'reboot', retry: 'tells it to reboot again' },
  'reboot.trial-failed': {
    at: 'reboot',
    recommended: 'rollback',
    retry: 'boots the same line on trial once more',
  },
  'reboot.unexpected-line': {
    at: 'reboot',
    recommended: 'rollback',
    retry: 'boots the line once more',
  },
  'health.failed': { recommended: 'rollback', retry: 'runs the health hook again' },
  'drain.guests-running': { retry: 'after the guests were moved: looks again' },
  'undo.failed': { retry: 'tries again to take back what is left' },
  'run.cancelled': { retry: 'goes on where it stopped' },
  drift: { retry: 'after the other change was taken back: compares again' },
  iommu: { recommended: 'rollback', retry: 'reads the proofs again' },
  ssh: { retry: 'connects again' },
};

/** A hold with the exits it offers, one of them recommended. */
export function holdFor(
  at: HeldAt,
  why: { readonly code: string; readonly sentence: string; readonly evidence: Evidence },
): Hold {
  const rule = ruleOf(why.code);
  const canRollBack = at.begun && at.forward && !at.undoing;
  const recommended = canRollBack ? (rule.recommended ?? 'retry') : 'retry';
  const exits = [retryExit(at, rule, why.code), rollbackExit(at, why.code), skipExit(at)].filter(
    (exit) => exit.verb !== 'rollback' || canRollBack,
  );
  return {
    ...why,
    step: at.step,
    since: at.since,
    exits: exits.map((exit) => ({ ...exit, recommended: exit.verb === recommended })),
  };
}

type Exit = Omit<HostExit, 'recommended'>;

function retryExit(at: HeldAt, rule: CodeRule, code: string): Exit {
  const resume = resumeStep(at, rule, code);
  return {
    verb: 'retry',
    at: resume,
    effect: `again from ${resume}: ${rule.retry ?? 'after the cause is gone'}`,
    reboots: retryReboots(at, resume),
  };
}

function resumeStep(at: HeldAt, rule: CodeRule, code: string): Step {
  // The other rules lead forward; only a reboot is told again in both directions.
  if (at.undoing) return rule.at === 'reboot' ? 'reboot' : at.step;
  // The trial entry that a reboot needs is gone: only installing it again helps.
  return code === 'drift' && at.step === 'reboot' ? 'cmdline' : (rule.at ?? at.step);
}

function rollbackExit(at: HeldAt, code: string): Exit {
  const booted = { no: '0', maybe: '0 or 1', yes: '1' }[at.booted];
  return {
    verb: 'rollback',
    effect: 'takes back what was changed, brings it back into service and gives its lease up',
    // A failed trial left it on its old line.
    reboots: code === 'reboot.trial-failed' ? '0' : booted,
  };
}

function skipExit(at: HeldAt): Exit {
  return {
    verb: 'skip',
    effect: at.begun
      ? 'leaves it as it stands, gives its lease up and counts it as failed'
      : 'leaves it as it is; nothing was changed there',
    reboots: '0',
  };
}

function ruleOf(code: string): CodeRule {
  return RULES[code] ?? RULES[code.split('.', 1)[0] ?? ''] ?? {};
}

const AFTER_BOOT: ReadonlySet<Step> = new Set<Step>(['iommu', 'health', 'undrain']);

function retryReboots(at: HeldAt, resume: Step): string {
  if (AFTER_BOOT.has(resume) || (at.begun && at.reboots === 0)) return '0';
  return at.undoing || resume === 'wait' ? '0 or 1' : '1';
}
