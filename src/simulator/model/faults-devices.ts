/**
 * What is wrong with the devices of a simulated host: each makes one of the kernel's answers that the field knows
 * happen. A PF, or any function, is named by its address.
 */
export type DeviceFault =
  /** Its driver makes fewer VFs than asked, with no more than a line in dmesg. */
  | { readonly kind: 'vfs-fewer'; readonly pf: string; readonly count: number }
  /** A write to its sriov_numvfs does not return until this is repaired; then it takes effect. */
  | { readonly kind: 'vfs-hang'; readonly pf: string }
  /** There is no room for its VFs: ENOMEM, until the kernel line has `pci=realloc`. */
  | { readonly kind: 'vfs-enomem'; readonly pf: string }
  /** drivers_probe returns well and binds nothing. */
  | { readonly kind: 'binds-nothing'; readonly address: string }
  /** Its error counters grow by so many each time vfio-pci takes it, or it makes VFs. */
  | {
      readonly kind: 'aer-errors';
      readonly address: string;
      readonly correctable?: number;
      readonly nonfatal?: number;
      readonly fatal?: number;
    }
  /** From the next boot on its link trains to less than it could. */
  | {
      readonly kind: 'link-degraded';
      readonly address: string;
      /** `2.5 GT/s PCIe`. */
      readonly speed: string;
      readonly width: number;
    }
  /** Its sensor shows so much, in thousandths of a degree, until this is repaired. */
  | { readonly kind: 'overheats'; readonly address: string; readonly value: number }
  /** Memory is in pieces: no more than so many pages of that size can be had. */
  | { readonly kind: 'pages-scarce'; readonly sizeKiB: 2048 | 1048576; readonly pages: number }
  /** A running guest does not let go of a device that is detached from it. */
  | { readonly kind: 'guest-keeps'; readonly guest: string };
