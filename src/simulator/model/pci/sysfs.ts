import type { Node } from '../file-tree.ts';
import { folder, line, link, text, type VirtualFiles } from '../virtual-files.ts';
import { disksOf } from './device-files.ts';
import { functionFile, namesOf } from './function-files.ts';
import type { PciBus } from './pci-bus.ts';
import type { PciFunction } from './pci-function.ts';

const BUS = '/sys/bus/pci';
const GROUPS = '/sys/kernel/iommu_groups';
const NET = '/sys/class/net';
const BLOCK = '/sys/class/block';
const LO = '/sys/devices/virtual/net/lo';

/** Region of the message-signalled interrupts, which each group of an Intel machine reserves. */
const MSI_REGION = '0x00000000fee00000 0x00000000feefffff msi\n';
const RMRR_REGION = '0x000000007b000000 0x000000007b7fffff direct\n';

/** What sysfs shows of the PCI bus: made from the bus at each look, since thousands of hosts could not keep it all. */
export class PciFiles implements VirtualFiles {
  readonly roots: readonly string[];
  private readonly bus: PciBus;

  constructor(bus: PciBus, rootComplexes: readonly string[]) {
    this.bus = bus;
    this.roots = [BUS, GROUPS, NET, BLOCK, LO, '/dev/vfio', ...rootComplexes];
  }

  node(path: string): Node | undefined {
    if (path.startsWith('/sys/devices/')) return this.device(path);
    if (path.startsWith(BUS)) return this.onBus(path.slice(BUS.length));
    if (path.startsWith(GROUPS)) return this.group(path, path.slice(GROUPS.length + 1));
    if (path.startsWith('/sys/class/')) return this.inClass(path);
    return path.startsWith('/dev/vfio')
      ? this.vfioNode(path.slice('/dev/vfio/'.length))
      : undefined;
  }

  private device(path: string): Node | undefined {
    const own = this.bus.byFolder.get(path);
    if (own !== undefined) return folder(() => [...namesOf(own), ...this.below(own)]);
    if (path.startsWith(LO)) return loopback(path.slice(LO.length + 1));
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      const fn = this.bus.byFolder.get(path.slice(0, cut));
      if (fn !== undefined) return functionFile(fn, path.slice(cut + 1));
    }
    const root = this.bus.roots.get(path);
    return root && folder(() => root.map(({ address }) => address));
  }

  private below({ folder: own }: PciFunction): readonly string[] {
    return [...this.bus.functions.values()]
      .filter(({ folder: it, address }) => it === `${own}/${address}`)
      .map(({ address }) => address);
  }

  private onBus(rest: string): Node | undefined {
    const [, area, name, attribute] = rest.split('/');
    switch (area) {
      case undefined:
        return folder(() => ['devices', 'drivers', 'drivers_autoprobe', 'drivers_probe']);
      case 'drivers_autoprobe':
        return line('1', 0o644);
      case 'drivers_probe':
        return text('', 0o200);
      case 'devices': {
        if (name === undefined) return folder(() => this.bus.functions.keys());
        const fn = attribute === undefined ? this.bus.at(name) : undefined;
        return fn && link(`${BUS}/devices`, fn.folder);
      }
      case 'drivers':
        return name === undefined
          ? folder(() => this.bus.drivers.keys())
          : this.driver(name, attribute, rest.split('/').length);
      default:
        return undefined;
    }
  }

  private driver(name: string, attribute: string | undefined, depth: number): Node | undefined {
    if (!this.bus.drivers.has(name) || depth > 4) return undefined;
    const bound = [...this.bus.functions.values()].filter(({ driver }) => driver === name);
    if (attribute === undefined) {
      return folder(() => [
        'bind',
        'new_id',
        'remove_id',
        'unbind',
        ...bound.map((it) => it.address),
      ]);
    }
    if (['bind', 'unbind', 'new_id', 'remove_id'].includes(attribute)) return text('', 0o200);
    const fn = bound.find(({ address }) => address === attribute);
    return fn && link(`${BUS}/drivers/${name}`, fn.folder);
  }

  private group(path: string, rest: string): Node | undefined {
    const { groups, domainType } = this.bus;
    if (path === GROUPS) return folder(() => [...groups.keys()].map(String));
    const [id = '', name, address] = rest.split('/');
    const members = /^(0|[1-9]\d*)$/.test(id) ? groups.get(Number(id)) : undefined;
    return members && groupFile(members, domainType ?? '', [id, name, address]);
  }

  private inClass(path: string): Node | undefined {
    const [, , , kind, name, more] = path.split('/');
    if (more !== undefined) return undefined;
    if (kind === 'net') return this.netClass(name);
    return kind === 'block' ? this.blockClass(name) : undefined;
  }

  private netClass(name: string | undefined): Node | undefined {
    const cards = [...this.bus.functions.values()].filter(({ net }) => net !== undefined);
    if (name === undefined) return folder(() => ['lo', ...cards.map(({ netdev }) => netdev ?? '')]);
    if (name === 'lo') return link(NET, LO);
    const card = cards.find(({ netdev }) => netdev === name);
    return card && link(NET, `${card.folder}/net/${name}`);
  }

  private blockClass(name: string | undefined): Node | undefined {
    const disks = [...this.bus.functions.values()].flatMap((fn) => [...disksOf(fn)]);
    if (name === undefined) return folder(() => disks.map(([disk]) => disk));
    const found = disks.find(([disk]) => disk === name);
    return found && link(BLOCK, found[1]);
  }

  /** /dev/vfio/vfio is there from the start (devname in modules.devname); a group's node while a member is on vfio-pci. */
  private vfioNode(name: string): Node | undefined {
    const groups = [...this.bus.functions.values()]
      .filter(({ driver }) => driver === 'vfio-pci')
      .map(({ group }) => String(group));
    if (name === '') return folder(() => ['vfio', ...groups]);
    return name === 'vfio' || groups.includes(name) ? { kind: 'device' } : undefined;
  }
}

/** What reserved_regions of a group holds; an RMRR of one member counts for all. */
export function reservedRegions(members: readonly PciFunction[]): string {
  return `${members.some(({ spec }) => spec.rmrr === true) ? RMRR_REGION : ''}${MSI_REGION}`;
}

function loopback(name: string): Node | undefined {
  const lines: Readonly<Record<string, string>> = {
    address: '00:00:00:00:00:00',
    mtu: '65536',
    operstate: 'unknown',
    type: '772',
  };
  if (name === '') return folder(() => Object.keys(lines));
  const value = lines[name];
  return value === undefined ? undefined : line(value);
}

function groupFile(
  members: readonly PciFunction[],
  type: string,
  [id, name, address]: readonly (string | undefined)[],
): Node | undefined {
  switch (name) {
    case undefined:
      return folder(() => ['devices', 'reserved_regions', 'type']);
    case 'type':
      return line(type, 0o644);
    case 'reserved_regions':
      return text(reservedRegions(members));
    case 'devices': {
      if (address === undefined) return folder(() => members.map((it) => it.address));
      const fn = members.find((it) => it.address === address);
      return fn && link(`${GROUPS}/${id ?? ''}/devices`, fn.folder);
    }
    default:
      return undefined;
  }
}
