import type { Family, Mkconfig } from './distribution-types.ts';
import type { GrubMachine } from './grub/update-grub.ts';
import type { NodeSpec } from './kernel/memory.ts';
import type { PciSpec } from './pci/pci-spec.ts';

export type CpuVendor = 'intel' | 'amd';

/** What a model machine is made of, beside its files; it does not change while it runs. */
export interface Machine extends GrubMachine {
  readonly family: Family;
  /** What `root=` names on its kernel lines: `UUID=...`, `/dev/mapper/...`. */
  readonly rootDevice: string;
  /** Of the file system with /boot, where that is one of its own. */
  readonly bootUuid: string;
  /** What grub2-mkconfig does to the entries that are there; only of the RHEL family. */
  readonly mkconfig: Mkconfig;
  /** Whether its kernel uses an Intel IOMMU without being asked. */
  readonly intelIommuByDefault: boolean;
  readonly cpu: CpuVendor;
  /** Whether the firmware publishes DMAR (Intel) or IVRS (AMD). */
  readonly iommuFirmware: boolean;
  /**
   * Domain type of translated groups: Debian's 6.1 in the lab shows `DMA` (host.md §8); a kernel with lazy
   * invalidation on hardware that allows it shows `DMA-FQ`.
   */
  readonly translatedType: 'DMA' | 'DMA-FQ';
  /** What is on the PCI bus when it is switched on. */
  readonly functions: readonly PciSpec[];
  /** Interface of the management network, over which SSH and the default route go. */
  readonly uplink: string;
  readonly cpus: number;
  /** Without it a device is given to a guest only when interrupts are declared harmless (VFIO). */
  readonly interruptRemapping: boolean;
  /** NUMA nodes. */
  readonly nodes: readonly NodeSpec[];
  /** What grub-probe says of /boot/grub or /boot/grub2: `ext2`, `btrfs`, ... and `''`, `lvm`, `diskfilter`. */
  readonly bootFs: string;
  readonly bootAbstraction: string;
}

/** File systems that GRUB cannot write, as 00_header (2.06) lists them; it reads a one-shot there and leaves it set. */
const UNWRITABLE = ['btrfs', 'cpiofs', 'newc', 'odc', 'romfs', 'squash4', 'tarfs', 'zfs'];

/** Whether the boot loader can clear a one-shot entry. */
export function grubCanWrite({ bootFs, bootAbstraction }: Machine): boolean {
  const layers = bootAbstraction.split(/\s+/);
  return !UNWRITABLE.includes(bootFs) && !layers.includes('lvm') && !layers.includes('diskfilter');
}
