/** What a PCI function is made of; it does not change while the machine runs, so hosts share these. */
export interface PciSpec {
  /** `0000:03:00.0`. */
  readonly address: string;
  /** The bridge that it sits below; absent: right below the root complex. */
  readonly below?: string;
  /** Four hex digits each. */
  readonly vendor: string;
  readonly device: string;
  /** `vvvv:dddd`; `0000:0000` unless given. */
  readonly subsystem?: string;
  /** Two hex digits; `00` unless given. */
  readonly revision?: string;
  /** Six hex digits. */
  readonly class: string;
  /** -1 (the firmware does not say) unless given. */
  readonly numaNode?: number;
  /** The kernel's own driver for it; absent: nothing takes it. */
  readonly driver?: string;
  readonly bootVga?: boolean;
  readonly sriov?: SriovSpec;
  /** Functions with the same word share an IOMMU group; absent: it has its own. */
  readonly group?: string;
  /** Its group has a reserved region of type `direct` (RMRR). */
  readonly rmrr?: boolean;
  readonly link?: { readonly speed: string; readonly width: number };
  readonly resets?: readonly string[];
  /** MSI-X vectors that its own driver takes. */
  readonly msix?: number;
  /** Whether it counts errors (Advanced Error Reporting). */
  readonly aer?: boolean;
  /** Bridges: `root` with ACS, `root-plain` without, `conventional` has no PCI Express at all. */
  readonly bridge?: 'root' | 'root-plain' | 'conventional';
  readonly net?: NetSpec;
  readonly disk?: DiskSpec;
  /** In thousandths of a degree, as hwmon has it. */
  readonly temperature?: {
    readonly label: string;
    readonly value: number;
    readonly critical: number;
  };
}

export interface SriovSpec {
  readonly total: number;
  /** From the PF's routing id to the first VF's, and from one VF's to the next (PCI Express Base, 9.3.3.9 and 9.3.3.10). */
  readonly offset: number;
  readonly stride: number;
  /** Device id and driver of the VFs. */
  readonly device: string;
  readonly driver: string;
  /** Its driver leaves the VFs there when it is unbound, as nvme does (lab). */
  readonly keepsVfs?: boolean;
  /** Its VFs have no resources until somebody gives them some by the PF, so that their native driver lets go of them (NVMe, lab). */
  readonly offlineVfs?: boolean;
}

export interface NetSpec {
  /** As udev names it. */
  readonly name: string;
  readonly mac: string;
}

/** An NVMe namespace `nvmeNn1` and its partitions. */
export interface DiskSpec {
  readonly controller: string;
  /** MAJ:MIN by name of the disk and of its partitions. */
  readonly numbers: Readonly<Record<string, string>>;
}

/** The VF of a PF at an index, as the kernel makes it: the ids of its PF but for the device (drivers/pci/iov.c). */
export function vfSpec(pf: PciSpec, index: number): PciSpec {
  const { sriov, net, below, subsystem, revision, numaNode } = pf;
  if (sriov === undefined) throw new Error(`${pf.address} has no SR-IOV`);
  return {
    address: vfAddress(pf.address, sriov, index),
    ...(below !== undefined && { below }),
    vendor: pf.vendor,
    device: sriov.device,
    ...(subsystem !== undefined && { subsystem }),
    ...(revision !== undefined && { revision }),
    class: pf.class,
    ...(numaNode !== undefined && { numaNode }),
    driver: sriov.driver,
    resets: ['flr'],
    msix: 3,
    ...(net && { net: { name: `${net.name}v${index}`, mac: vfMac(net.mac, index) } }),
  };
}

/** The PF's routing id, plus offset, plus index times stride: bus in the upper 8 bits, slot and function in the lower. */
function vfAddress(address: string, { offset, stride }: SriovSpec, index: number): string {
  const [domain = '', bus = '', slot = '', fn = ''] = address.split(/[:.]/);
  const id =
    (parseInt(bus, 16) << 8) + (parseInt(slot, 16) << 3) + Number(fn) + offset + stride * index;
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return `${domain}:${hex(id >> 8)}:${hex((id & 0xff) >> 3)}.${id & 7}`;
}

function vfMac(mac: string, index: number): string {
  const [, , ...rest] = mac.split(':');
  const last = (parseInt(rest.at(-1) ?? '0', 16) + index + 1) & 0xff;
  return ['02', '00', ...rest.slice(0, -1), last.toString(16).padStart(2, '0')].join(':');
}

/** `pci:v00008086d00001592...`, as drivers/pci/pci-sysfs.c prints it. */
export function modaliasOf(spec: PciSpec): string {
  const wide = (hex: string) => hex.toUpperCase().padStart(8, '0');
  const [vendor = '', device = ''] = (spec.subsystem ?? '0000:0000').split(':');
  const [base = '', sub = '', programming = ''] = spec.class.toUpperCase().match(/../g) ?? [];
  return (
    `pci:v${wide(spec.vendor)}d${wide(spec.device)}sv${wide(vendor)}sd${wide(device)}` +
    `bc${base}sc${sub}i${programming}`
  );
}

export const isBridge = (spec: PciSpec): boolean => spec.class.startsWith('0604');

/** What each module is called that brings a driver with another name; most have the same with `_` for `-`. */
const MODULES: Readonly<Record<string, string>> = { i801_smbus: 'i2c_i801' };

export function moduleOf(driver: string): string {
  return MODULES[driver] ?? driver.replaceAll('-', '_');
}
