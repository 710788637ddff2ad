/** Whose GRUB package it is: Ubuntu builds the same scripts with other switches. */
export type GrubFlavour = 'debian' | 'ubuntu';

/** The packages' own switch for Ubuntu's faster boot: no messages, and a note in grubenv of a boot that failed. */
export const QUICK_BOOT: Readonly<Record<GrubFlavour, boolean>> = { debian: false, ubuntu: true };
