import { compact } from '../../domain/compact.ts';
import type { SriovFacts, VfSettings } from '../../domain/device-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import type { RawFunction } from './functions.ts';
import { linkedFunction } from './functions.ts';
import { jsonOf, numberIn, objectsOf, outputOf, textIn, wholeNumber } from './text.ts';

/** What one network interface says of itself and of its VFs (`ip -j link show`). */
export interface IpLink {
  readonly mtu?: number;
  readonly vfs: readonly VfSettings[];
  /** Its peer is in another network namespace, as that of a container's veth. */
  readonly peerElsewhere: boolean;
  /** Name of the interface below or of the veth's peer. */
  readonly link?: string;
}

/** Interfaces by name; empty on a host without iproute2. */
export function parseIpLinks(snapshot: Snapshot): ReadonlyMap<string, IpLink> {
  const links = new Map<string, IpLink>();
  for (const entry of objectsOf(jsonOf(outputOf(snapshot, 'ip-links')))) {
    const name = textIn(entry, 'ifname');
    if (name === undefined) continue;
    links.set(
      name,
      compact({
        mtu: numberIn(entry, 'mtu'),
        vfs: vfSettings(entry['vfinfo_list']),
        peerElsewhere: numberIn(entry, 'link_netnsid') !== undefined,
        link: textIn(entry, 'link'),
      }),
    );
  }
  return links;
}

/** SR-IOV of one function; absent when it has none (a total of 0 is none: drivers keep the capability and no VFs). */
export function sriovFacts(
  { attributes, links }: RawFunction,
  net: { readonly interfaces: readonly string[]; readonly ipLinks: ReadonlyMap<string, IpLink> },
): SriovFacts | undefined {
  const total = wholeNumber(attributes.get('sriov_totalvfs'));
  if (total === undefined || total === 0) return undefined;
  const shown = net.interfaces.flatMap((name) => net.ipLinks.get(name) ?? []);
  // With switchdev a PF has interfaces of its VFs beside its own; only its own administers them.
  const own = shown.find(({ vfs }) => vfs.length > 0) ?? shown[0];
  return compact({
    total: Math.min(total, VFS_MAX),
    count: Math.min(wholeNumber(attributes.get('sriov_numvfs')) ?? 0, VFS_MAX),
    // Absent before Linux 4.12, when VFs were always probed.
    autoprobe: attributes.get('sriov_drivers_autoprobe') !== '0',
    vfs: vfAddresses(links),
    mtu: own?.mtu,
    settings: own?.vfs ?? [],
  });
}

/** VFs of one PF: the field is 16 bits wide (PCI Express Base, SR-IOV extended capability, TotalVFs). */
const VFS_MAX = 65_535;

/** Addresses by index; ends at the first index without one, since a list has no holes. */
function vfAddresses(links: ReadonlyMap<string, string>): readonly string[] {
  const vfs: string[] = [];
  for (;;) {
    const address = linkedFunction(links.get(`virtfn${vfs.length}`));
    if (address === undefined) return vfs;
    vfs.push(address);
  }
}

/** By index, from `vfinfo_list` (iproute2 ip/ipaddress.c, print_vfinfo); a driver reports only what it supports. */
function vfSettings(list: unknown): readonly VfSettings[] {
  const settings: VfSettings[] = [];
  for (const entry of objectsOf(list)) {
    const index = numberIn(entry, 'vf');
    if (index === undefined || index !== settings.length) continue;
    const rate = objectsOf([entry['rate']])[0];
    settings.push(
      compact({
        mac: macOf(textIn(entry, 'address') ?? textIn(entry, 'mac')),
        vlan: vlanOf(entry),
        trust: flag(entry['trust']),
        spoofCheck: flag(entry['spoofchk']),
        maxRate: rate === undefined ? numberIn(entry, 'tx_rate') : numberIn(rate, 'max_tx'),
      }),
    );
  }
  return settings;
}

function macOf(text: string | undefined): string | undefined {
  const mac = text?.toLowerCase();
  return mac !== undefined && /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined;
}

/** iproute2 prints the tag in `vlan_list` or beside it, and leaves 0 out. */
function vlanOf(entry: Readonly<Record<string, unknown>>): number {
  const tagged = objectsOf(entry['vlan_list'])[0];
  return (
    (tagged === undefined ? undefined : numberIn(tagged, 'vlan')) ?? numberIn(entry, 'vlan') ?? 0
  );
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}
