import type { CmdlineChange, GrubDebianChange } from '../../src/domain/changes.ts';

/** A change of the line that is known to be one of Debian's loader. */
export function debianChange(change: CmdlineChange | undefined): GrubDebianChange {
  if (change?.loader === 'grub-debian') return change;
  throw new Error(`not a change of Debian's loader: ${JSON.stringify(change)}`);
}
