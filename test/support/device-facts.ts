import type {
  DeviceFacts,
  GuestFacts,
  IommuGroup,
  NumaNode,
  PciFunction,
  SriovFacts,
} from '../../src/domain/device-facts.ts';
import { EMPTY_DEVICES } from '../../src/domain/device-facts.ts';
import type { Facts, GrubDebianFacts } from '../../src/domain/facts.ts';
import { dropInText } from '../../src/domain/drop-in.ts';
import type {
  DeviceTarget,
  GuestTarget,
  Target,
  VfsTarget,
  VfTarget,
} from '../../src/domain/spec.ts';
import { NOTHING_ASKED } from '../../src/domain/spec.ts';

/** One PCI function: an Intel X710 port below a root port, bound to i40e, unless `over` says otherwise. */
export function pciFunction(address: string, over: Partial<PciFunction> = {}): PciFunction {
  return {
    address,
    vendor: '8086',
    device: '1572',
    subsystem: '8086:0001',
    revision: '02',
    class: '020000',
    driver: 'i40e',
    override: null,
    modalias: 'pci:v00008086d00001572sv00008086sd00000001bc02sc00i00',
    parents: ['0000:00:01.0'],
    bootVga: false,
    net: [],
    uses: [],
    ...over,
  };
}

/** A graphics card with its audio function, in one group when grouped. */
export function graphicsCard(slot: string): readonly [PciFunction, PciFunction] {
  const common = { vendor: '10de', subsystem: '10de:119e' };
  return [
    pciFunction(`${slot}.0`, {
      ...common,
      device: '1b80',
      class: '030000',
      driver: 'nouveau',
      modalias: 'pci:v000010DEd00001B80sv000010DEsd0000119Ebc03sc00i00',
    }),
    pciFunction(`${slot}.1`, {
      ...common,
      device: '10f0',
      class: '040300',
      driver: 'snd_hda_intel',
      modalias: 'pci:v000010DEd000010F0sv000010DEsd0000119Ebc04sc03i00',
    }),
  ];
}

/** A PCI-to-PCI bridge with the kernel's own driver. */
export function bridge(address: string): PciFunction {
  return pciFunction(address, {
    device: '1901',
    class: '060400',
    driver: 'pcieport',
    parents: [],
    modalias: 'pci:v00008086d00001901sv00000000sd00000000bc06sc04i00',
  });
}

/** A network card that can make VFs, with those that it has; each VF is `<slot>` 02 and up, on iavf. */
export function pfWithVfs(
  address: string,
  count: number,
  over: { readonly pf?: Partial<PciFunction>; readonly vf?: Partial<PciFunction> } & {
    readonly sriov?: Partial<SriovFacts>;
  } = {},
): readonly [PciFunction, ...PciFunction[]] {
  const bus = address.slice(0, 7);
  const at = (index: number) =>
    `${bus}:${(2 + Math.floor(index / 8)).toString(16).padStart(2, '0')}.${index % 8}`;
  const vfs = Array.from({ length: count }, (_, index) =>
    pciFunction(at(index), {
      device: '154c',
      driver: 'iavf',
      physfn: address,
      vfIndex: index,
      modalias: 'pci:v00008086d0000154Csv00008086sd00000000bc02sc00i00',
      ...over.vf,
    }),
  );
  const sriov: SriovFacts = {
    total: 64,
    count,
    autoprobe: true,
    vfs: vfs.map((vf) => vf.address),
    mtu: 1500,
    settings: vfs.map(() => ({ mac: '02:00:00:00:00:01', vlan: 0, trust: false })),
    ...over.sriov,
  };
  return [pciFunction(address, { net: ['ens1f0'], sriov, ...over.pf }), ...vfs];
}

/** An IOMMU group; its members' own `group` is set by `deviceFacts`. */
export function iommuGroup(
  id: string,
  members: readonly string[],
  over: Partial<IommuGroup> = {},
): IommuGroup {
  return { id, type: 'DMA', members, rmrr: false, ...over };
}

/** Facts of devices: functions sorted by address, each with the group that names it. */
export function deviceFacts(
  functions: readonly PciFunction[],
  over: Partial<DeviceFacts> = {},
): DeviceFacts {
  const groupOf = new Map(
    (over.groups ?? []).flatMap(({ id, members }) => members.map((member) => [member, id])),
  );
  return {
    ...EMPTY_DEVICES,
    numaNodes: [numaNode(0)],
    ...over,
    functions: [...functions]
      .sort((a, b) => (a.address < b.address ? -1 : 1))
      .map((fn) => {
        const group = groupOf.get(fn.address);
        return group === undefined ? fn : { ...fn, group };
      }),
  };
}

