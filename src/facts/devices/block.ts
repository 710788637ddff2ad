import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';
import { baseName, between, functionOf, shortText } from './text.ts';

/** Where the bytes of something end: in PCI functions, in servers (iSCSI), or in parts that could not be traced. */
export interface Ancestry {
  readonly functions: ReadonlySet<string>;
  /** Addresses of iSCSI targets, to be followed through the network. */
  readonly servers: ReadonlySet<string>;
  /** Every block device on the way. */
  readonly devices: ReadonlySet<string>;
  /** Parts that lead nowhere, as words for a sentence: `md0 has no members`. */
  readonly lost: readonly string[];
}

/** The block devices of a host. */
export interface BlockDevices {
  /** By `MAJ:MIN`. */
  readonly byNumber: ReadonlyMap<string, string>;
  /** Device-mapper and other stacked devices that are active, whoever uses them. */
  readonly stacked: readonly string[];
  /** Members of the btrfs that a device is one of; of the only one, when there is no other. */
  btrfsOf(name: string | undefined): readonly string[] | undefined;
  /** Name in /sys/class/block of a path below /dev; `undefined` when it is no block device. */
  nameOf(path: string): string | undefined;
  /** Down to PCI functions. `fileOn` finds the block devices below a file (the image of a loop), or `undefined`. */
  trace(name: string, fileOn: (path: string) => readonly string[] | undefined): Ancestry;
}

const CLASS = '/sys/class/block/';
/** Layers that are followed; real stacks have five or six (file, loop, dm, dm, md, partition). */
const DEPTH_MAX = 32;

export function parseBlockDevices(snapshot: Snapshot): BlockDevices {
  const places = new Map(between(snapshot.links, CLASS));
  const slaves = new Map(between(snapshot.dirs, CLASS, '/slaves'));
  const ways = nvmeWays(snapshot, places);
  const mapped = new Map<string, string>();
  for (const [name] of between(snapshot.files, CLASS, '/dm/name')) {
    const mapping = shortText(lineOf(snapshot, `${CLASS}${name}/dm/name`));
    if (mapping !== undefined) mapped.set(mapping, name);
  }
  const byNumber = new Map<string, string>();
  for (const [name] of between(snapshot.files, CLASS, '/dev')) {
    byNumber.set(shortText(lineOf(snapshot, `${CLASS}${name}/dev`)) ?? '', name);
  }
  return {
    byNumber,
    stacked: [...slaves].flatMap(([name, below]) => (below.length > 0 ? [name] : [])),
    btrfsOf: btrfsPools(snapshot),
    nameOf: (path) => nameOfPath(path, places, mapped),
    trace: (name, fileOn) => {
      const found = new Tracer(snapshot, { places, slaves, ways, fileOn });
      found.follow(name, 0);
      found.close(name);
      return found;
    },
  };
}

/** `/dev/sda2`, `/dev/mapper/vg-root` and `/dev/vg/root`: LVM doubles each `-` of a name (lvm2 lib/misc/lvm-string.c). */
function nameOfPath(
  path: string,
  places: ReadonlyMap<string, string>,
  mapped: ReadonlyMap<string, string>,
): string | undefined {
  if (!path.startsWith('/dev/')) return undefined;
  const parts = path.slice('/dev/'.length).split('/');
  const [first = '', second] = parts;
  if (second === undefined) return places.has(first) ? first : undefined;
  if (parts.length > 2) return undefined;
  if (first === 'mapper') return mapped.get(second);
  // In sysfs `/` of a device's name stands as `!` (cciss!c0d0).
  if (places.has(`${first}!${second}`)) return `${first}!${second}`;
  return mapped.get(`${first.replaceAll('-', '--')}-${second.replaceAll('-', '--')}`);
}

function btrfsPools(snapshot: Snapshot): BlockDevices['btrfsOf'] {
  const pools = between(snapshot.dirs, '/sys/fs/btrfs/', '/devices').map(([, names]) => names);
  const byMember = new Map(
    pools.toReversed().flatMap((pool) => pool.map((it) => [it, pool] as const)),
  );
  const only = pools.length === 1 ? pools[0] : undefined;
  return (name) => (name === undefined ? undefined : byMember.get(name)) ?? only;
}

/** Controllers by the name of their subsystem, and hidden disks of single paths by that of the namespace, each with its place. */
type NvmeWays = ReadonlyMap<string, readonly (readonly [string, string])[]>;

function nvmeWays(snapshot: Snapshot, places: ReadonlyMap<string, string>): NvmeWays {
  const ways = new Map<string, [string, string][]>();
  const add = (key: string, way: string, target: string): void => {
    const list = ways.get(key);
    if (list === undefined) ways.set(key, [[way, target]]);
    else list.push([way, target]);
  };
  for (const [path, target] of snapshot.links) {
    const [, subsystem, way] =
      /^\/sys\/class\/nvme-subsystem\/(nvme-subsys\d{1,9})\/(nvme\d{1,9})$/.exec(path) ?? [];
    if (subsystem !== undefined && way !== undefined) add(subsystem, way, target);
  }
  for (const [way, target] of places) {
    if (!/^nvme\d{1,9}c\d{1,9}n\d{1,9}$/.test(way)) continue;
    add(way.replace(/c\d+/, ''), way, target);
  }
  return ways;
}

