import type { GrubFlavour } from './grub/grub-flavour.ts';

export type Family = 'debian' | 'rhel';
export type DebianOs = 'debian-12' | 'ubuntu-24.04';
export type RhelOs = 'rhel-8.10' | 'almalinux-9.2' | 'rocky-9.4' | 'centos-10' | 'fedora-42';
export type Os = DebianOs | RhelOs;

/**
 * What grub2-mkconfig does for kernels whose entries are there: writes `kernelopts` into grubenv, which the entries name
 * (release 8); writes its line into each entry; or does that only when told `--update-bls-cmdline`.
 */
export type Mkconfig = 'kernelopts' | 'rewrites' | 'on-request';

interface Common {
  readonly osRelease: string;
  readonly translatedType: 'DMA' | 'DMA-FQ';
}

export interface DebianDistribution extends Common {
  readonly family: 'debian';
  readonly flavour: GrubFlavour;
  readonly kernel: string;
  /** The start of /etc/default/grub, up to the kernel arguments. */
  readonly grubHead: string;
}

export interface RhelDistribution extends Common {
  readonly family: 'rhel';
  /** Installed kernels, the newest, which is the default, first. */
  readonly kernels: readonly [string, string];
  /** Its folder in /boot/efi/EFI. */
  readonly efiFolder: string;
  /** The volume group that its installer makes; root and swap are logical volumes in it. */
  readonly volumes: string;
  /** What its installer puts on the kernel line behind `root=... ro`. */
  readonly args: readonly string[];
  readonly mkconfig: Mkconfig;
  /** Whether tuned is there unless told otherwise. */
  readonly tuned: boolean;
}
