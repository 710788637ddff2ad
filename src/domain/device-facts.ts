/**
 * What is known of a host's PCI functions, of who uses them, and of its guests; parsed from a snapshot by src/facts.
 * Never guessed: an unknown part is absent, and a use that could not be traced to PCI functions stands in `unresolved`.
 */
export interface DeviceFacts {
  /** Every PCI function, sorted by address. */
  readonly functions: readonly PciFunction[];
  /** IOMMU groups; empty while the IOMMU is off. */
  readonly groups: readonly IommuGroup[];
  /**
   * Uses by the host itself that could not be traced to PCI functions (ZFS, NFS, OVS, a tunnel, ...), as sentences. While one
   * stands here any function may be the one that carries it (law 1: unknown means refuse).
   */
  readonly unresolved: readonly Unresolved[];
  readonly guests: readonly GuestFacts[];
  readonly numaNodes: readonly NumaNode[];
  /** Whoever else sets how many VFs a PF has: NetworkManager, netplan, a systemd .link. */
  readonly vfCountOwners: readonly VfCountOwner[];
  /** Drivers that driverctl sets at each boot, by address (/etc/driverctl.d). */
  readonly driverctl: Readonly<Record<string, string>>;
  /** Our own files, by path: udev rules, the scripts beside them, modprobe.d, modules-load.d, tmpfiles.d. */
  readonly ownFiles: Readonly<Record<string, string>>;
  /** What makes the host's initramfs images; absent: neither of the two was seen. */
  readonly initramfsMaker?: InitramfsMaker;
  /** Installed initramfs images with the names in them that matter: files of ours, and vfio modules. */
  readonly initramfs: readonly InitramfsImage[];
  /** Names of the modules that are loaded now, from /proc/modules, with `_`. */
  readonly modules: readonly string[];
  /** Where the running kernel has the modules that our modules-load.d file names, by name; absent: it was not read. */
  readonly bootModules?: Readonly<Record<string, BootModule>>;
  /** DMI: version and date (ISO, `2023-05-01`) of the firmware; absent when DMI does not say. */
  readonly dmi: {
    readonly vendor?: string;
    readonly product?: string;
    readonly biosVersion?: string;
    readonly biosDate?: string;
  };
  /** /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts, when the module is there. */
  readonly unsafeInterrupts?: boolean;
}

export interface PciFunction {
  /** `0000:03:00.0`, lower case. */
  readonly address: string;
  /** Four lower-case hex digits each. */
  readonly vendor: string;
  readonly device: string;
  /** `vvvv:dddd`. */
  readonly subsystem?: string;
  /** Two hex digits. */
  readonly revision?: string;
  /** Six hex digits: class, subclass, programming interface; `020000` is Ethernet. */
  readonly class: string;
  /** From the pci.ids of the host, when it has pciutils. */
  readonly names?: { readonly vendor: string; readonly device: string };
  /** `null`: no driver is bound. */
  readonly driver: string | null;
  /** driver_override; `null`: none. */
  readonly override: string | null;
  /** `pci:v...`, by which modprobe finds the native module. */
  readonly modalias?: string;
  readonly group?: string;
  /** Absent when the kernel says -1. */
  readonly numaNode?: number;
  /** Bridges above it, from the root down. */
  readonly parents: readonly string[];
  readonly bootVga: boolean;
  /** A VF's PF and its index there. */
  readonly physfn?: string;
  readonly vfIndex?: number;
  readonly sriov?: SriovFacts;
  /** Names of its network interfaces. */
  readonly net: readonly string[];
  /** Speeds as the kernel prints them, without the unit's words: `8.0 GT/s`. */
  readonly link?: {
    readonly speed?: string;
    readonly width?: number;
    readonly maxSpeed?: string;
    readonly maxWidth?: number;
  };
  readonly resetMethods?: readonly string[];
  /** MSI-X vectors that are allocated now; absent: none. */
  readonly msix?: number;
  /** Bridges only: whether Access Control Services isolate what is below. */
  readonly acs?: boolean;
  /** Totals since boot; absent without AER. */
  readonly aer?: AerCounters;
  /** hwmon readings of this function, in degrees Celsius. */
  readonly temperatures?: readonly Temperature[];
  /** What the host itself does with it, as short words: `root file system`, `swap`, `SSH route (bond0)`. */
  readonly uses: readonly DeviceUse[];
}

export interface SriovFacts {
  readonly total: number;
  readonly count: number;
  readonly autoprobe: boolean;
  /** Addresses by VF index. */
  readonly vfs: readonly string[];
  /** Of the network interface; absent without one. */
  readonly mtu?: number;
  /** From `ip -j link`: entry N is of VF N, whose address is entry N of `vfs`; empty for a PF that is no network card. */
  readonly settings: readonly VfSettings[];
}

