import { compact } from '../../domain/compact.ts';
import type { DeviceFacts, PciFunction, SriovFacts } from '../../domain/device-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import { parseAcs } from './acs.ts';
import { DiskUses } from './disk-uses.ts';
import { Findings } from './findings.ts';
import type { OwnFacts, RawFunction } from './functions.ts';
import { FUNCTIONS_MAX, ownFacts, rawFunctions } from './functions.ts';
import { parseGroups } from './groups.ts';
import { parseInitramfs, parseInitramfsMaker } from './initramfs.ts';
import type { ReadGuest } from './guests.ts';
import { parseGuests } from './guests.ts';
import { parseInterfaces } from './interfaces.ts';
import { parseNumaNodes } from './memory.ts';
import { NetworkUses } from './network-uses.ts';
import { parsePciNames } from './pci-names.ts';
import { parseAer, parseMsix, temperatures } from './readings.ts';
import {
  parseBootModules,
  parseDmi,
  parseDriverctl,
  parseModules,
  parseOwnFiles,
  parseUnsafeInterrupts,
  parseVfCountOwners,
} from './settings.ts';
import { parseIpLinks, sriovFacts } from './sriov.ts';

export { parseInitramfs } from './initramfs.ts';

/**
 * What is known of a host's devices and guests. What was not read is empty or absent; but where it was not read who uses
 * the devices, that stands in `unresolved`, since unknown is not unused.
 */
export function parseDevices(snapshot: Snapshot): DeviceFacts {
  const findings = new Findings();
  const { functions: raw, cut } = rawFunctions(snapshot);
  if (cut) findings.lose('root-disk', `this host has more than ${FUNCTIONS_MAX} PCI functions`);
  const own = raw.flatMap((it) => {
    const facts = ownFacts(it);
    return facts === undefined ? [] : [{ raw: it, facts }];
  });
  const ipLinks = parseIpLinks(snapshot);
  const interfaces = parseInterfaces(snapshot, ipLinks);
  const guests = parseGuests(snapshot, findings);
  findUses(snapshot, { findings, interfaces, guests, functions: own.map(({ facts }) => facts) });
  const functions = withReadings(snapshot, own, (it, facts) => {
    const net = interfaces.byFunction.get(it.address) ?? [];
    return {
      net,
      sriov: sriovFacts(it, { interfaces: net, ipLinks }),
      uses: [
        ...findings.of(it.address),
        ...(facts.bootVga ? [{ kind: 'boot-vga' as const, what: 'boot VGA' }] : []),
      ],
    };
  });
  return compact({
    functions,
    groups: parseGroups(snapshot, functions),
    unresolved: findings.unresolved,
    guests: guests.map(({ facts }) => facts),
    numaNodes: parseNumaNodes(snapshot),
    vfCountOwners: parseVfCountOwners(snapshot),
    driverctl: parseDriverctl(snapshot),
    ownFiles: parseOwnFiles(snapshot),
    initramfsMaker: parseInitramfsMaker(snapshot),
    initramfs: parseInitramfs(snapshot),
    modules: parseModules(snapshot),
    bootModules: parseBootModules(snapshot),
    dmi: parseDmi(snapshot),
    unsafeInterrupts: parseUnsafeInterrupts(snapshot),
  });
}

/** Who uses which function: the host's disks and networks, and its guests. */
function findUses(
  snapshot: Snapshot,
  parts: {
    readonly findings: Findings;
    readonly interfaces: ReturnType<typeof parseInterfaces>;
    readonly guests: readonly ReadGuest[];
    readonly functions: readonly OwnFacts[];
  },
): void {
  const { findings, interfaces, guests, functions } = parts;
  const network = new NetworkUses(snapshot, { findings, interfaces, functions });
  const disks = new DiskUses(snapshot, findings, network.routeTo);
  disks.find();
  network.find();
  for (const { facts, disks: paths, interfaces: names } of guests) {
    for (const path of paths) disks.guestDisk(path, facts.name);
    for (const name of names) network.guestInterface(name, facts.name);
    for (const { address, live } of facts.hostdevs) {
      if (live) findings.add(address, 'guest', `guest ${facts.name} runs with it`);
    }
  }
}

function withReadings(
  snapshot: Snapshot,
  own: readonly { readonly raw: RawFunction; readonly facts: OwnFacts }[],
  rest: (
    raw: RawFunction,
    facts: OwnFacts,
  ) => Pick<PciFunction, 'net' | 'uses'> & { readonly sriov: SriovFacts | undefined },
): readonly PciFunction[] {
  const aer = parseAer(snapshot);
  const msix = parseMsix(snapshot);
  const acs = parseAcs(snapshot);
  const nameOf = parsePciNames(snapshot);
  const indices = vfIndices(own.map(({ raw }) => raw));
  return own.map(({ raw, facts }) => {
    const { address } = raw;
    return compact({
      ...facts,
      names: nameOf(facts),
      vfIndex: indices.get(address),
      msix: msix.get(address),
      acs: acs.get(address),
      aer: aer.get(address),
      temperatures: temperatures(raw),
      ...rest(raw, facts),
    });
  });
}

/** Index by the VF's address, from the `virtfnN` links of PFs. */
function vfIndices(raw: readonly RawFunction[]): ReadonlyMap<string, number> {
  const indices = new Map<string, number>();
  for (const { links } of raw) {
    for (const [name, target] of links) {
      const index = /^virtfn(\d{1,5})$/.exec(name)?.[1];
      const address = target.slice(target.lastIndexOf('/') + 1);
      if (index !== undefined) indices.set(address, Number(index));
    }
  }
  return indices;
}
