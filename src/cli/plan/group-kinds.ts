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
  /** What stays as it was found, and on how many hosts of the kind it is so; what is so on most comes first. */
  readonly left: readonly LeftAlone[];
  readonly hosts: readonly string[];
}

/** A sentence about what stays as it was found. */
export interface LeftAlone {
  readonly sentence: string;
  readonly hosts: number;
}

/** Groups the hosts that have changes by kind and gives every host its letter, in the order they came in. */
export function groupKinds(probed: readonly ProbedHost[]): {
  readonly kinds: readonly Kind[];
  readonly hosts: readonly PlanHost[];
} {
  const groups = new Map<string, ProbedHost[]>();
  for (const host of probed) {
    const key = kindKey(host);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  }
  const ordered = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const letters = new Map(ordered.map(([key], at) => [key, letter(at)]));
  const letterOf = (host: ProbedHost) => letters.get(kindKey(host) ?? '') ?? '';
  return {
    kinds: ordered.flatMap(([, hosts]) => kindOf(hosts, letterOf)),
    hosts: probed.map((host) => ({ ...host, letter: letterOf(host) })),
  };
}

function kindOf(hosts: readonly ProbedHost[], letterOf: (host: ProbedHost) => string): Kind[] {
  const [first] = hosts;
  if (first?.plan.kind !== 'changes') return [];
  const { hardware, changes, reboots, warnings } = first.plan;
  const names = hosts.map((host) => host.connection.name);
  const letter = letterOf(first);
  return [{ letter, hardware, changes, reboots, warnings, left: countLeft(hosts), hosts: names }];
}

function countLeft(hosts: readonly ProbedHost[]): readonly LeftAlone[] {
  const counts = new Map<string, number>();
  for (const { left } of hosts) {
    for (const sentence of left) counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
  }
  return [...counts]
    .map(([sentence, count]) => ({ sentence, hosts: count }))
    .sort((a, b) => b.hosts - a.hosts);
}

/**
 * What a kind's hosts share; `undefined` for a host without changes. The whole lines are not part of it, since
 * `root=UUID=...` differs on every host, nor is what is left alone, which changes nothing.
 */
function kindKey({ plan }: ProbedHost): string | undefined {
  if (plan.kind !== 'changes') return undefined;
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
