import type { BlsVariables } from './boot-loader/bls-entry.ts';
import type { DeviceFacts } from './device-facts.ts';

/** What is known of a host, parsed from a snapshot by src/facts; never guessed: unknown parts are absent. */
export interface Facts {
  readonly hostname: string;
  /** /etc/machine-id: 32 hex digits, or absent on a host that has none. */
  readonly machineId?: string;
  /** /proc/sys/kernel/random/boot_id: a UUID that changes with every boot. */
  readonly bootId?: string;
  readonly os: { readonly id: string; readonly versionId: string; readonly prettyName: string };
  /** `uname -r`. */
  readonly kernelRelease: string;
  /** The tokens of /proc/cmdline after BOOT_IMAGE=. */
  readonly runningArgs: readonly string[];
  readonly cpu: { readonly vendor: 'intel' | 'amd' | 'other'; readonly virtualization: boolean };
  /** ACPI tables that firmware publishes only when the IOMMU is switched on there (field.md). */
  readonly firmware: { readonly dmar: boolean; readonly ivrs: boolean };
  readonly iommu: IommuFacts;
  /** Whether vfleet is root there. */
  readonly root: boolean;
  readonly kvm: boolean;
  readonly qemu: boolean;
  readonly memTotalKiB: number;
  /** Names of libvirt guests that run now, from /run/libvirt/qemu. */
  readonly runningGuests: readonly string[];
  /** SELinux, where the kernel has it on; denials count while it is `enforcing`. */
  readonly selinux?: 'enforcing' | 'permissive';
  /** A crash kernel is loaded: it pre-empts `panic=`, so a crashed trial comes back later. */
  readonly crashKernel: boolean;
  readonly bootLoader: BootLoaderFacts;
  readonly devices: DeviceFacts;
  /** Least free space in KiB on the file systems that vfleet writes to; absent when `df` did not say. */
  readonly freeKiB?: number;
  readonly lease?: Lease;
  /** Text of /var/lib/vfleet/record.json, when there is one. */
  readonly record?: string;
  /** Text of /var/lib/vfleet/undone: somebody has run UNDO.txt since the record was written. */
  readonly undone?: string;
}

export interface IommuFacts {
  /** Names in /sys/class/iommu (`dmar0`, `ivhd0`): empty means that no IOMMU is in use, whatever dmesg says (host.md §8). */
  readonly units: readonly string[];
  /** IOMMU groups with their domain type: `identity`, `DMA`, `DMA-FQ`, ... */
  readonly groups: readonly { readonly id: string; readonly type: string }[];
  /** Whether interrupts go through the IOMMU too; without it a guest could forge them. */
  readonly interruptRemapping: boolean;
}

/** `supported: false` says why this host's boot loader cannot be driven. */
export type BootLoaderFacts = { readonly supported: false; readonly reason: string } | LoaderFacts;

export type LoaderFacts = GrubDebianFacts | GrubBlsFacts;

/** What every boot loader that is driven has. */
interface AnyLoaderFacts {
  readonly supported: true;
  /** Kernel and arguments of the entry that the next boot will use by default, read from the entry itself. */
  readonly defaultEntry: GrubEntry;
  /** The entry that a one-shot (`next_entry` in grubenv) names, when set. */
  readonly nextEntry?: string;
  /** Our trial entry, when the loader has one. */
  readonly trialEntry?: GrubEntry;
  /** Whether the loader can clear a one-shot by itself; else why a trial would repeat for ever (host.md §3). */
  readonly oneShot: { readonly safe: true } | { readonly safe: false; readonly reason: string };
}

/** GRUB as Debian and Ubuntu have it: update-grub makes grub.cfg from /etc/default/grub and its drop-ins. */
export interface GrubDebianFacts extends AnyLoaderFacts {
  readonly kind: 'grub-debian';
  /** Our drop-in /etc/default/grub.d/zz-vfleet.cfg, when present. */
  readonly dropIn?: string;
  readonly dropInFolder: boolean;
  readonly trialSnippet?: string;
}

/** GRUB as the RHEL family has it: each kernel's entry is a file (The Boot Loader Specification, type #1). */
export interface GrubBlsFacts extends AnyLoaderFacts {
  readonly kind: 'grub-bls';
  /** Path of the default entry's file. */
  readonly defaultPath: string;
  /** All entries but the trial, by path. */
  readonly entries: readonly { readonly path: string; readonly text: string }[];
  readonly trialText?: string;
  /** What the entries' variables stand for, from grubenv. */
  readonly variables: BlsVariables;
  /** /etc/default/grub. */
  readonly defaultGrub: string;
  /** /etc/kernel/cmdline: what the next kernel's entry gets; absent: it gets the line that runs then. */
  readonly kernelCmdline?: string;
}

export interface GrubEntry {
  readonly title: string;
  /** Path of the kernel image as the loader sees it. */
  readonly kernel: string;
  readonly args: readonly string[];
}

/** Who works on a host: the lease file /var/lib/vfleet/lease (law 6). */
export interface Lease {
  readonly id: string;
  readonly rollout: string;
  readonly engine: string;
  readonly who: string;
  readonly since: string;
}
