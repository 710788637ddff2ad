import type { HostConnection } from './host-entry.ts';
import type { Hold, HostRunState, HostState, Step } from './host-run.ts';
import type { Spec } from './spec.ts';
import type { HostScope } from './target-for.ts';

/** One host as a rollout is started with it: found by the plan, before anything was written. */
export interface PlannedHost {
  readonly connection: HostConnection;
  /** `changes`: takes part in the waves; the others are only counted and shown. */
  readonly planned: 'changes' | 'compliant' | 'blocked' | 'unreachable';
  /** Kind letter of the plan (`A`, `B`, ...); empty for a host without changes. */
  readonly kind: string;
  /** Digest of the host's plan; a run that plans another is held with `plan.changed`. */
  readonly digest?: string;
  /** For `blocked` and `unreachable`. */
  readonly code?: string;
  /** Which entries of the target hold here; absent when the target has none that differ between hosts. */
  readonly scope?: HostScope;
}

export interface RolloutInput {
  readonly id: string;
  /** `rollback` undoes what the hosts' own records say, last wave first. */
  readonly direction: 'forward' | 'rollback';
  readonly spec: Pick<
    Spec,
    | 'name'
    | 'owner'
    | 'target'
    | 'waves'
    | 'limits'
    | 'hooks'
    | 'reboot'
    | 'onHostFailure'
    | 'onBudgetSpent'
  >;
  readonly planId?: string;
  readonly who: string;
  readonly reason?: string;
  readonly hosts: readonly PlannedHost[];
  /** Carried through continue-as-new; the shape is the rollout state machine's own (src/domain/rollout/). */
  readonly resume?: unknown;
}

/** A verb on a rollout, or on hosts of it. `id` makes a repeat harmless, also across continue-as-new. */
export type RolloutVerb = {
  readonly id: string;
  readonly who: string;
  readonly reason?: string;
} & (
  | { readonly verb: 'promote' }
  /** `now`: running hosts also stop before their next disruptive step. */
  | { readonly verb: 'pause'; readonly now?: boolean }
  /** `newBudget`: needed when the failure budget was spent; how many more hosts may fail. */
  | { readonly verb: 'resume'; readonly newBudget?: number }
  | { readonly verb: 'abort'; readonly rollback: boolean }
  | {
      readonly verb: 'retry' | 'skip' | 'rollback';
      readonly hosts: HostSelection;
    }
);

/** Hosts a verb is meant for: names, or all that are held, failed, not started, or all at all. */
export type HostSelection =
  | { readonly names: readonly string[] }
  | { readonly all: 'held' | 'failed' | 'not-started' | 'done' | 'hosts' };

/** What the engine answered: how many hosts, and what happens next in one sentence. */
export interface VerbAnswer {
  readonly count: number;
  readonly next: string;
  /** Hosts that refused the verb, with the reason. */
  readonly refused: readonly { readonly host: string; readonly reason: string }[];
}

export const ROLLOUT_PHASES = [
  'running',
  'paused',
  'baking',
  'awaiting-promotion',
  'waiting',
  'aborting',
  'done',
  'aborted',
  'failed',
] as const;
/**
 * - `running`: hosts start as places become free
 * - `paused`: a person or a spent budget stopped new hosts; `pausedBy` says which
 * - `baking`, `awaiting-promotion`: between waves
 * - `waiting`: only held hosts are left
 * - `aborting`: running hosts come to their end, no new one starts
 * - the last three are final
 */
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number];

export interface RolloutStatus {
  readonly id: string;
  readonly direction: 'forward' | 'rollback';
  readonly phase: RolloutPhase;
  /** One sentence: what it waits for, or why it stopped; what happens if nobody does anything. */
  readonly explanation: string;
  /** While `paused`: by a person, or by a spent budget, which needs a new one to go on. */
  readonly pausedBy?: 'person' | 'budget';
  readonly owner: Spec['owner'];
  /** What its target does that everybody who looks at it has to see, in sentences; absent when there is nothing. */
  readonly warnings?: readonly string[];
  readonly planId?: string;
  readonly startedBy: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly waves: readonly WaveStatus[];
  readonly counts: Readonly<Record<HostState, number>>;
  readonly budget: {
    readonly failures: number;
    readonly failuresMax: number;
    readonly unavailable: number;
    readonly unavailableMax: number;
  };
  /** Every host, in the order of the waves; then those without changes. */
  readonly hosts: readonly RolloutHostStatus[];
  /** When it ends by itself, as far as hosts already done tell; absent until one is done. */
  readonly estimate?: Estimate;
  /** Verbs that would be taken now. */
  readonly verbs: readonly RolloutVerb['verb'][];
  /** The last 200 verbs, oldest first. */
  readonly audit: readonly AuditEntry[];
}

/** What hosts that are done tell of those that are not. Waiting for people is not in it, bakes are. */
export interface Estimate {
  /** ISO 8601, UTC. */
  readonly endsAt: string;
  /** Median time of a host from its start to its end, in milliseconds. */
  readonly hostMs: number;
  /** How many hosts that median is made of. */
  readonly samples: number;
}

export interface WaveStatus {
  readonly name: string;
  readonly hosts: number;
  readonly counts: Readonly<Partial<Record<HostState, number>>>;
  /** `pending`, `running`, `baking`, `awaiting-promotion`, `ended`. */
  readonly phase: 'pending' | 'running' | 'baking' | 'awaiting-promotion' | 'ended';
  /** While baking: when it ends, ISO 8601. */
  readonly bakeUntil?: string;
  readonly promote: 'manual' | 'auto';
}

export interface RolloutHostStatus {
  readonly name: string;
  readonly state: HostState;
  /** Position of its wave; absent for a host without changes. */
  readonly wave?: number;
  readonly kind: string;
  readonly code?: string;
  /** What the code alone does not say: who holds a busy host, why a verb was refused by the host's run. */
  readonly note?: string;
  readonly step?: Step;
  /** When it came into this state, ISO 8601. */
  readonly since?: string;
  /** For `done`: from the start of its run to its end, in milliseconds. */
  readonly tookMs?: number;
  /** From the order to reboot until it was seen back, in milliseconds; absent when it never came back. */
  readonly rebootMs?: number;
  /** It was stopped by `pause --now` and waits before this step. */
  readonly pausedBefore?: Step;
}

export interface AuditEntry {
  readonly at: string;
  readonly verb: string;
  readonly who: string;
  readonly reason?: string;
  readonly hosts: number;
}

/** One host's run as it stands: the answer of the host's query. */
export interface HostStatus {
  readonly rollout: string;
  readonly name: string;
  readonly state: HostState;
  readonly step: Step;
  readonly hold?: Hold;
  readonly run: HostRunState;
  /** When each step began, ISO 8601. */
  readonly stepsAt: Readonly<Partial<Record<Step, string>>>;
  readonly undoFailures: readonly string[];
  /** It was stopped by `pause --now` and waits before this step. */
  readonly pausedBefore?: Step;
}
