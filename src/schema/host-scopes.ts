import type { HostEntry } from '../domain/host-entry.ts';
import type { GuestTarget, Target } from '../domain/spec.ts';
import type { HostScope } from '../domain/target-for.ts';
import { attachedKey } from './attach-problems.ts';
import { domainNameProblem, domainOn, isPerHost } from './guest-domain.ts';
import { type Inventory, selectHosts } from './host-pattern.ts';
import { macsOf } from './shared-macs.ts';
import type { Path } from './yaml-text.ts';

/** What the inventory shows of a part of the spec, and where that stands in it. */
export interface ScopeProblem {
  /** From the root of the spec: `['target', 'guests', 0, 'domain']`. */
  readonly path: Path;
  /** One sentence without a full stop, to be read after the path. */
  readonly message: string;
}

/** What of a target holds on each of the selected hosts; or every reason why that cannot be said, with places in the spec. */
export type HostScopes =
  | {
      readonly ok: true;
      /** By the hosts' names; empty when nothing of the target differs between hosts. */
      readonly scopes: ReadonlyMap<string, HostScope>;
      readonly warnings: readonly ScopeProblem[];
    }
  | { readonly ok: false; readonly problems: readonly ScopeProblem[] };

/** Most hosts that one message names. */
const NAMED_MAX = 8;

type Scoped = Pick<Target, 'devices' | 'guests'>;

/** Whether entries of the target hold on some hosts only, or have other names there. */
function differsByHost({ devices, guests }: Scoped): boolean {
  return (
    devices.some((entry) => entry.hosts !== undefined) ||
    guests.some((entry) => entry.hosts !== undefined || isPerHost(entry.domain))
  );
}

/**
 * Evaluates the host patterns of device and guest entries over the whole inventory, as `hosts.select` is, and fills host
 * variables into the guests' names. `hosts` are those that the spec selects.
 */
export function hostScopes(
  target: Scoped,
  inventory: Inventory,
  hosts: readonly HostEntry[],
): HostScopes {
  if (!differsByHost(target)) {
    return { ok: true, scopes: new Map(), warnings: sharedMacs(target, () => hosts.length) };
  }
  const devices = target.devices.map((entry, at) => holdsOn(entry, ['devices', at], inventory));
  const guests = target.guests.map((entry, at) => holdsOn(entry, ['guests', at], inventory));
  const wrong = [...devices, ...guests].flatMap(({ problems }) => problems);
  if (wrong.length > 0) return { ok: false, problems: wrong };
  const complaints = createComplaints();
  const scopes = new Map(
    hosts.map((host): [string, HostScope] => {
      const scope = {
        devices: [...devices.keys()].filter((at) => devices[at]?.has(host.name)),
        guests: [...guests.keys()]
          .filter((at) => guests[at]?.has(host.name))
          .flatMap((at) => guestOn(at, target.guests[at], host, complaints)),
      };
      judgeScope(target, scope, host.name, complaints);
      return [host.name, scope];
    }),
  );
  const problems = complaints.all();
  if (problems.length > 0) return { ok: false, problems };
  const count = (at: number): number => hosts.filter((host) => devices[at]?.has(host.name)).length;
  return {
    ok: true,
    scopes,
    warnings: [
      ...unused(devices, 'devices', hosts),
      ...unused(guests, 'guests', hosts),
      ...sharedMacs(target, count),
    ],
  };
}

/**
 * For one host of which no inventory is at hand: what is said of all hosts. `left` names the entries that cannot be
 * judged, by their place in the spec.
 */
export function scopeWithoutInventory({ devices, guests }: Scoped): {
  readonly scope: HostScope;
  readonly left: readonly string[];
} {
  const here = devices.flatMap((entry, at) => (entry.hosts === undefined ? [at] : []));
  const names = new Set(here.map((at) => devices[at]?.name));
  const isKnown = ({ hosts, domain, attach }: GuestTarget): boolean =>
    hosts === undefined && !isPerHost(domain) && attach.every(({ device }) => names.has(device));
  const known = guests.flatMap((entry, at) =>
    isKnown(entry) ? [{ entry: at, domain: entry.domain }] : [],
  );
  const entries = new Set(known.map(({ entry }) => entry));
  return {
    scope: { devices: here, guests: known },
    left: [
      ...[...devices.keys()].filter((at) => !here.includes(at)).map((at) => `target.devices.${at}`),
      ...[...guests.keys()].filter((at) => !entries.has(at)).map((at) => `target.guests.${at}`),
    ],
  };
}

interface Holds {
  readonly has: (host: string) => boolean;
  readonly problems: readonly ScopeProblem[];
}

