import type { Kind } from './group-kinds.ts';
import { groupKinds } from './group-kinds.ts';
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

/** Hosts that vfleet cannot work on, with the same reason. */
export interface Obstacle {
  readonly code: string;
  readonly sentence: string;
  readonly hosts: readonly string[];
}

/** A plan as it is shown: everything counted and grouped. */
export interface PlanView {
  readonly plan: PlanFile;
  readonly kinds: readonly Kind[];
  readonly changing: number;
  readonly compliant: readonly string[];
  readonly blocked: readonly Obstacle[];
  readonly unreachable: readonly Obstacle[];
  readonly reboots: number;
  /** Hosts that the drain hook empties; 0 without one. */
  readonly drains: number;
  readonly waves: readonly WavePreview[];
  readonly budget: { readonly maxUnavailable: number; readonly maxFailures: number };
}

/** Counts and groups a plan; `waves` and `budget` come from the domain, which splits hosts the same way for a rollout. */
export function createPlanView(
  plan: PlanFile,
  preview: Pick<PlanView, 'waves' | 'budget'>,
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
    ...preview,
  };
}

/**
 * One entry for each code, with its first host's sentence: others of the same code often differ in an address only. The
 * host's own name at the start is cut.
 */
function obstacles(
  hosts: readonly PlanHost[],
  kinds: readonly PlanHost['plan']['kind'][],
): Obstacle[] {
  const found = new Map<string, { code: string; sentence: string; hosts: string[] }>();
  for (const { connection, plan } of hosts) {
    if (!kinds.includes(plan.kind) || !('code' in plan)) continue;
    const { code } = plan;
    const sentence = withoutName(plan.sentence, connection.name);
    const entry = found.get(code) ?? { code, sentence, hosts: [] };
    if (
      entry.sentence.replace(/^e\.g\. /, '') !== sentence &&
      !entry.sentence.startsWith('e.g. ')
    ) {
      entry.sentence = `e.g. ${entry.sentence}`;
    }
    entry.hosts.push(connection.name);
    found.set(code, entry);
  }
  return [...found.values()];
}

function withoutName(sentence: string, name: string): string {
  return sentence.startsWith(`${name}: `) ? sentence.slice(name.length + 2) : sentence;
}
