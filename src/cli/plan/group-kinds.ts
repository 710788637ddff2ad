import type { Change } from '../../domain/changes.ts';
import type { HostScope } from '../../domain/target-for.ts';
import { describeChanges } from '../render/describe-changes.ts';
import type { PlanHost, ProbedHost } from './plan-file.ts';

/** Hosts whose hardware and planned changes are alike. */
export interface Kind {
  /** `A`, `B`, ... `Z`, `AA`, ...; the largest kind is A. */
  readonly letter: string;
  readonly hardware: string;
  /** The changes of its first host: what is done is the same on all of the kind, what was there before may differ. */
  readonly changes: readonly Change[];
  /** The same guest of the spec has another name on other hosts of the kind. */
  readonly ownGuests: boolean;
  /** The same VF has another MAC address on other hosts of the kind: by entries of the spec with host patterns. */
  readonly ownMacs: boolean;
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
  const keys = probed.map(kindKey);
  const groups = new Map<string, ProbedHost[]>();
  probed.forEach((host, at) => {
    const key = keys[at];
    if (key === undefined) return;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  });
  const ordered = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const letters = new Map(ordered.map(([key], at) => [key, letter(at)]));
  return {
    kinds: ordered.flatMap(([, hosts], at) => kindOf(hosts, letter(at))),
    hosts: probed.map((host, at) => ({ ...host, letter: letters.get(keys[at] ?? '') ?? '' })),
  };
}

function kindOf(hosts: readonly ProbedHost[], letter: string): Kind[] {
  const [first] = hosts;
  if (first?.plan.kind !== 'changes') return [];
  const { hardware, changes, reboots, warnings } = first.plan;
  const names = hosts.map((host) => host.connection.name);
  const guests = new Set(hosts.map((host) => guestsOf(host).join('\n')));
  return [
    {
      letter,
      hardware,
      changes,
      ownGuests: guests.size > 1,
      ownMacs: new Set(hosts.map((host) => macsOf(host).join(' '))).size > 1,
      reboots,
      warnings,
      left: countLeft(hosts),
      hosts: names,
    },
  ];
}

function guestsOf({ plan }: ProbedHost): readonly string[] {
  if (plan.kind !== 'changes') return [];
  return plan.changes.flatMap((change) => (change.kind === 'attach' ? change.domain : []));
}

function macsOf({ plan }: ProbedHost): readonly string[] {
  if (plan.kind !== 'changes') return [];
  return plan.changes.flatMap((change) =>
    change.kind === 'vfs' ? change.after.vfs.map(({ mac = '-' }) => mac) : [],
  );
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
 * What a kind's hosts share; `undefined` for a host without changes. It is what a plan says of them, so that the words over
 * a kind hold on each of its hosts. The whole kernel lines are not part of it, since `root=UUID=...` differs on every
 * host, nor are MAC addresses, nor what is left alone, which changes nothing.
 */
function kindKey(host: ProbedHost): string | undefined {
  const { plan } = host;
  if (plan.kind !== 'changes') return undefined;
  const guest = (domain: string) => guestEntry(host, domain);
  const lines = describeChanges(plan.changes, { exact: false, guest });
  return JSON.stringify([plan.hardware, lines, plan.reboots, plan.warnings]);
}

/** Which guest of the spec it is: by its entry, since its name may be made from a host's own variable. */
function guestEntry({ scope }: { readonly scope?: HostScope }, domain: string): string {
  const guest = scope?.guests.find((one) => one.domain === domain);
  return guest === undefined ? domain : `entry ${guest.entry}`;
}

function letter(at: number): string {
  const last = String.fromCharCode(65 + (at % 26));
  return at < 26 ? last : letter(Math.floor(at / 26) - 1) + last;
}