function holdsOn({ hosts }: { readonly hosts?: string }, place: Path, inventory: Inventory): Holds {
  if (hosts === undefined) return { has: () => true, problems: [] };
  const selected = selectHosts(inventory, hosts);
  if (!selected.ok) {
    const path = ['target', ...place, 'hosts'];
    return { has: () => false, problems: selected.messages.map((message) => ({ path, message })) };
  }
  const names = new Set(selected.hosts.map((host) => host.name));
  return { has: (name) => names.has(name), problems: [] };
}

/** Complaints about hosts, each told once with the hosts that it is about. */
interface Complaints {
  /** `words` come after the names; `place` is below `target`. */
  readonly add: (place: Path, words: string, host: string) => void;
  readonly all: () => readonly ScopeProblem[];
}

function createComplaints(): Complaints {
  const found = new Map<string, { place: Path; words: string; hosts: string[] }>();
  return {
    add: (place, words, host) => {
      const key = `${place.join('.')}: ${words}`;
      const entry = found.get(key) ?? { place, words, hosts: [] };
      entry.hosts.push(host);
      found.set(key, entry);
    },
    all: () =>
      [...found.values()].map(({ place, words, hosts }) => ({
        path: ['target', ...place],
        message: `${named(hosts)}: ${words}`,
      })),
  };
}

function named(hosts: readonly string[]): string {
  const more = hosts.length - NAMED_MAX;
  const names = hosts.slice(0, NAMED_MAX).join(', ');
  return more > 0 ? `${names} and ${more} more` : names;
}

function guestOn(
  at: number,
  guest: GuestTarget | undefined,
  host: HostEntry,
  complaints: Complaints,
): HostScope['guests'] {
  if (guest === undefined) return [];
  const place = ['guests', at, 'domain'];
  const filled = domainOn(guest.domain, host);
  if ('missing' in filled) {
    for (const name of filled.missing) {
      complaints.add(place, `no variable ${name} in the inventory`, host.name);
    }
    return [];
  }
  const problem = domainNameProblem(filled.name);
  if (problem !== undefined) complaints.add(place, problem, host.name);
  return [{ entry: at, domain: filled.name }];
}

/** What the spec alone could not say: two entries with host patterns meet on one host, or the one needs the other there. */
function judgeScope(target: Scoped, scope: HostScope, host: string, complaints: Complaints): void {
  judgeMacs(target, scope, host, complaints);
  const names = new Set(scope.devices.map((at) => target.devices[at]?.name));
  const domains = createOwners();
  const functions = createOwners();
  for (const { entry, domain } of scope.guests) {
    const place = ['guests', entry];
    const first = domains(domain, entry);
    if (first !== entry) {
      const words = `"${domain}" is the domain of target.guests.${first} there too`;
      complaints.add([...place, 'domain'], words, host);
    }
    for (const [at, attached] of (target.guests[entry]?.attach ?? []).entries()) {
      const where = [...place, 'attach', at];
      if (!names.has(attached.device)) {
        complaints.add(where, `"${attached.device}" does not hold there, by its own hosts`, host);
      }
      const owner = functions(attachedKey(attached), entry);
      if (owner === entry) continue;
      complaints.add(where, `is given to target.guests.${owner} there too`, host);
    }
  }
}

function judgeMacs(target: Scoped, scope: HostScope, host: string, complaints: Complaints): void {
  const owners = createOwners();
  for (const entry of scope.devices) {
    for (const mac of macsOf(target.devices[entry] ?? {})) {
      const first = owners(mac, entry);
      if (first === entry) continue;
      const words = `${mac} is the address of a VF of target.devices.${first} there too`;
      complaints.add(['devices', entry, 'vfs'], words, host);
    }
  }
}

/** Tells the first entry that claimed a key. */
function createOwners(): (key: string, entry: number) => number {
  const owners = new Map<string, number>();
  return (key, entry) => {
    const first = owners.get(key) ?? entry;
    owners.set(key, first);
    return first;
  };
}

function unused(
  entries: readonly Holds[],
  list: 'devices' | 'guests',
  hosts: readonly HostEntry[],
): ScopeProblem[] {
  return [...entries.entries()]
    .filter(([, holds]) => !hosts.some((host) => holds.has(host.name)))
    .map(([at]) => ({
      path: ['target', list, at],
      message: 'holds on none of the selected hosts',
    }));
}

/** A MAC address is the same on every host, since a spec has no place for one of each. */
function sharedMacs(
  { devices }: Scoped,
  hostsWith: (at: number) => number,
): readonly ScopeProblem[] {
  return [...devices.entries()].flatMap(([at, entry]) => {
    const [mac] = macsOf(entry);
    const count = hostsWith(at);
    if (mac === undefined || count < 2) return [];
    const message = `${count} hosts would each have a VF with the address ${mac}; in one network an address is there once`;
    return { path: ['target', 'devices', at, 'vfs'], message };
  });
}
