/**
 * A rollout's spec after parsing: every default filled in, times in milliseconds, shares as numbers.
 * src/schema is the only producer. What this release does not build yet is refused there, never carried here.
 */
export interface Spec {
  readonly name: string;
  readonly owner: Owner;
  readonly hosts: { readonly inventory: InventorySource; readonly select: string };
  readonly target: Target;
  readonly waves: readonly WaveSpec[];
  readonly limits: Limits;
  readonly hooks: Hooks;
  readonly reboot: RebootPolicy;
  readonly onHostFailure: 'hold' | 'rollback';
  readonly onBudgetSpent: 'pause' | 'rollback';
}

export interface Owner {
  readonly team?: string;
  readonly contact?: string;
  readonly ticket?: string;
}

/** A file or folder, relative to the spec's own folder; or a command that prints `ansible-inventory --list` JSON. */
export type InventorySource =
  { readonly path: string } | { readonly command: readonly [string, ...string[]] };

/** The desired state of every host. Absent parts are left as found. */
export interface Target {
  readonly iommu?: 'enabled' | 'disabled';
  /** `passthrough` is `iommu=pt`: host drivers bypass translation; guests are isolated either way. */
  readonly hostDma?: 'passthrough' | 'translated';
  readonly kernelArgs: { readonly present: readonly string[]; readonly absent: readonly string[] };
  readonly hugepages: readonly HugepagesTarget[];
  /** Memory that hugepages must leave to the host, in KiB. */
  readonly hugepagesReserveKiB: number;
  readonly devices: readonly DeviceTarget[];
  readonly guests: readonly GuestTarget[];
  readonly modules: ModulesTarget;
  readonly firmware: FirmwareTarget;
  readonly allow: readonly Allow[];
}

/** What a person takes responsibility for by name (law 1). */
export type Allow = 'ssh-route' | 'root-disk' | 'boot-vga' | 'network' | 'unsafe-interrupts';

export interface HugepagesTarget {
  readonly sizeKiB: 2048 | 1048576;
  readonly count: number;
  /** NUMA node; absent: the kernel spreads them. */
  readonly node?: number;
  /** `boot`: by kernel argument, before memory is in pieces; `runtime`: by sysfs, and again at each boot. */
  readonly at: 'boot' | 'runtime';
}

/** One entry of `target.devices`: which functions it means, and what is to become of them. */
export interface DeviceTarget {
  readonly name: string;
  /** Host pattern; the entry holds on these hosts only. Resolved by `targetFor` before a host is planned. */
  readonly hosts?: string;
  readonly match: DeviceMatch;
  /** What happens when a match carries SSH, the root disk, ...: `skip` leaves that one alone, `refuse` blocks the host. */
  readonly guarded: 'skip' | 'refuse';
  /** Matches that the host must have, guarded ones counted. */
  readonly expect?: number;
  /** `all`: every function of the same slot goes with a match (a GPU with its audio function). */
  readonly functions: 'matched' | 'all';
  /** The driver for the functions themselves; absent: left as found (an entry with `vfs`). */
  readonly driver?: DriverTarget;
  readonly vfs?: VfsTarget;
  /** `ids`: the classic `options vfio-pci ids=` with softdep and initramfs, in place of an override for each address. */
  readonly bind: 'override' | 'ids';
}

/** `native`: whichever driver the kernel picks by itself. */
export type DriverTarget = 'vfio-pci' | 'native';

/** All given parts must hold. */
export interface DeviceMatch {
  readonly address?: string;
  /** `vvvv:dddd`. */
  readonly id?: string;
  readonly subsystem?: string;
  readonly revision?: string;
  /** Two to six hex digits from the left: `02`, `0200`, `020000`. */
  readonly class?: string;
  /** Name of a network interface. */
  readonly netdev?: string;
  /** Name of the driver bound now or, when vfleet bound another, before. */
  readonly driver?: string;
  readonly numaNode?: number;
}

export interface VfsTarget {
  readonly count: number;
  /** Of the PF's interface; absent: left as found. */
  readonly mtu?: number;
  /** One entry for each VF, by index. */
  readonly vfs: readonly VfTarget[];
}

export interface VfTarget {
  readonly driver: DriverTarget;
  readonly mac?: string;
  readonly vlan?: number;
  readonly trust?: boolean;
  readonly spoofCheck?: boolean;
  readonly maxRate?: number;
}

export interface GuestTarget {
  /** Name of the libvirt domain; may hold `{{ host_var }}` until `targetFor` has resolved it. */
  readonly domain: string;
  readonly hosts?: string;
  readonly attach: readonly AttachTarget[];
  readonly managed: boolean;
  /** `required`: held unless the running guest is confined by AppArmor or SELinux. */
  readonly confined: 'required' | 'recorded';
  /** `device-node`: vCPUs are pinned to the CPUs of the device's NUMA node. */
  readonly pin: 'as-found' | 'device-node';
}

export interface AttachTarget {
  /** Name of an entry of `target.devices`. */
  readonly device: string;
  /** Which match of the entry, by address, from 0. */
  readonly pf: number;
  /** Index of a VF; absent: the function itself (with all functions of its slot, when the entry says so). */
  readonly vf?: number;
}

export interface ModulesTarget {
  /** Modules that must not be loaded for a device by themselves. */
  readonly blacklist: readonly string[];
  /** Modules loaded at each boot. */
  readonly load: readonly string[];
  readonly disableIdleD3: boolean;
  readonly unsafeInterrupts: boolean;
}

export interface FirmwareTarget {
  /** Compared number by number: `2.10` is newer than `2.9`. */
  readonly minVersion?: string;
  /** ISO date. */
  readonly minDate?: string;
}

/** A number of hosts, or a share of them in percent (0–100). */
export type Share =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number };

export interface WaveSpec {
  readonly name: string;
  /** `add`: that many more hosts (of each kind, with `each`); `upTo`: cumulative share of the hosts with changes. */
  readonly size:
    | { readonly kind: 'add'; readonly hosts: number; readonly each: 'kind' | null }
    | { readonly kind: 'upTo'; readonly share: Share };
  /** How many hosts of this wave may fail before no new host starts; absent: only the rollout's budget counts. */
  readonly maxFailures?: Share;
  readonly bakeMs: number;
  readonly promote: 'manual' | 'auto';
}

export interface Limits {
  /** Most hosts worked on at once, at most 500. */
  readonly parallel: number;
  /** Most hosts unavailable at once: running, held while down or drained, or down before. */
  readonly maxUnavailable: Share;
  /** Most failed hosts, cumulative over the rollout, before it pauses; the one after is one too many. */
  readonly maxFailures: Share;
}

/** A file of the worker's hooks folder with its arguments (`on: worker`), or a program on the host (`on: host`). */
export interface Hook {
  readonly on: 'worker' | 'host';
  readonly run: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

export interface Hooks {
  readonly drain?: Hook;
  readonly undrain?: Hook;
  readonly health?: Hook;
}

export interface RebootPolicy {
  /** How long a host may take from the reboot command to an answer on a fresh connection. */
  readonly timeoutMs: number;
}

/** A target that asks for nothing; what a spec leaves out is as here. */
export const NOTHING_ASKED: Target = {
  kernelArgs: { present: [], absent: [] },
  hugepages: [],
  hugepagesReserveKiB: 8 * 1024 * 1024,
  devices: [],
  guests: [],
  modules: { blacklist: [], load: [], disableIdleD3: false, unsafeInterrupts: false },
  firmware: {},
  allow: [],
};
