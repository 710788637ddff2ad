/**
 * A rollout's spec after parsing: every default filled in, times in milliseconds, shares as numbers.
 * src/schema is the only producer. What this release does not build yet is refused there, never carried here.
 */
export interface Spec {
  readonly name: string;
  readonly owner: Owner;
  readonly hosts: { readonly inventory: InventorySource; readonly select: string };
  readonly target: Target;
  readonly waves: readonly WaveSpec[];
  readonly limits: Limits;
  readonly hooks: Hooks;
  readonly reboot: RebootPolicy;
  readonly onHostFailure: 'hold' | 'rollback';
  readonly onBudgetSpent: 'pause' | 'rollback';
}

export interface Owner {
  readonly team?: string;
  readonly contact?: string;
  readonly ticket?: string;
}

/** A file or folder, relative to the spec's own folder; or a command that prints `ansible-inventory --list` JSON. */
export type InventorySource =
  { readonly path: string } | { readonly command: readonly [string, ...string[]] };

/** The desired state of every host. Absent parts are left as found. */
export interface Target {
  readonly iommu?: 'enabled' | 'disabled';
  /** `passthrough` is `iommu=pt`: host drivers bypass translation; guests are isolated either way. */
  readonly hostDma?: 'passthrough' | 'translated';
  readonly kernelArgs: { readonly present: readonly string[]; readonly absent: readonly string[] };
}

/** A number of hosts, or a share of them in percent (0–100). */
export type Share =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number };

export interface WaveSpec {
  readonly name: string;
  /** `add`: that many more hosts (of each kind, with `each`); `upTo`: cumulative share of the hosts with changes. */
  readonly size:
    | { readonly kind: 'add'; readonly hosts: number; readonly each: 'kind' | null }
    | { readonly kind: 'upTo'; readonly share: Share };
  /** How many hosts of this wave may fail before no new host starts; absent: only the rollout's budget counts. */
  readonly maxFailures?: Share;
  readonly bakeMs: number;
  readonly promote: 'manual' | 'auto';
}

export interface Limits {
  /** Most hosts worked on at once, at most 500. */
  readonly parallel: number;
  /** Most hosts unavailable at once: running, held while down or drained, or down before. */
  readonly maxUnavailable: Share;
  /** Most failed hosts, cumulative over the rollout, before it pauses; the one after is one too many. */
  readonly maxFailures: Share;
}

/** A file of the worker's hooks folder with its arguments (`on: worker`), or a program on the host (`on: host`). */
export interface Hook {
  readonly on: 'worker' | 'host';
  readonly run: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

export interface Hooks {
  readonly drain?: Hook;
  readonly undrain?: Hook;
  readonly health?: Hook;
}

export interface RebootPolicy {
  /** How long a host may take from the reboot command to an answer on a fresh connection. */
  readonly timeoutMs: number;
}
