import type { DeviceFacts, GuestFacts, IommuGroup, PciFunction } from '../device-facts.ts';

/** Device facts by what they are looked up by, so that planning 200 functions never scans a list for each of them. */
export interface DeviceIndex {
  readonly facts: DeviceFacts;
  readonly byAddress: ReadonlyMap<string, PciFunction>;
  /** Functions by slot: the address without its function number. */
  readonly bySlot: ReadonlyMap<string, readonly PciFunction[]>;
  /** Functions by bus: the address without slot and function. */
  readonly byBus: ReadonlyMap<string, readonly PciFunction[]>;
  /** Functions that are reached through another one, by that one's address: behind bridges, and behind a VMD or a switch. */
  readonly below: ReadonlyMap<string, readonly PciFunction[]>;
  readonly groupOf: ReadonlyMap<string, IommuGroup>;
  /** Running guests that have the function live. */
  readonly runningOn: ReadonlyMap<string, GuestFacts>;
  readonly guests: ReadonlyMap<string, GuestFacts>;
}

export function indexDevices(facts: DeviceFacts): DeviceIndex {
  const { functions, groups, guests } = facts;
  const runningOn = new Map<string, GuestFacts>();
  for (const guest of guests) {
    if (!guest.running) continue;
    for (const { address, live } of guest.hostdevs) if (live) runningOn.set(address, guest);
  }
  return {
    facts,
    byAddress: new Map(functions.map((fn) => [fn.address, fn])),
    bySlot: grouped(functions, slotOf),
    byBus: grouped(functions, busOf),
    below: belowEach(functions),
    groupOf: new Map(
      groups.flatMap((group) => group.members.map((member) => [member, group] as const)),
    ),
    runningOn,
    guests: new Map(guests.map((guest) => [guest.name, guest])),
  };
}

/** `0000:03:00` of `0000:03:00.1`. */
export const slotOf = ({ address }: PciFunction): string =>
  address.slice(0, address.lastIndexOf('.'));

/** `0000:03` of `0000:03:00.1`. */
const busOf = ({ address }: PciFunction): string => address.slice(0, address.lastIndexOf(':'));

function grouped(
  functions: readonly PciFunction[],
  keyOf: (fn: PciFunction) => string,
): ReadonlyMap<string, readonly PciFunction[]> {
  const found = new Map<string, PciFunction[]>();
  for (const fn of functions) {
    const list = found.get(keyOf(fn));
    if (list === undefined) found.set(keyOf(fn), [fn]);
    else list.push(fn);
  }
  return found;
}

function belowEach(functions: readonly PciFunction[]): ReadonlyMap<string, readonly PciFunction[]> {
  const found = new Map<string, PciFunction[]>();
  for (const fn of functions) {
    for (const parent of fn.parents) {
      const list = found.get(parent);
      if (list === undefined) found.set(parent, [fn]);
      else list.push(fn);
    }
  }
  return found;
}

/** The VFs of a PF that are there, by index. */
export function vfsOf(index: DeviceIndex, pf: PciFunction): readonly PciFunction[] {
  return (pf.sriov?.vfs ?? []).flatMap((address) => index.byAddress.get(address) ?? []);
}

/** Base class 06: host, PCI, ISA and other bridges (the PCI code and id assignment, in pci.ids). */
export const isBridge = (fn: PciFunction): boolean => fn.class.startsWith('06');

/** `0000:03:00.0 (eth0)`: by what a person finds a function again. */
export function nameOf({ address, net, names }: PciFunction): string {
  const known = net.length > 0 ? net.slice(0, 4).join(' ') : names?.device;
  return known === undefined ? address : `${address} (${known})`;
}

/** Most things named in one sentence; a plan shows it on a few lines. */
const LISTED_MAX = 12;

/** `a, b and 3 more`. */
export function listed(items: readonly string[]): string {
  const shown = items.slice(0, LISTED_MAX).join(', ');
  return items.length > LISTED_MAX ? `${shown} and ${items.length - LISTED_MAX} more` : shown;
}
