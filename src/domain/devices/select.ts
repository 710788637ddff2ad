import { blocked } from '../blocked.ts';
import type { Blocked } from '../blocked.ts';
import type { PciFunction } from '../device-facts.ts';
import type { DeviceMatch, DeviceTarget, Target } from '../spec.ts';
import type { DeviceIndex } from './device-index.ts';
import { isBridge, listed, nameOf, slotOf } from './device-index.ts';
import type { EarlierNames, NamesBefore } from './earlier-names.ts';

/** What one entry of `target.devices` means on one host. */
export interface SelectedEntry {
  readonly entry: DeviceTarget;
  /** What its `match` finds, sorted by address: what `expect` counts and what guests name by index. */
  readonly matches: readonly PciFunction[];
  /** The matches, with `functions: all` also the rest of their slots: whose driver the entry decides. */
  readonly claimed: readonly PciFunction[];
}

export interface Selection {
  readonly entries: readonly SelectedEntry[];
  /** Name of the entry by address of what it claims. */
  readonly claimedBy: ReadonlyMap<string, DeviceTarget>;
}

/**
 * The functions that each entry means; a block where an entry finds another number than it expects or nothing at all, where
 * two entries mean one function, or where one means a PF and another its VF.
 */
export function selectDevices(
  index: DeviceIndex,
  target: Pick<Target, 'devices'>,
  names: NamesBefore,
): Selection | Blocked {
  const entries: SelectedEntry[] = [];
  const finder = new Finder(index, names);
  for (const entry of target.devices) {
    const matches = finder.find(entry.match);
    const problem =
      countProblem(entry, matches, () => finder.passedOver(entry.match)) ??
      bridgeProblem(entry, matches);
    if (problem !== undefined) return problem;
    entries.push({ entry, matches, claimed: claimedBy(index, entry, matches) });
  }
  const claims = new Map<string, DeviceTarget>();
  for (const { entry, claimed } of entries) {
    for (const fn of claimed) {
      const other = claims.get(fn.address);
      if (other !== undefined) return claimedTwice(fn, other, entry);
      claims.set(fn.address, entry);
    }
  }
  return pfAndVf(index, claims) ?? { entries, claimedBy: claims };
}

class Finder {
  private readonly index: DeviceIndex;
  private readonly names: NamesBefore;

  constructor(index: DeviceIndex, names: NamesBefore) {
    this.index = index;
    this.names = names;
  }

  find(match: DeviceMatch): readonly PciFunction[] {
    if (match.address !== undefined) {
      const fn = this.index.byAddress.get(match.address);
      return fn !== undefined && fitsClass(fn, match) && this.fits(fn, match) ? [fn] : [];
    }
    // VFs come and go with their PF, and bridges carry others: neither is meant by what they are alike in.
    return this.index.facts.functions.filter(
      (fn) => isMeantByKind(fn) && fitsClass(fn, match) && this.fits(fn, match),
    );
  }

  /** What fits and is not meant all the same. */
  passedOver(match: DeviceMatch): readonly PciFunction[] {
    if (match.address !== undefined) return [];
    return this.index.facts.functions.filter(
      (fn) => !isMeantByKind(fn) && fitsClass(fn, match) && this.fits(fn, match),
    );
  }

  private fits(fn: PciFunction, match: DeviceMatch): boolean {
    const { id, subsystem, revision, numaNode } = match;
    return (
      (id === undefined || id === `${fn.vendor}:${fn.device}`) &&
      (subsystem === undefined || subsystem === fn.subsystem) &&
      (revision === undefined || revision === fn.revision) &&
      (numaNode === undefined || numaNode === fn.numaNode) &&
      this.fitsNames(fn, match)
    );
  }

  private fitsNames(fn: PciFunction, { driver, netdev }: DeviceMatch): boolean {
    const earlier = driver === undefined && netdev === undefined ? undefined : this.earlier(fn);
    const drivers = [fn.driver, earlier?.driver];
    const net = [...fn.net, ...(earlier?.net ?? [])];
    return (
      (driver === undefined || drivers.includes(driver)) &&
      (netdev === undefined || net.includes(netdev))
    );
  }

