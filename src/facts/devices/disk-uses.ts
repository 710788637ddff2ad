import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';
import type { BlockDevices } from './block.ts';
import { parseBlockDevices } from './block.ts';
import type { Findings } from './findings.ts';
import type { Mount } from './mounts.ts';
import { devicesBelow, mountOf, parseMounts, parseSwaps, zfsPools } from './mounts.ts';

/** Follows a server's address to the functions that reach it; `false` when its route was not read. */
export type ServerRoute = (
  server: string,
  use: { readonly kind: 'root-disk' | 'network'; readonly what: string },
) => boolean;

/** Without storage of their own. */
const IN_MEMORY: ReadonlySet<string> = new Set(['tmpfs', 'ramfs', 'rootfs']);
const BY_NETWORK: ReadonlySet<string> = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'ceph']);
/** What a host cannot do without: over the network it makes the network card a disk. */
const ESSENTIAL = /^\/(?:boot|boot\/efi|efi|usr|var|etc)?$/;

/** Most file systems that are followed; each device is one, however often it is mounted. */
const MOUNTS_MAX = 2048;

/** The disks of a host and who uses them. */
export class DiskUses {
  private readonly snapshot: Snapshot;
  private readonly findings: Findings;
  private readonly routeTo: ServerRoute;
  private readonly blocks: BlockDevices;
  private readonly mounts: readonly Mount[];
  /** Block devices below a file system or swap. */
  private readonly followed = new Set<string>();

  constructor(snapshot: Snapshot, findings: Findings, routeTo: ServerRoute) {
    this.snapshot = snapshot;
    this.findings = findings;
    this.routeTo = routeTo;
    this.blocks = parseBlockDevices(snapshot);
    this.mounts = parseMounts(snapshot) ?? [];
  }

  /** Adds which functions carry file systems, swap and whatever is stacked on disks. */
  find(): void {
    const { findings, mounts, blocks } = this;
    if (!mounts.some(({ point }) => point === '/')) {
      findings.lose('root-disk', 'the file systems of this host were not read');
    }
    if (mounts.length > MOUNTS_MAX) {
      findings.lose('root-disk', `this host has more than ${MOUNTS_MAX} file systems`);
    }
    const essential = (mount: Mount) => Number(!ESSENTIAL.test(mount.point));
    const sorted = [...mounts].sort((a, b) => essential(a) - essential(b));
    for (const mount of sorted.slice(0, MOUNTS_MAX)) {
      this.mounted(mount);
    }
    for (const path of parseSwaps(this.snapshot)) this.swapped(path);
    for (const name of blocks.stacked) {
      if (!this.followed.has(name)) this.device(name, `part of ${this.wordFor(name)}`);
    }
    for (const pool of zfsPools(this.snapshot)) {
      findings.lose('root-disk', `ZFS pool ${pool}: its disks are not told by sysfs`);
    }
  }

  /** A disk of a guest: a block device, or a file whose file system is a use already. */
  guestDisk(path: string, guest: string): void {
    const name = this.blocks.nameOf(path);
    if (name === undefined) return;
    const what = `guest ${guest} has its disk ${path} on it`;
    const { functions, servers } = this.traced(name);
    for (const address of functions) this.findings.add(address, 'guest', what);
    for (const server of servers) this.routeTo(server, { kind: 'network', what });
  }

  private mounted(mount: Mount): void {
    const { point, type } = mount;
    if (IN_MEMORY.has(type)) return;
    const what = `${point === '/' ? 'root ' : ''}file system ${point}`;
    if (BY_NETWORK.has(type)) {
      this.overNetwork(mount, what);
      return;
    }
    const devices = devicesBelow(mount, this.blocks);
    if (devices === undefined || devices.length === 0) {
      this.findings.lose('root-disk', `${what}: ${type} on ${mount.source} could not be traced`);
      return;
    }
    for (const device of devices) this.device(device, what);
  }

  /** From the `addr=` of the options, or the first address in the source of CephFS. */
  private overNetwork({ point, type, source, options }: Mount, what: string): void {
    const server =
      /(?:^|,)addr=([0-9A-Fa-f.:]{2,45})/.exec(options)?.[1] ??
      /\d{1,3}(?:\.\d{1,3}){3}/.exec(source)?.[0];
    const kind = ESSENTIAL.test(point) ? 'root-disk' : 'network';
    const use = { kind, what: `${what} (${type})` } as const;
    if (server === undefined || !this.routeTo(server, use)) {
      this.findings.lose('root-disk', `${what}: ${type} from ${source} could not be traced`);
    }
  }

  private swapped(path: string): void {
    const name = this.blocks.nameOf(path);
    const mount = name === undefined ? mountOf(this.mounts, path) : undefined;
    const devices = name === undefined ? this.fileOn(path) : [name];
    if (devices !== undefined) for (const device of devices) this.device(device, `swap ${path}`);
    // A swap file whose file system could not be traced has been said with that file system.
    else if (mount === undefined) this.findings.lose('root-disk', `swap ${path}`);
  }

  private device(name: string, what: string): void {
    const { functions, servers, lost, devices } = this.traced(name);
    for (const device of devices) this.followed.add(device);
    for (const address of functions) this.findings.add(address, 'root-disk', what);
    for (const server of servers) {
      const use = { kind: 'root-disk', what: `${what} (iSCSI)` } as const;
      if (!this.routeTo(server, use)) {
        this.findings.lose(
          'root-disk',
          `${what}: iSCSI target ${server} has no route that was read`,
        );
      }
    }
    for (const part of lost) this.findings.lose('root-disk', `${what}: ${part}`);
  }

  private traced(name: string) {
    return this.blocks.trace(name, (path) => this.fileOn(path));
  }

  private fileOn(path: string): readonly string[] | undefined {
    const mount = mountOf(this.mounts, path);
    return mount === undefined || BY_NETWORK.has(mount.type) || IN_MEMORY.has(mount.type)
      ? undefined
      : devicesBelow(mount, this.blocks);
  }

  private wordFor(name: string): string {
    const mapping = lineOf(this.snapshot, `/sys/class/block/${name}/dm/name`);
    return mapping === undefined ? name : `${name} (${mapping})`;
  }
}
