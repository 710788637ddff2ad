import { touchedFunctions } from '../../domain/changes.ts';
import { isAllowedWarning } from '../../domain/devices/guards.ts';
import { changeWarnings, targetWarnings } from '../../domain/target-warnings.ts';
import { groupedBy } from '../render/grouped-by.ts';
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

/** Guests that ran on hosts that will reboot when they were probed. */
export interface GuestsPreview {
  readonly guests: number;
  readonly hosts: readonly string[];
  /** A drain hook empties them; without one each of these hosts is held with `drain.guests-running`. */
  readonly drained: boolean;
}

/** What shows itself only on the running host. */
export interface NotKnown {
  readonly until: 'the reboot' | 'the VFs are made';
  readonly what: readonly string[];
  /** Letters. */
  readonly kinds: readonly string[];
}

/** A plan as it is shown: everything counted and grouped. */
export interface PlanView {
  readonly plan: PlanFile;
  readonly kinds: readonly Kind[];
  readonly changing: number;
  readonly compliant: readonly string[];
  /** What is left as found on hosts that comply, since they guard it, with the hosts of which it is so. */
  readonly compliantLeft: readonly {
    readonly sentence: string;
    readonly hosts: readonly string[];
  }[];
  /** Hosts that need work outside vfleet, or that somebody else works on. */
  readonly blocked: readonly Obstacle[];
  readonly unreachable: readonly Obstacle[];
  readonly reboots: number;
  /** Hosts that the drain hook empties, since they reboot; 0 without one. */
  readonly drains: number;
  /** What everybody who looks at the plan has to see. */
  readonly warnings: readonly string[];
  readonly notKnown: readonly NotKnown[];
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
  const hostsOf = (some: readonly Kind[]) => some.reduce((sum, { hosts }) => sum + hosts.length, 0);
  const changing = hostsOf(kinds);
  const rebooting = hostsOf(kinds.filter(({ reboots }) => reboots > 0));
  return {
    plan,
    kinds,
    changing,
    compliant: plan.hosts.filter((h) => h.plan.kind === 'compliant').map((h) => h.connection.name),
    compliantLeft: leftOnCompliant(plan),
    blocked: obstacles(plan.hosts, ['blocked', 'held']),
    unreachable: obstacles(plan.hosts, ['unreachable']),
    reboots: kinds.reduce((sum, kind) => sum + kind.reboots * kind.hosts.length, 0),
    drains: plan.spec.hooks.drain === undefined ? 0 : rebooting,
    warnings: warningsOf(plan, kinds),
    notKnown: notKnown(plan, kinds),
    guests: guestsOf(plan),
    ...preview,
  };
}

function leftOnCompliant({ hosts }: PlanFile): PlanView['compliantLeft'] {
  const found = hosts.flatMap(({ plan, left, connection: { name } }) =>
    plan.kind === 'compliant' ? left.map((sentence) => ({ sentence, name })) : [],
  );
  return groupedBy(found, ({ sentence }) => sentence).map(([sentence, group]) => ({
    sentence,
    hosts: group.map(({ name }) => name),
  }));
}

/** Of the target and of the changes: a plan may be made by a spec whose target says less than what is left to do. */
function warningsOf({ spec }: PlanFile, kinds: readonly Kind[]): readonly string[] {
  const ofChanges = kinds.flatMap(({ changes }) => changeWarnings(changes));
  return [
    ...new Set([...targetWarnings(spec.target), ...ofChanges, ...unneeded(spec.target, kinds)]),
  ];
}

/** Of the others also what could not be traced to devices may need them, of which no host warns. */
const TOLD_WHERE_NEEDED = ['network', 'boot-vga'] as const;

/** What the spec allows and no host that has changes of devices needs: it would count for the next card that comes. */
function unneeded({ allow }: PlanFile['spec']['target'], kinds: readonly Kind[]): string[] {
  const touching = kinds.filter(({ changes }) => touchedFunctions(changes).length > 0);
  if (touching.length === 0) return [];
  return TOLD_WHERE_NEEDED.filter((name) => {
    const isNeeded = touching.some(({ warnings }) =>
      warnings.some((text) => isAllowedWarning(text, name)),
    );
    return allow.includes(name) && !isNeeded;
  }).map((name) => `allow: [${name}] is needed by no change of this plan; take it out of the spec`);
}

/**
 * Groups exist only once a kernel with the IOMMU on has made them, and VFs have addresses and groups only once they are made
 * (law 14: say what could not be predicted).
 */
function notKnown({ spec }: PlanFile, kinds: readonly Kind[]): readonly NotKnown[] {
  const { iommu, hostDma } = spec.target;
  const isAsked = iommu !== 'disabled' && (iommu !== undefined || hostDma !== undefined);
  const told = kinds.map(({ letter, changes, reboots }) => {
    const groups = isAsked && changes.some(({ kind }) => kind === 'cmdline');
    const vfs = changes.some((change) => change.kind === 'vfs' && change.after.count > 0);
    return {
      letter,
      until: reboots > 0 ? ('the reboot' as const) : ('the VFs are made' as const),
      what: [
        ...(groups ? ['IOMMU groups', "the groups' domain types"] : []),
        ...(vfs ? ['VF addresses'] : []),
        ...(vfs && !groups ? ['IOMMU groups of the VFs'] : []),
      ],
    };
  });
  return groupedBy(
    told.filter(({ what }) => what.length > 0),
    ({ until, what }) => [until, ...what].join(),
  ).map(([, group]) => {
    const [{ until, what }] = group;
    return { until, what, kinds: group.map(({ letter }) => letter) };
  });
}

function guestsOf({ hosts, spec }: PlanFile): GuestsPreview {
  const busy = hosts.filter(({ plan, guests }) => willReboot(plan) && guests.length > 0);
  return {
    guests: busy.reduce((sum, host) => sum + host.guests.length, 0),
    hosts: busy.map((host) => host.connection.name),
    drained: spec.hooks.drain !== undefined,
  };
}

function willReboot(plan: PlanHost['plan']): boolean {
  return plan.kind === 'changes' && plan.reboots > 0;
}
