import type { Change, CmdlineChange, Evidence, HostPlan } from './changes.ts';
import type { DeviceReading } from './device-facts.ts';
import type { HostConnection } from './host-entry.ts';
import type { HostReport, HostRunInput, HostRunResult } from './host-run.ts';
import type { Allow, Hook, Target } from './spec.ts';

/**
 * The shapes that cross between workflows and activities. An expected bad outcome is a value (`hold`), so that
 * retries are only for what may pass by itself; a host that cannot be reached throws an ApplicationFailure
 * whose `type` is the code of src/host/errors.ts and which is non-retryable unless it is transient.
 */
export type StepOutcome =
  | { readonly kind: 'ok'; readonly evidence: Evidence }
  | {
      readonly kind: 'hold';
      readonly code: string;
      readonly sentence: string;
      readonly evidence: Evidence;
    };

/** What came of taking changes back; one that cannot be does not stop those after it. */
export interface UndoOutcome {
  /** How many of the changes were looked at, from the first: with many there is no time for all in one activity. */
  readonly tried: number;
  /** Of those, by their index, the ones that could not be taken back, and why. */
  readonly failures: readonly {
    readonly index: number;
    readonly code: string;
    readonly sentence: string;
  }[];
  readonly evidence: Evidence;
}

/** What every activity on a host gets. */
export interface OnHost {
  readonly connection: HostConnection;
}

/** The steps whose changes are applied by `applyDevices`. */
export type DeviceStep = 'modules' | 'vfs' | 'bind' | 'attach';

/** What every mutating activity gets: with the activity's own attempt it is the host port's guard. */
export interface Mutation extends OnHost {
  readonly lease: string;
  readonly seq: number;
}

export interface HostActivities {
  /** Reads the host once and plans; one connection, one command. Rollback: the changes are those of the host's record. */
  inspect(
    input: OnHost & {
      readonly target: Target;
      readonly direction: HostRunInput['direction'];
      readonly rollout: string;
      /** Rollback: take back what this rollout changed and nothing else; absent: the newest of the same spec. */
      readonly undoOf?: string;
      readonly lease: string;
    },
  ): Promise<HostPlan>;
  /**
   * Takes the host's lease and writes the record (before-state of every change) before the first mutation. Safe
   * twice. `hold` with `host.busy` names the holder.
   */
  begin(
    input: Mutation & {
      readonly rollout: string;
      /** A rollback takes the lease only: what it takes back is in the record already. */
      readonly direction: HostRunInput['direction'];
      readonly who: string;
      readonly changes: readonly Change[];
      readonly since: string;
    },
  ): Promise<StepOutcome>;
  /** Drain without a hook: ok when no libvirt guest runs, else `drain.guests-running` with their names. */
  checkGuests(input: OnHost): Promise<StepOutcome>;
  /** Runs a hook on the worker or on the host; non-zero is a hold (`drain.hook-failed`, `health.failed`, `undrain.hook-failed`). */
  hook(
    input: Mutation & {
      readonly hook: Hook;
      readonly phase: 'drain' | 'undrain' | 'health';
      readonly rollout: string;
    },
  ): Promise<StepOutcome>;
  /** Installs the trial entry and reads it back from grub.cfg. The default entry stays as it was. */
  applyCmdline(
    input: Mutation & { readonly change: CmdlineChange; readonly trialId: string },
  ): Promise<StepOutcome>;
  /**
   * Applies all changes of one step, each by compare-and-set, and reads the machine again: one activity a step, since each
   * costs six events. `willReboot`: what only a boot brings is left to it.
   */
  applyDevices(
    input: Mutation & {
      readonly step: DeviceStep;
      readonly changes: readonly Change[];
      readonly willReboot: boolean;
      readonly allow: readonly Allow[];
    },
  ): Promise<StepOutcome>;
  /** Arms the one-shot when `trial`, then tells the host to reboot; only while its boot id still is `bootIdBefore`. */
  reboot(
    input: Mutation & {
      readonly bootIdBefore: string;
      readonly trial: boolean;
    },
  ): Promise<StepOutcome>;
  /** Fails retryably (`reboot.not-back-yet`) until the host answers on a fresh connection with another boot id. */
  awaitReboot(
    input: OnHost & { readonly bootIdBefore: string },
  ): Promise<{ readonly bootId: string }>;
  /** One look: `back`, `same-boot` (it answers and never rebooted) or `away` with the code and sentence of the failure. */
  probeBoot(
    input: OnHost & { readonly bootIdBefore: string },
  ): Promise<
    | { readonly kind: 'back'; readonly bootId: string }
    | { readonly kind: 'same-boot' }
    | { readonly kind: 'away'; readonly code: string; readonly sentence: string }
  >;
  /** After a boot: is the running line the one that was to be booted? Old line without the marker: hold `reboot.trial-failed`. */
  verifyBoot(
    input: OnHost & {
      readonly change: CmdlineChange;
      readonly expect: 'trial' | 'before';
      readonly trialId: string;
    },
  ): Promise<StepOutcome>;
  /**
   * Proves the IOMMU as asked from /sys/class/iommu and the groups' types, the hugepages, and that what the plan knew of the
   * devices holds in this boot: groups exist only now. Each missing proof has its own code.
   */
  proveIommu(
    input: OnHost & { readonly target: Target; readonly changes: readonly Change[] },
  ): Promise<StepOutcome>;
  /** Reads the devices again and compares; one that does worse is a hold (`health.device-worse`) with both readings. */
  deviceHealth(
    input: OnHost & { readonly readings: readonly DeviceReading[]; readonly rebooted: boolean },
  ): Promise<StepOutcome>;
  /** After proof: writes the drop-in, removes the trial entry and reads the default entry back. */
  makeDefault(
    input: Mutation & { readonly change: CmdlineChange; readonly rollout: string },
  ): Promise<StepOutcome>;
  /**
   * Takes changes of one step back to `before`, in this order, and reads that back: one activity a step, as with
   * `applyDevices`. Evidence `reboot: needed|not needed`.
   */
  undo(
    input: Mutation & { readonly changes: readonly Change[]; readonly rollout: string },
  ): Promise<UndoOutcome>;
  /**
   * Closes the record with how the run ended (`unchanged`: skipped before its first change, so that nothing of it stands) and
   * gives the lease up. Safe twice; a lease that is not ours is left alone.
   */
  finish(
    input: Mutation & {
      readonly rollout: string;
      readonly outcome: HostRunResult['state'] | 'unchanged';
    },
  ): Promise<StepOutcome>;
}

