import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';
import { between, functionOf } from './text.ts';
import type { IpLink } from './sriov.ts';

/** The network interfaces of a host, with what lies below each. */
export interface Interfaces {
  /** Names by the PCI function that they belong to. */
  readonly byFunction: ReadonlyMap<string, readonly string[]>;
  /** Bridges (and whatever else has members) with a guest's tap among the members. */
  readonly serveGuests: readonly string[];
  /** Down to PCI functions through bonds, bridges, VLANs, teams and macvlans. */
  trace(name: string): {
    readonly functions: ReadonlySet<string>;
    readonly lost: readonly string[];
  };
}

const CLASS = '/sys/class/net/';
const DEPTH_MAX = 32;

export function parseInterfaces(
  snapshot: Snapshot,
  ipLinks: ReadonlyMap<string, IpLink>,
): Interfaces {
  const places = new Map(between(snapshot.links, CLASS));
  const below = lowerLinks(snapshot);
  const taps = new Set(
    between(snapshot.files, CLASS, '/tun_flags').flatMap(([name]) =>
      // IFF_TAP (include/uapi/linux/if_tun.h): Ethernet frames, as guests have; a tun carries a tunnel of some program.
      (Number(lineOf(snapshot, `${CLASS}${name}/tun_flags`)) & 0x2) === 0 ? [] : [name],
    ),
  );
  const byFunction = new Map<string, string[]>();
  for (const [name, place] of places) {
    const address = functionOf(place);
    if (address === undefined) continue;
    push(byFunction, address, name);
  }
  for (const names of byFunction.values()) names.sort();
  const ends = (name: string) => taps.has(name) || isVethEnd(name, ipLinks);
  return {
    byFunction,
    serveGuests: [...below].flatMap(([name, members]) =>
      members.some((member) => taps.has(member)) ? [name] : [],
    ),
    trace: (name) => {
      const found = { functions: new Set<string>(), lost: [] as string[] };
      follow(name, { places, below, ends }, found);
      return found;
    },
  };
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Members and lower interfaces by name: links `lower_NAME` (Documentation/ABI sysfs-class-net). */
function lowerLinks(snapshot: Snapshot): ReadonlyMap<string, readonly string[]> {
  const below = new Map<string, string[]>();
  for (const path of snapshot.links.keys()) {
    if (!path.startsWith(CLASS)) continue;
    const [name = '', link = '', more] = path.slice(CLASS.length).split('/');
    if (more !== undefined || !link.startsWith('lower_')) continue;
    push(below, name, link.slice('lower_'.length));
  }
  return below;
}

/** One end of a veth pair: of a container, or of a namespace on this host; it leads to no network card. */
function isVethEnd(name: string, ipLinks: ReadonlyMap<string, IpLink>): boolean {
  const own = ipLinks.get(name);
  if (own?.peerElsewhere === true) return true;
  return own?.link !== undefined && ipLinks.get(own.link)?.link === name;
}

interface Below {
  readonly places: ReadonlyMap<string, string>;
  readonly below: ReadonlyMap<string, readonly string[]>;
  readonly ends: (name: string) => boolean;
}

function follow(
  start: string,
  layers: Below,
  found: { readonly functions: Set<string>; readonly lost: string[] },
): void {
  const seen = new Set<string>();
  const isEnd = (name: string, depth: number) => name === 'lo' || (depth > 0 && layers.ends(name));
  const visit = (name: string, depth: number): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const address = functionOf(layers.places.get(name) ?? '');
    const members = depth > DEPTH_MAX ? [] : (layers.below.get(name) ?? []);
    if (address !== undefined) found.functions.add(address);
    else if (members.length > 0) for (const member of members) visit(member, depth + 1);
    // A bridge's members that end in a guest or a container do not carry the host's own traffic out.
    else if (!isEnd(name, depth)) {
      found.lost.push(`${name} has no network card below it`);
    }
  };
  visit(start, 0);
  if (found.functions.size === 0 && found.lost.length === 0 && start !== 'lo') {
    found.lost.push(`${start} has no network card below it`);
  }
}