  /** Asked for only of a function that vfleet may have bound. */
  private earlier(fn: PciFunction): EarlierNames | undefined {
    if (fn.driver !== 'vfio-pci' && fn.driver !== null) return undefined;
    return this.names().get(fn.address);
  }
}

const isMeantByKind = (fn: PciFunction): boolean => fn.physfn === undefined && !isBridge(fn);

const fitsClass = (fn: PciFunction, match: DeviceMatch): boolean =>
  fn.class.startsWith(match.class ?? '');

function countProblem(
  entry: DeviceTarget,
  matches: readonly PciFunction[],
  passedOver: () => readonly PciFunction[],
): Blocked | undefined {
  const { name, expect } = entry;
  if (expect !== undefined && matches.length !== expect) {
    const found = matches.length === 0 ? never(passedOver()) : `: ${listed(matches.map(nameOf))}`;
    return blocked(
      'devices.count',
      `entry "${name}" matched ${matches.length}, expected ${expect}${found}; change match or expect, or leave this host out by the entry's hosts`,
    );
  }
  if (matches.length > 0 || expect === 0) return undefined;
  return blocked(
    'devices.no-match',
    `entry "${name}" matches no device (${matchText(entry.match)})${never(passedOver())}; change match, or leave this host out by the entry's hosts`,
  );
}

/** Why nothing was found where something fits. */
function never(passedOver: readonly PciFunction[]): string {
  const some = (names: readonly string[]) => `: ${listed(names)}`;
  const bridges = passedOver.filter(isBridge).map(nameOf);
  const vfs = passedOver.filter((fn) => !isBridge(fn)).map(nameOf);
  return [
    ...(bridges.length === 0
      ? []
      : [
          `; bridges and the chipset (class 06) never match, since others are reached through them${some(bridges)}`,
        ]),
    ...(vfs.length === 0 ? [] : [`; VFs match by address only, or in vfs of their PF${some(vfs)}`]),
  ].join('');
}

const matchText = (match: DeviceMatch): string =>
  Object.entries(match)
    .map(([part, value]) => `${part} ${String(value)}`)
    .join(', ');

function bridgeProblem(
  { name }: DeviceTarget,
  matches: readonly PciFunction[],
): Blocked | undefined {
  const bridge = matches.find(isBridge);
  if (bridge === undefined) return undefined;
  return blocked(
    'devices.bridge',
    `${nameOf(bridge)} of entry "${name}" is a bridge: others are reached through it, and VFIO takes none; name the device below it`,
  );
}

function claimedBy(
  index: DeviceIndex,
  { functions }: DeviceTarget,
  matches: readonly PciFunction[],
): readonly PciFunction[] {
  if (functions === 'matched') return matches;
  const found = new Map(matches.map((fn) => [fn.address, fn]));
  for (const match of matches) {
    for (const fn of index.bySlot.get(slotOf(match)) ?? []) {
      if (!isBridge(fn) && fn.physfn === match.physfn) found.set(fn.address, fn);
    }
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function claimedTwice(fn: PciFunction, one: DeviceTarget, other: DeviceTarget): Blocked {
  const who =
    one === other ? `entry "${one.name}" twice` : `entries "${one.name}" and "${other.name}"`;
  return blocked(
    'devices.claimed-twice',
    `${nameOf(fn)} is meant by ${who}; narrow one of them, so that each device has one owner in the spec`,
  );
}

/** A PF that goes to a guest takes its VFs along, and one that makes VFs decides over them. */
function pfAndVf(
  index: DeviceIndex,
  claims: ReadonlyMap<string, DeviceTarget>,
): Blocked | undefined {
  for (const [address, entry] of claims) {
    const physfn = index.byAddress.get(address)?.physfn;
    const owner = physfn === undefined ? undefined : claims.get(physfn);
    if (physfn === undefined || owner === undefined) continue;
    return blocked(
      'devices.pf-and-vf',
      `entry "${entry.name}" claims ${address}, a VF of ${physfn}, which entry "${owner.name}" claims; give the VF its driver in vfs.groups of the PF's entry, or leave the PF out`,
    );
  }
  return undefined;
}