export interface RolloutActivities {
  /** Starts host runs through the client, at most 16 at once. A second attempt finds its own runs by their memo. */
  startHosts(input: { readonly rollout: string; readonly hosts: readonly HostRunInput[] }): Promise<
    readonly {
      readonly index: number;
      readonly outcome: 'started' | 'ours' | 'busy' | 'failed';
      /** For `busy`: rollout and person that hold the host; for `failed`: the reason. */
      readonly detail?: string;
    }[]
  >;
  /** What the engine knows of host runs: for a closed run its result; `gone` when there is none of this rollout. */
  describeHosts(input: {
    readonly rollout: string;
    /** `run`: which run of the host is meant; an earlier one of this rollout is not it. */
    readonly hosts: readonly {
      readonly index: number;
      readonly name: string;
      readonly run: number;
    }[];
  }): Promise<
    readonly {
      readonly index: number;
      readonly status: 'running' | 'gone' | 'failed' | 'closed';
      readonly result?: HostRunResult;
      /** For `running`: what the run would report now, from a query; absent when it did not answer. */
      readonly report?: HostReport;
    }[]
  >;
  /** One update per host, 16 wide, each with the id `<ticket>/<host>` so that a repeat is the same update. */
  fanOut(input: {
    readonly rollout: string;
    readonly ticket: string;
    readonly verb: HostVerb;
    readonly hosts: readonly { readonly index: number; readonly name: string }[];
  }): Promise<
    readonly {
      readonly index: number;
      readonly refused?: string;
      /** No answer in time: the verb may still be taken. */
      readonly unconfirmed?: true;
    }[]
  >;
}

/** A verb on one host, with who and why: the exits of a hold, and what a `pause --now` and its end say to a run. */
export interface HostVerb {
  readonly verb: 'retry' | 'skip' | 'rollback' | 'pause' | 'resume';
  readonly who: string;
  readonly reason?: string;
}

/** All activities, by the names that workflows use. */
export interface Activities extends HostActivities, RolloutActivities {}