/** Each function in a group of its own: what a server board with ACS shows. */
export function ownGroups(functions: readonly PciFunction[]): readonly IommuGroup[] {
  return functions.map(({ address }, at) => iommuGroup(String(at), [address]));
}

/** A NUMA node with 64 GiB and 16 CPUs, and no huge pages set aside. */
export function numaNode(id: number, over: Partial<NumaNode> = {}): NumaNode {
  return {
    id,
    cpus: `${id * 16}-${id * 16 + 15}`,
    memTotalKiB: 64 * GIB_KIB,
    hugepages: { '2048': { total: 0, free: 0 }, '1048576': { total: 0, free: 0 } },
    ...over,
  };
}

export const GIB_KIB = 1024 * 1024;

/** A libvirt guest that is defined and shut off, with pages and memory as a guest with devices should have them. */
export function guestFacts(name: string, over: Partial<GuestFacts> = {}): GuestFacts {
  return {
    name,
    running: false,
    persistent: true,
    vcpus: 2,
    pins: {},
    hugepages: true,
    locked: true,
    ballooning: false,
    hostdevs: [],
    ...over,
  };
}

/** An Intel host on Debian 12 whose IOMMU is on by a line that says so, with these devices. */
export function hostWith(devices: DeviceFacts, over: Partial<Facts> = {}): Facts {
  const args = ['root=UUID=58589ca0', 'ro', 'intel_iommu=on', 'iommu=pt'];
  return {
    hostname: 'hv1',
    machineId: '372606fc7a5c487588aad46cfe14e661',
    bootId: 'bb125078-dc56-4c19-8a00-20167914c78b',
    os: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
    kernelRelease: '6.1.0-56-amd64',
    runningArgs: args,
    cpu: { vendor: 'intel', virtualization: true },
    firmware: { dmar: true, ivrs: false },
    iommu: {
      units: ['dmar0'],
      groups: devices.groups.map(({ id }) => ({ id, type: 'identity' })),
      interruptRemapping: true,
    },
    root: true,
    kvm: true,
    qemu: true,
    memTotalKiB: 64 * GIB_KIB,
    runningGuests: [],
    crashKernel: false,
    bootLoader: grubWith(args),
    devices,
    ...over,
  };
}

/** GRUB as Debian has it, with a default entry of these arguments. */
export function grubWith(
  args: readonly string[],
  over: Partial<GrubDebianFacts> = {},
): GrubDebianFacts {
  return {
    supported: true,
    kind: 'grub-debian',
    defaultEntry: { title: 'Debian GNU/Linux', kernel: '/boot/vmlinuz-6.1.0-56-amd64', args },
    dropInFolder: true,
    oneShot: { safe: true },
    ...over,
  };
}

/** The same host with another line, all of which our drop-in added. */
export function withLine(facts: Facts, added: readonly string[]): Facts {
  const args = ['root=UUID=58589ca0', 'ro', 'intel_iommu=on', 'iommu=pt', ...added];
  const dropIn = dropInText({ add: added, drop: [] });
  return { ...facts, runningArgs: args, bootLoader: grubWith(args, { dropIn }) };
}

/** A target that asks for these parts and nothing else. */
export const targetOf = (over: Partial<Target>): Target => ({ ...NOTHING_ASKED, ...over });

/** An entry of `target.devices` that gives its matches to vfio-pci. */
export function deviceEntry(over: Partial<DeviceTarget> & Pick<DeviceTarget, 'match'>) {
  return {
    name: 'nics',
    guarded: 'refuse' as const,
    functions: 'matched' as const,
    bind: 'override' as const,
    ...(over.vfs === undefined ? { driver: 'vfio-pci' as const } : {}),
    ...over,
  };
}

/** `vfs` of an entry: `count` VFs for guests. */
export function vfsTarget(count: number, each: Partial<VfTarget> = {}, mtu?: number): VfsTarget {
  const vfs = Array.from({ length: count }, (): VfTarget => ({ driver: 'vfio-pci', ...each }));
  return { count, vfs, ...(mtu === undefined ? {} : { mtu }) };
}

/** An entry of `target.guests`. */
export function guestEntry(over: Partial<GuestTarget> & Pick<GuestTarget, 'attach'>): GuestTarget {
  return {
    domain: 'edge-gw',
    managed: false,
    confined: 'recorded',
    pin: 'as-found',
    ...over,
  };
}
