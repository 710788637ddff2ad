import type { HostConnection } from './host-entry.ts';
import type { Hooks, RebootPolicy, Spec, Target } from './spec.ts';
import type { Change, ChangeKind, Evidence } from './changes.ts';
import type { DeviceReading } from './device-facts.ts';

/** The stages of a host's run that this release has, in order. */
export const STEPS = [
  'inspect',
  'firmware',
  'drain',
  'cmdline',
  'modules',
  'reboot',
  'wait',
  'iommu',
  'vfs',
  'bind',
  'attach',
  'health',
  'undrain',
] as const;
export type Step = (typeof STEPS)[number];

/** Steps that guests or the host's settings feel: a `pause --now` stops before these. What brings back is not one. */
export const DISRUPTIVE_STEPS = [
  'drain',
  'cmdline',
  'modules',
  'reboot',
  'vfs',
  'bind',
  'attach',
] as const satisfies readonly Step[];

/** The step that applies a change, and takes it back; hugepages go with the files that keep them. */
export const STEP_OF_CHANGE = {
  cmdline: 'cmdline',
  modules: 'modules',
  hugepages: 'modules',
  vfs: 'vfs',
  bind: 'bind',
  attach: 'attach',
} as const satisfies Readonly<Record<ChangeKind, Step>>;

/** Why a host waits for a person. */
export interface Hold {
  readonly code: string;
  readonly step: Step;
  readonly sentence: string;
  /** Output and values that show it, bounded. */
  readonly evidence: Evidence;
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly exits: readonly HostExit[];
}

export interface HostExit {
  readonly verb: 'retry' | 'skip' | 'rollback';
  /** The step a retry resumes at. */
  readonly at?: Step;
  readonly recommended: boolean;
  /** One line: what this exit does. */
  readonly effect: string;
  /** What it means for the guests of the host: `none` are touched, or what happens to them. */
  readonly guests?: string;
  readonly reboots: string;
}

/** What a host's run is started with. Held state travels through continue-as-new in `resume`. */
export interface HostRunInput {
  readonly rollout: string;
  /** Position of the host in its rollout; reports carry it. */
  readonly index: number;
  /** Which run of this host in this rollout, from 1: a retry of a closed run is the next one. */
  readonly run: number;
  /** Id of the lease, the same for every run of this host in this rollout, so that a lost run's lease can be taken up. */
  readonly lease: string;
  readonly connection: HostConnection;
  readonly direction: 'forward' | 'rollback';
  /** For a rollback within a forward rollout: only what this very rollout changed; else the spec's newest that stands. */
  readonly undoOf?: string;
  readonly target: Target;
  readonly hooks: Hooks;
  readonly reboot: RebootPolicy;
  readonly onHostFailure: Spec['onHostFailure'];
  /** Who started the rollout, for the lease. */
  readonly who: string;
  /** Digest of the plan that a person saw; a different one is held as `plan.changed`. */
  readonly expectedDigest?: string;
  readonly resume?: HostRunState;
}

/** A mutation that was begun, so that undo knows what to take back, in reverse order. */
export interface UndoEntry {
  readonly change: Change;
}

export interface HostRunState {
  readonly step: Step;
  readonly changes: readonly Change[];
  readonly undo: readonly UndoEntry[];
  readonly evidence: Readonly<Partial<Record<Step, Evidence>>>;
  /** Number of the last mutation scheduled; the fencing token's `seq`. */
  readonly seq: number;
  /** The lease that is or may be on the host: an attempt to take it that was cut off may have taken it. */
  readonly leaseId: string | null;
  /** Lease and record are on the host, so there may be changes to take back. */
  readonly begun: boolean;
  readonly drained: boolean;
  /** Boot id before the reboot that is or was under way. */
  readonly bootIdBefore: string | null;
  /** Number of the last report sent to the rollout, within this run. */
  readonly reports: number;
  /** Boot id last seen. */
  readonly bootId: string | null;
  /** A reboot was sent and its outcome is not settled yet. */
  readonly rebootSent: boolean;
  /** How many reboots the plan needs: 0 or 1. */
  readonly reboots: number;
  /** How the devices of the plan did before anything was changed; what health compares with. */
  readonly readings?: readonly DeviceReading[];
  /** The changes are being taken back; `step` is then the stage of that. */
  readonly undoing: boolean;
  /** A change that was taken back needs a reboot to be gone from the running kernel. */
  readonly undoReboot: boolean;
  readonly undoFailures: readonly string[];
  /** Digest of the plan that a person accepted by retrying out of `plan.changed`. */
  readonly acceptedDigest: string | null;
  /** When each step began, ISO 8601. */
  readonly stepsAt: Readonly<Partial<Record<Step, string>>>;
  readonly hold: Hold | null;
  /** The last hold's code and sentence: what a skipped or rolled-back host's result gives as its reason. */
  readonly reason: { readonly code: string; readonly sentence: string } | null;
  /** What the rollout was told last; it asks again for it when a report was lost. */
  readonly lastReport: HostReport | null;
  /** From the order to reboot until it was seen back, in milliseconds. */
  readonly rebootMs?: number;
  /** A `pause --now` of the rollout holds: stop before the next disruptive step. */
  readonly stopAsked?: boolean;
  /** It has stopped before this step. */
  readonly pausedBefore?: Step;
  /** Ids of the last verbs taken, so that a repeat after continue-as-new is known. */
  readonly verbIds: readonly string[];
}

/** The states of a host in a rollout (see host-states.ts for what each means). */
export const HOST_STATES = [
  'queued',
  'running',
  'done',
  'compliant',
  'held',
  'blocked',
  'skipped',
  'rolled-back',
  'unreachable',
] as const;
export type HostState = (typeof HOST_STATES)[number];

/** How a host's run ended: the workflow's result, and what its last report said. */
export interface HostRunResult {
  readonly state: 'done' | 'compliant' | 'blocked' | 'skipped' | 'rolled-back' | 'unreachable';
  readonly code?: string;
  readonly sentence?: string;
  readonly evidence: HostRunState['evidence'];
  readonly undoFailures: readonly string[];
}

/** What a host's run tells its rollout, by signal; `(run, seq)` grows, so a repeated or late report is known. */
export interface HostReport {
  readonly rollout: string;
  readonly index: number;
  readonly run: number;
  readonly seq: number;
  readonly state: Exclude<HostState, 'queued'>;
  readonly step?: Step;
  readonly code?: string;
  /** Whether the host is down or drained now, and so counts as unavailable. */
  readonly unavailable: boolean;
  /** From the order to reboot until it was seen back, in milliseconds. */
  readonly rebootMs?: number;
  /** It was stopped by `pause --now` and waits before this step. */
  readonly pausedBefore?: Step;
  /** What could not be taken back or given up: a skipped host may still carry changes or a lease (law 5). */
  readonly undoFailures?: readonly string[];
}
