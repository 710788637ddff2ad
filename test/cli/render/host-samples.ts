import { rebootsOf, type Change, type Evidence } from '../../../src/domain/changes.ts';
import { holdFor } from '../../../src/domain/holds.ts';
import {
  STEP_OF_CHANGE,
  STEPS,
  type HostRunState,
  type Step,
} from '../../../src/domain/host-run.ts';
import type { HostStatus } from '../../../src/domain/status.ts';
import type { HostLook } from '../../../src/cli/look-at-host.ts';
import type { HostView } from '../../../src/cli/render/host.ts';
import { TRIAL_ENTRY_ID } from '../../../src/domain/boot-loader/tools.ts';
import { Scene } from './rollout-scenes.ts';
import { at, cmdlineChange, connection } from './samples.ts';

const HOOK = { on: 'worker', run: ['drain'], timeoutMs: 1_800_000 } as const;
const CHANGE = cmdlineChange(['intel_iommu=on', 'iommu=pt'], ['quiet']);
const BOOT = '9b0e41c1-0000-4000-8000-000000000000';
const NEXT_BOOT = '77aa0000-0000-4000-8000-000000000000';
/** What each step takes in the samples, in seconds. */
const TOOK: Readonly<Partial<Record<Step, number>>> = {
  inspect: 2,
  drain: 486,
  cmdline: 9,
  wait: 1200,
};

/** How a host came to be held. */
export interface HeldSample {
  readonly code: string;
  readonly step: Step;
  readonly sentence: string;
  readonly evidence?: Evidence;
  /** What its plan changes; absent: its kernel line. */
  readonly changes?: readonly Change[];
  readonly run?: Partial<HostRunState>;
  readonly look?: Look;
}

type Look = HostLook extends infer L ? (L extends HostLook ? Omit<L, 'at'> : never) : never;

/** It answers on some boot and line; the boot loader as after the trial was installed. */
export function answers(
  on: 'old' | 'new',
  change: { readonly nextEntry?: string; readonly guests?: readonly string[] } = {},
): Look {
  const trial = [...CHANGE.after, 'panic=30', 'oops=panic', 'vfleet.trial=1'];
  const entry = { title: 'Debian', kernel: '/vmlinuz', args: CHANGE.before };
  return {
    kind: 'answers',
    bootId: on === 'old' ? BOOT : NEXT_BOOT,
    runningArgs: on === 'old' ? CHANGE.before : trial,
    guests: change.guests ?? [],
    bootLoader: {
      supported: true,
      kind: 'grub-debian',
      defaultEntry: entry,
      trialEntry: { ...entry, args: trial },
      dropInFolder: true,
      oneShot: { safe: true },
      ...(change.nextEntry === undefined ? {} : { nextEntry: change.nextEntry }),
    },
  };
}

export const ARMED = { nextEntry: TRIAL_ENTRY_ID };
export const AWAY: Look = {
  kind: 'away',
  code: 'ssh.unreachable',
  sentence: 'no route to host',
};

/** The first held host of a rollout of 400, held as the sample says, seen on a terminal of some width. */
export function heldView(sample: HeldSample, width: number): HostView {
  const { status: rollout, now } = new Scene().inFleet(3).twoHolds().seen();
  const row = rollout.hosts.find((host) => host.state === 'held')!;
  const status = heldStatus(sample, row.name, new Date(row.since!));
  return {
    status,
    rollout,
    row: { ...row, code: sample.code, step: sample.step },
    rolloutName: 'enable-iommu',
    now,
    width,
    connection: {
      ...connection(row.name),
      knownHostsFile: '/etc/vfleet/known_hosts',
      jump: { address: 'bastion.fra', port: 22, user: 'ops' },
    },
    ...(sample.look === undefined ? {} : { look: { ...sample.look, at: now.toISOString() } }),
  };
}

function heldStatus(sample: HeldSample, name: string, since: Date): HostStatus {
  const run = heldRun(sample);
  const { code, sentence, evidence = {}, step } = sample;
  const hold = holdFor(
    {
      ...run,
      forward: true,
      kinds: run.changes.map(({ kind }) => kind),
      booted: run.rebootSent ? 'maybe' : run.bootIdBefore === null ? 'no' : 'yes',
      hooks: { drain: HOOK, undrain: HOOK },
      since: since.toISOString(),
    },
    { code, sentence: `${name} ${sentence}`, evidence },
  );
  const stepsAt = run.undoing ? stepsUndone(step, since) : stepsUntil(step, since);
  return { ...sampleHost(), name, step, hold, run, stepsAt };
}

