import { readFileSync } from 'node:fs';

const load = (name: string): string =>
  readFileSync(new URL(`undo/${name}.sh`, import.meta.url), 'utf8');

/**
 * The fixed parts of UNDO.txt, as functions: POSIX sh, coreutils and the host's own tools, nothing filled in. What they work
 * on stands in variables and functions above them (src/facts/undo-text.ts). Every command is right in each state.
 */
export const UNDO_PARTS = {
  common: load('common'),
  /** Files of vfleet's own outside of GRUB, and the initramfs. */
  files: load('files'),
  functions: load('functions'),
  /** VFs and huge pages. */
  vfs: load('vfs'),
  guests: load('guests'),
  /** The kernel line by GRUB: what both ways have, and each. */
  line: load('line'),
  'line-debian': load('line-debian'),
  'line-bls': load('line-bls'),
} as const;
