import type { TimeEstimate } from './estimate-time.ts';
import type { Kind } from './group-kinds.ts';
import { groupKinds } from './group-kinds.ts';
import { obstacles, type Obstacle } from './obstacles.ts';
import type { PlanFile, PlanHost } from './plan-file.ts';

/** A wave as it would be started. */
export interface WavePreview {
  readonly name: string;
  readonly hosts: readonly string[];
  /** How the spec asked for it: `1 of each kind`, `up to 10 %`. */
  readonly asked: string;
  readonly bakeMs: number;
  readonly promote: 'manual' | 'auto';
  /** Failures that this wave may have of its own; absent: only the rollout's budget counts. */
  readonly maxFailures?: number;
}

/** Guests that ran on hosts with changes when they were probed. */
export interface GuestsPreview {
  readonly guests: number;
  readonly hosts: readonly string[];
  /** A drain hook empties them; without one each of these hosts is held with `drain.guests-running`. */
  readonly drained: boolean;
}

/** A plan as it is shown: everything counted and grouped. */
export interface PlanView {
  readonly plan: PlanFile;
  readonly kinds: readonly Kind[];
  readonly changing: number;
  readonly compliant: readonly string[];
  /** Hosts that need work outside vfleet, or that somebody else works on. */
  readonly blocked: readonly Obstacle[];
  readonly unreachable: readonly Obstacle[];
  readonly reboots: number;
  /** Hosts that the drain hook empties; 0 without one. */
  readonly drains: number;
  /** What shows itself only on the running host, after its reboot. */
  readonly notKnown: readonly string[];
  readonly guests: GuestsPreview;
  readonly waves: readonly WavePreview[];
  readonly budget: { readonly maxUnavailable: number; readonly maxFailures: number };
  /** Absent when nothing would start. */
  readonly estimate?: TimeEstimate;
}

/** Counts and groups a plan; the preview comes from the domain, which splits hosts the same way for a rollout. */
export function createPlanView(
  plan: PlanFile,
  preview: Pick<PlanView, 'waves' | 'budget' | 'estimate'>,
): PlanView {
  const { kinds } = groupKinds(plan.hosts);
  const changing = kinds.reduce((sum, kind) => sum + kind.hosts.length, 0);
  return {
    plan,
    kinds,
    changing,
    compliant: plan.hosts.filter((h) => h.plan.kind === 'compliant').map((h) => h.connection.name),
    blocked: obstacles(plan.hosts, ['blocked', 'held']),
    unreachable: obstacles(plan.hosts, ['unreachable']),
    reboots: kinds.reduce((sum, kind) => sum + kind.reboots * kind.hosts.length, 0),
    drains: plan.spec.hooks.drain === undefined ? 0 : changing,
    notKnown: changing === 0 ? [] : notKnown(plan),
    guests: guestsOf(plan),
    ...preview,
  };
}

/** Groups exist only once a kernel with the IOMMU on has made them (law 14: say what could not be predicted). */
function notKnown({ spec }: PlanFile): readonly string[] {
  const { iommu, hostDma } = spec.target;
  if (iommu === 'disabled' || (iommu === undefined && hostDma === undefined)) return [];
  return ['IOMMU groups', "the groups' domain types"];
}

function guestsOf({ hosts, spec }: PlanFile): GuestsPreview {
  const busy = hosts.filter((host: PlanHost) => host.letter !== '' && host.guests.length > 0);
  return {
    guests: busy.reduce((sum, host) => sum + host.guests.length, 0),
    hosts: busy.map((host) => host.connection.name),
    drained: spec.hooks.drain !== undefined,
  };
}