/** What the PF administers of a VF; absent parts are not known or not supported by its driver. */
export interface VfSettings {
  readonly mac?: string;
  /** 0: none. */
  readonly vlan?: number;
  readonly trust?: boolean;
  readonly spoofCheck?: boolean;
  /** Mbit/s; 0: no limit. */
  readonly maxRate?: number;
}

export interface AerCounters {
  readonly correctable: number;
  readonly nonfatal: number;
  readonly fatal: number;
}

/** How one function does: what health compares before and after. Absent parts were not to be read. */
export interface DeviceReading {
  readonly address: string;
  readonly aer?: AerCounters;
  readonly link?: PciFunction['link'];
  readonly temperatures?: readonly Temperature[];
}

export interface Temperature {
  readonly label: string;
  readonly celsius: number;
  /** The limit that hwmon names: `crit`, else `max`. */
  readonly limit?: number;
}

/** `root-disk` covers every file system of the host and swap; `network`: iSCSI, NFS, cluster and bridge uplinks of guests. */
export type UseKind = 'root-disk' | 'ssh-route' | 'boot-vga' | 'network' | 'guest';

export interface DeviceUse {
  readonly kind: UseKind;
  /** `root file system /`, `swap`, `default route (bond0)`, `guest edge-gw runs with it`. */
  readonly what: string;
}

export interface Unresolved {
  readonly kind: 'root-disk' | 'ssh-route';
  readonly what: string;
}

export interface IommuGroup {
  readonly id: string;
  /** `identity`, `DMA`, `DMA-FQ`, `unmanaged`, `blocked`. */
  readonly type: string;
  readonly members: readonly string[];
  /** It has a reserved region of type `direct`: an RMRR or unity mapping, so VFIO refuses it (kernel iommu-abi: reserved_regions). */
  readonly rmrr: boolean;
}

export interface GuestFacts {
  readonly name: string;
  readonly running: boolean;
  /** A transient guest has no configuration that would outlast it. */
  readonly persistent: boolean;
  readonly memoryKiB?: number;
  readonly vcpus?: number;
  /** CPU sets by vCPU as the configuration has them: `{ '0': '2-3' }`. */
  readonly pins: Readonly<Record<string, string>>;
  /** `<numatune><memory nodeset>`. */
  readonly nodeset?: string;
  readonly hugepages: boolean;
  readonly locked: boolean;
  /** Any memballoon but `none` (or, with a hostdev, one that inflates): incompatible with pinned memory. */
  readonly ballooning: boolean;
  /** PCI devices it is given, live or in its configuration. */
  readonly hostdevs: readonly GuestHostdev[];
  /** Label of its confinement, from the live XML: an AppArmor profile or an SELinux context. */
  readonly confinement?: string;
}

export interface GuestHostdev {
  readonly address: string;
  readonly managed: boolean;
  readonly live: boolean;
  readonly config: boolean;
}

export interface NumaNode {
  readonly id: number;
  /** A CPU list as the kernel prints it: `0-15,32-47`. */
  readonly cpus: string;
  readonly memTotalKiB: number;
  /** Pages by size in KiB. */
  readonly hugepages: Readonly<Record<string, { readonly total: number; readonly free: number }>>;
}

export interface VfCountOwner {
  /** `NetworkManager`, `netplan`, `systemd .link`. */
  readonly owner: string;
  /** The file that says so. */
  readonly where: string;
  /** The interface or address it names; absent when it matches in another way. */
  readonly names?: string;
}

/** `builtin`: in the kernel itself, so that it is never loaded; `file`: to be loaded; `none`: this kernel has no module of the name. */
export type BootModule = 'builtin' | 'file' | 'none';

/** By the program that makes images anew: `update-initramfs` of initramfs-tools, or `dracut`. */
export type InitramfsMaker = 'initramfs-tools' | 'dracut';

export interface InitramfsImage {
  readonly path: string;
  readonly names: readonly string[];
  /** It could not be listed: it may hold anything. */
  readonly unreadable?: true;
}

/** A host of which no device is known: an old capture, or a test that is about something else. */
export const EMPTY_DEVICES: DeviceFacts = {
  functions: [],
  groups: [],
  unresolved: [],
  guests: [],
  numaNodes: [],
  vfCountOwners: [],
  driverctl: {},
  ownFiles: {},
  initramfs: [],
  modules: [],
  dmi: {},
};
