import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';
import type { BlockDevices } from './block.ts';
import { baseName, between, linesOf, outputOf } from './text.ts';

/** One file system of the host (proc_pid_mountinfo(5)). */
export interface Mount {
  /** `MAJ:MIN`; the major number is 0 where no single block device is below. */
  readonly number: string;
  readonly point: string;
  readonly type: string;
  /** `/dev/sda2`, `10.0.0.5:/export`, `tank/root`. */
  readonly source: string;
  /** With `addr=` for network file systems. */
  readonly options: string;
}

/** The mounted file systems that have storage; `undefined` when they were not read, which is not the same as none. */
export function parseMounts(snapshot: Snapshot): readonly Mount[] | undefined {
  const output = outputOf(snapshot, 'mounts');
  const mounts = linesOf(output).flatMap((row) => parseMount(row) ?? []);
  return mounts.length === 0 ? undefined : mounts;
}

function parseMount(row: string): Mount | undefined {
  const fields = row.slice(0, 16_384).split(' ');
  const dash = fields.indexOf('-', 6);
  const [number, point] = [fields[2], fields[4]];
  const [type, source, options] = dash === -1 ? [] : fields.slice(dash + 1);
  if (number === undefined || point === undefined || type === undefined) return undefined;
  return {
    number,
    point: unescaped(point),
    type,
    source: unescaped(source ?? ''),
    options: options ?? '',
  };
}

/** Blank, tab, newline and backslash stand as octal numbers in mountinfo and swaps. */
export function unescaped(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** The file system that a path lies on: that of the longest mount point in front of it. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const prefix = mount.point === '/' ? '/' : `${mount.point}/`;
    // Of two on one point the later one covers the earlier.
    if (path.startsWith(prefix) && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best;
}

/**
 * Names of the block devices below a file system; `undefined` when it has none that can be told. btrfs names only one of
 * its devices in mountinfo and all in /sys/fs/btrfs; ZFS names none.
 */
export function devicesBelow(mount: Mount, blocks: BlockDevices): readonly string[] | undefined {
  const own = blocks.nameOf(mount.source);
  if (mount.type === 'btrfs') {
    return blocks.btrfsOf(own);
  }
  const numbered = blocks.byNumber.get(mount.number);
  if (numbered !== undefined) return [numbered];
  if (mount.type === 'bcachefs') {
    const names = mount.source.split(':').map((path) => blocks.nameOf(path));
    return names.some((name) => name === undefined) ? undefined : (names as string[]);
  }
  return mount.number.startsWith('0:') && own !== undefined ? [own] : undefined;
}

/** One line of /proc/swaps: a partition's or a file's path. */
export function parseSwaps(snapshot: Snapshot): readonly string[] {
  return linesOf(textOfSwaps(snapshot))
    .slice(1)
    .flatMap((row) => {
      const path = row.slice(0, 8192).split(/\s/, 1)[0] ?? '';
      return path.startsWith('/') ? [unescaped(path)] : [];
    });
}

function textOfSwaps(snapshot: Snapshot): string {
  return new TextDecoder().decode(snapshot.files.get('/proc/swaps') ?? new Uint8Array());
}

/** Names of ZFS pools that are imported; their disks are held without a trace in sysfs. */
export function zfsPools(snapshot: Snapshot): readonly string[] {
  return between(snapshot.files, '/proc/spl/kstat/zfs/', '/state').flatMap(([pool]) =>
    lineOf(snapshot, `/proc/spl/kstat/zfs/${pool}/state`) === undefined ? [] : [baseName(pool)],
  );
}
