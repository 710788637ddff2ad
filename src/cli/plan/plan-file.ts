import { createHash } from 'node:crypto';
import type { HostPlan } from '../../domain/changes.ts';
import type { HostConnection } from '../../domain/host-entry.ts';
import type { Spec } from '../../domain/spec.ts';
import type { HostScope } from '../../domain/target-for.ts';

/** What the plan found on one host; `unreachable` when the probe could not be carried out. */
export type ProbedPlan =
  HostPlan | { readonly kind: 'unreachable'; readonly code: string; readonly sentence: string };

export interface ProbedHost {
  readonly connection: HostConnection;
  readonly plan: ProbedPlan;
  /** Names of the guests that ran when it was probed. */
  readonly guests: readonly string[];
  /** What its changes leave as it was found, and why, in sentences; empty for a host without changes. */
  readonly left: readonly string[];
  /** Which entries of the target hold here; absent when the target has none that differ between hosts. */
  readonly scope?: HostScope;
}

/** A host of a plan with the letter of its kind; empty for a host without changes. */
export interface PlanHost extends ProbedHost {
  readonly letter: string;
}

/** Version of a plan's file; a release reads only its own. */
export const PLAN_VERSION = 3;

/** A plan as it is kept in a file: what `start --plan ID` starts, exactly. */
export interface PlanFile {
  readonly version: typeof PLAN_VERSION;
  /** First 6 hex digits of the digest. */
  readonly id: string;
  /** SHA-256 over the spec and every host's plan; not over times, so the same finding has the same id. */
  readonly digest: string;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  readonly probeMs: number;
  /** Absolute path of the spec's file. */
  readonly specFile: string;
  readonly spec: Spec;
  /** Folder of the capture that it was made from; such a plan cannot be started. */
  readonly capture?: string;
  readonly hosts: readonly PlanHost[];
}

/** Gives a plan its digest and id. */
export function sealPlan(plan: Omit<PlanFile, 'version' | 'id' | 'digest'>): PlanFile {
  const digest = createHash('sha256')
    .update(JSON.stringify([plan.spec, plan.hosts.map(essence)]))
    .digest('hex');
  return { version: PLAN_VERSION, id: digest.slice(0, 6), digest, ...plan };
}

/** What makes a host's plan the same plan. Boot ids, guests and sentences are not part of it. */
function essence(host: PlanHost): unknown {
  const { connection, plan } = host;
  const scope = host.scope === undefined ? [] : [host.scope];
  switch (plan.kind) {
    case 'changes':
      return [connection, plan.kind, plan.digest, ...scope];
    case 'compliant':
      return [connection, plan.kind, ...scope];
    case 'blocked':
    case 'held':
    case 'unreachable':
      return [connection, plan.kind, plan.code, ...scope];
  }
}