function heldRun(sample: HeldSample): HostRunState {
  const { changes = [CHANGE], step } = sample;
  const reboots = rebootsOf(changes);
  const isAt = (other: Step): boolean => STEPS.indexOf(step) >= STEPS.indexOf(other);
  const isSent = isAt('wait') && reboots > 0;
  const begun = changes.filter(({ kind }) => isAt(STEP_OF_CHANGE[kind]));
  return {
    ...sampleHost().run,
    step,
    changes: isAt('cmdline') ? changes : [],
    undo: begun.map((change) => ({ change })),
    evidence: isAt('cmdline') ? { cmdline: { default: 'unchanged' } } : {},
    begun: isAt('drain'),
    leaseId: isAt('drain') ? 'lease-1' : null,
    drained: isAt('cmdline') && reboots > 0,
    reboots,
    bootIdBefore: isSent ? BOOT : null,
    rebootSent: step === 'wait',
    lastReport: {
      ...{ rollout: 'r#3', index: 0, run: 1, seq: 3 },
      ...{ state: 'held', unavailable: isAt('cmdline') && reboots > 0 },
    },
    ...sample.run,
  };
}

/** The steps that a rollback has begun when it is held at the last of them. */
const UNDO: readonly Step[] = ['attach', 'bind', 'vfs', 'modules', 'cmdline'];

function stepsUndone(step: Step, since: Date): HostStatus['stepsAt'] {
  const turned = new Date(since.getTime() - 60_000);
  const undone = UNDO.slice(0, UNDO.indexOf(step) + 1).map((one) => [one, since.toISOString()]);
  const before = stepsUntil('health', turned);
  return { ...before, ...(Object.fromEntries(undone) as HostStatus['stepsAt']) };
}

function stepsUntil(step: Step, since: Date): HostStatus['stepsAt'] {
  const done = STEPS.slice(0, STEPS.indexOf(step) + 1);
  let moment = since.getTime() - done.reduce((sum, one) => sum + (TOOK[one] ?? 0) * 1000, 0);
  return Object.fromEntries(
    done.map((one) => {
      const began = new Date(moment).toISOString();
      moment += (TOOK[one] ?? 0) * 1000;
      return [one, began];
    }),
  );
}

const RUN: HostRunState = {
  step: 'wait',
  changes: [],
  undo: [],
  evidence: {},
  seq: 4,
  leaseId: 'lease-1',
  begun: true,
  drained: true,
  bootIdBefore: '9b0e41c1-0000-4000-8000-000000000000',
  reports: 3,
  bootId: '9b0e41c1-0000-4000-8000-000000000000',
  rebootSent: true,
  reboots: 1,
  undoing: false,
  undoReboot: false,
  undoFailures: [],
  acceptedDigest: null,
  stepsAt: {},
  hold: null,
  verbIds: [],
  reason: null,
  lastReport: null,
};

/** A host that never came back from its trial boot. */
export function sampleHost(): HostStatus {
  return {
    rollout: 'enable-iommu#3',
    name: 'hv-118',
    state: 'held',
    step: 'wait',
    hold: {
      code: 'reboot.no-return',
      step: 'wait',
      sentence: 'It was told to reboot at 02:13:07 and has not answered within 20m.',
      evidence: { 'boot id': '9b0e41c1', last: 'ssh.unreachable: no route\nto host' },
      since: at(2, 33),
      exits: [
        {
          verb: 'retry',
          at: 'wait',
          recommended: true,
          effect: 'power-cycle it first; then vfleet looks again',
          reboots: '0 or 1',
        },
        {
          verb: 'rollback',
          recommended: false,
          effect: 'when it answers: remove the trial entry, undrain',
          reboots: '0 or 1',
        },
        { verb: 'skip', recommended: false, effect: 'leave it down', reboots: '0' },
      ],
    },
    run: {
      ...RUN,
      undo: [{ change: cmdlineChange(['intel_iommu=on', 'iommu=pt']) }],
      lastReport: { rollout: 'r#3', index: 0, run: 1, seq: 3, state: 'held', unavailable: true },
    },
    stepsAt: {
      inspect: at(2, 4, 50),
      firmware: at(2, 4, 52),
      drain: at(2, 4, 52),
      cmdline: at(2, 12, 58),
      reboot: at(2, 13, 7),
      wait: at(2, 13, 7),
    },
    undoFailures: [],
  };
}