interface Sources {
  readonly places: ReadonlyMap<string, string>;
  readonly slaves: ReadonlyMap<string, readonly string[]>;
  readonly ways: NvmeWays;
  readonly fileOn: (path: string) => readonly string[] | undefined;
}

class Tracer implements Ancestry {
  readonly functions = new Set<string>();
  readonly servers = new Set<string>();
  readonly devices = new Set<string>();
  readonly lost: string[] = [];
  private memory = false;
  private readonly snapshot: Snapshot;
  private readonly sources: Sources;

  constructor(snapshot: Snapshot, sources: Sources) {
    this.snapshot = snapshot;
    this.sources = sources;
  }

  /** What led to nothing at all is lost too, but for memory: layers in a circle. */
  close(name: string): void {
    if (this.functions.size + this.servers.size + this.lost.length > 0 || this.memory) return;
    this.lost.push(`${name} leads to no device`);
  }

  follow(name: string, depth: number): void {
    if (this.devices.has(name)) return;
    this.devices.add(name);
    const place = this.sources.places.get(name);
    if (depth > DEPTH_MAX) this.lost.push(`${name} lies below too many layers`);
    else if (place === undefined) this.lost.push(`${name} is no block device that was read`);
    else if (!this.direct(place)) this.virtual(name, place, depth);
  }

  /** A disk or partition of a PCI function or of an iSCSI session. */
  private direct(place: string): boolean {
    const address = functionOf(place);
    if (address !== undefined) {
      this.functions.add(address);
      return true;
    }
    const session = /\/session(\d{1,9})\//.exec(place)?.[1];
    const server =
      session === undefined
        ? undefined
        : lineOf(
            this.snapshot,
            `/sys/class/iscsi_connection/connection${session}:0/persistent_address`,
          );
    if (server === undefined) return false;
    this.servers.add(server);
    return true;
  }

  private virtual(name: string, place: string, depth: number): void {
    const slaves = this.sources.slaves.get(name) ?? [];
    const parent = place.split('/').at(-2) ?? '';
    if (slaves.length > 0) for (const slave of slaves) this.follow(slave, depth + 1);
    // A partition of a virtual disk: its parent folder is the disk.
    else if (this.sources.places.has(parent)) this.follow(parent, depth + 1);
    else this.end(name, place, depth);
  }

  /** A virtual device without members in sysfs. */
  private end(name: string, place: string, depth: number): void {
    if (place.includes('/nvme-subsystem/')) this.controllers(name, place);
    else if (name.startsWith('loop')) this.loop(name, depth);
    else if (name.startsWith('zram')) this.zram(name, depth);
    else if (/^ram\d/.test(name)) this.memory = true;
    else this.lost.push(`${name} has nothing below it in sysfs`);
  }

  /**
   * A namespace with several paths has no PCI function above itself: the controllers of its subsystem have, and the hidden
   * disk of each path, `nvme0c1n1` for `nvme0n1` (host.md §5; drivers/nvme/host/multipath.c).
   */
  private controllers(name: string, place: string): void {
    const subsystem = /\/nvme-subsystem\/(nvme-subsys\d{1,9})\//.exec(place)?.[1] ?? '';
    const ways = [
      ...(this.sources.ways.get(subsystem) ?? []),
      ...(this.sources.ways.get(name) ?? []),
    ];
    if (ways.length === 0) this.lost.push(`${name} has no NVMe controller that was read`);
    for (const [way, target] of ways) {
      const address = functionOf(target);
      if (address === undefined) this.lost.push(`${way} (NVMe over a fabric)`);
      else this.functions.add(address);
    }
  }

  private loop(name: string, depth: number): void {
    const file = lineOf(this.snapshot, `${CLASS}${name}/loop/backing_file`);
    const below = file === undefined ? undefined : this.sources.fileOn(file);
    if (below === undefined) this.lost.push(`${name} has no backing file that could be traced`);
    else for (const device of below) this.follow(device, depth + 1);
  }

  /** Compressed memory; with a backing device also a disk (Documentation/admin-guide/blockdev/zram). */
  private zram(name: string, depth: number): void {
    const backing = lineOf(this.snapshot, `${CLASS}${name}/backing_dev`) ?? 'none';
    this.memory = backing === 'none';
    if (this.memory) return;
    const below = nameOfPath(backing, this.sources.places, new Map());
    if (below === undefined) this.lost.push(`${name} swaps to ${baseName(backing)}`);
    else this.follow(below, depth + 1);
  }
}
