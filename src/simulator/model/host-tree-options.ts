import type { Os } from './distributions.ts';
import type { GuestSpec } from './guests/guest-text.ts';
import type { CpuVendor } from './machine.ts';
import type { PciSpec } from './pci/pci-spec.ts';

/** What a host is like before anything was done to it. */
export interface HostTreeOptions {
  readonly name: string;
  /** Machine id, UUIDs and boot ids are made from this and the name. */
  readonly seed?: string | number;
  readonly cpu?: CpuVendor;
  readonly os?: Os;
  /** Whether firmware has the IOMMU switched on (DMAR or IVRS is there). */
  readonly iommuFirmware?: boolean;
  /** Whether firmware has VMX or SVM switched on. */
  readonly virtualization?: boolean;
  /**
   * GRUB_CMDLINE_LINUX; the lab's `console=ttyS0 no_timer_check` unless given. In the RHEL family what follows its
   * installer's own arguments; nothing unless given.
   */
  readonly kernelArgs?: readonly string[];
  /** GRUB_CMDLINE_LINUX_DEFAULT; `quiet` unless given, and not set in the RHEL family. */
  readonly defaultArgs?: readonly string[];
  readonly memoryGiB?: number;
  /** GRUB_DEFAULT: anything but `0`, in the RHEL family but `saved`, is a loader that vfleet refuses to drive. */
  readonly grubDefault?: string;
  /** RHEL family: `saved_entry` of grubenv; the id of the newest kernel's entry unless given, none when `null`. */
  readonly savedEntry?: string | null;
  /** RHEL family: whether tuned is there, or what its profile adds to the kernel line; as its distribution has it unless given. */
  readonly tuned?: boolean | readonly string[];
  /** RHEL family: `enforcing` unless given. */
  readonly selinux?: 'enforcing' | 'permissive' | 'disabled';
  readonly kvm?: boolean;
  readonly qemu?: boolean;
  /** libvirt guests; of a name alone, one that runs. */
  readonly guests?: readonly (string | GuestSpec)[];
  /** Functions beside the usual ones (default-devices.ts). */
  readonly devices?: readonly PciSpec[];
  /** Functions in place of the usual ones; needs a root disk and a network card, or facts will not trace them. */
  readonly onlyDevices?: readonly PciSpec[];
  /** 2 unless given; memory and CPUs are shared out evenly. */
  readonly numaNodes?: number;
  readonly interruptRemapping?: boolean;
  /** Whether driverctl is installed. */
  readonly driverctl?: boolean;
  readonly biosVersion?: string;
  /** MM/DD/YYYY, as SMBIOS has it. */
  readonly biosDate?: string;
  /** Files by path that are there before the first boot: modprobe.d, driverctl.d, netplan, ... */
  readonly files?: Readonly<Record<string, string>>;
  readonly crashKernel?: boolean;
  readonly bootFs?: string;
  readonly bootAbstraction?: string;
}
