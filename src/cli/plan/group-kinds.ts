import type { Change } from '../../domain/changes.ts';
import type { PlanHost, ProbedHost } from './plan-file.ts';

/** Hosts whose hardware and planned changes are alike. */
export interface Kind {
  /** `A`, `B`, ... `Z`, `AA`, ...; the largest kind is A. */
  readonly letter: string;
  readonly hardware: string;
  /** The changes of its first host: all of the kind add and drop the same. */
  readonly changes: readonly Change[];
  readonly reboots: number;
  readonly warnings: readonly string[];
  readonly hosts: readonly string[];
}

/** Groups the hosts that have changes by kind and gives every host its letter, in the order they came in. */
export function groupKinds(probed: readonly ProbedHost[]): {
  readonly kinds: readonly Kind[];
  readonly hosts: readonly PlanHost[];
} {
  const groups = new Map<string, Omit<Kind, 'letter' | 'hosts'> & { hosts: string[] }>();
  for (const { connection, plan } of probed) {
    if (plan.kind !== 'changes') continue;
    const { hardware, changes, reboots, warnings } = plan;
    const key = kindKey(plan);
    const group = groups.get(key) ?? { hardware, changes, reboots, warnings, hosts: [] };
    group.hosts.push(connection.name);
    groups.set(key, group);
  }
  const ordered = [...groups].sort(([, a], [, b]) => b.hosts.length - a.hosts.length);
  const letters = new Map(ordered.map(([key], at) => [key, letter(at)]));
  return {
    kinds: ordered.map(([key, group]) => ({ letter: letters.get(key) ?? '', ...group })),
    hosts: probed.map((host) => ({
      ...host,
      letter: host.plan.kind === 'changes' ? (letters.get(kindKey(host.plan)) ?? '') : '',
    })),
  };
}

/** What a kind's hosts share. The whole lines are not part of it: `root=UUID=...` differs on every host. */
function kindKey(plan: Extract<ProbedHost['plan'], { kind: 'changes' }>): string {
  const changes = plan.changes.map((change) => [
    change.kind,
    change.loader,
    change.add,
    change.drop,
    change.dropIn.before === null,
  ]);
  return JSON.stringify([plan.hardware, changes, plan.reboots, plan.warnings]);
}

function letter(at: number): string {
  const last = String.fromCharCode(65 + (at % 26));
  return at < 26 ? last : letter(Math.floor(at / 26) - 1) + last;
}
