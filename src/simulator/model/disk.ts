import type { Faults } from './faults.ts';
import type { FileTree } from './file-tree.ts';

/** A write that the host's disk refused, with the words of strerror(3). */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly reason: 'no-space' | 'read-only';

  constructor(reason: 'no-space' | 'read-only') {
    super(reason === 'no-space' ? 'No space left on device' : 'Read-only file system');
    this.reason = reason;
  }
}

/** File systems in memory: a full or read-only root does not touch them. */
const VOLATILE = /^\/(run|dev|proc|sys|tmp)\//;

/** Writes of programs to the host's disk, under its faults. */
export class Disk {
  private readonly tree: FileTree;
  private readonly faults: Faults;

  constructor(tree: FileTree, faults: Faults) {
    this.tree = tree;
    this.faults = faults;
  }

  /** Creates or replaces a file. @throws DiskError */
  put(path: string, content: Uint8Array | string, mode?: number): void {
    if (content.length > 0) this.needSpace(path);
    this.needWritable(path);
    this.tree.put(path, content, mode);
  }

  /** Overwrites a file without needing room. @throws DiskError */
  overwrite(path: string, content: Uint8Array): void {
    this.needWritable(path);
    this.tree.put(path, content);
  }

  /** @throws DiskError */
  mkdir(path: string): void {
    if (this.tree.at(path)?.kind === 'dir') return;
    this.needWritable(path);
    this.needSpace(path);
    this.tree.mkdir(path);
  }

  /** @throws DiskError */
  remove(path: string): void {
    this.needWritable(path);
    this.tree.remove(path);
  }

  needWritable(path: string): void {
    if (this.faults.blocks('read-only', path) && !VOLATILE.test(path))
      throw new DiskError('read-only');
  }

  private needSpace(path: string): void {
    if (this.faults.blocks('disk-full', path) && !VOLATILE.test(path))
      throw new DiskError('no-space');
  }
}
