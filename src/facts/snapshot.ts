/**
 * What was read from a host, exactly as it stood there: the only input of every fact.
 *
 * A snapshot comes from the `read` verb of the host port, or from a capture (the same thing saved as a
 * file tree). Paths are absolute, as on the host. Contents are bytes, since nothing promises UTF-8.
 */
export interface Snapshot {
  /** Regular files (also sysfs and proc attributes) by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Symbolic links by path, with their target as stored (often relative). */
  readonly links: ReadonlyMap<string, string>;
  /** Directories by path, with the names in them, sorted. */
  readonly dirs: ReadonlyMap<string, readonly string[]>;
  /** Answers of the fixed queries, by name. A query that could not run is absent. */
  readonly queries: ReadonlyMap<QueryName, QueryAnswer>;
}

/**
 * The fixed read-only questions that the `read` verb can ask beside paths; each is one program or one short function in
 * its script (src/host/scripts/read.sh says which). What they print, a line for each thing found:
 *
 * - `pci-names`: from the host's pci.ids: `8086 Intel Corporation` and `8086:1572 Ethernet Controller X710`
 * - `msi-vectors`: `0000:03:00.0 64 msix` (or `msi`)
 * - `aer`: `0000:03:00.0/aer_dev_correctable:TOTAL_ERR_COR 0`; also `nonfatal`, `fatal`
 * - `reserved-regions`: `12/reserved_regions:0x... 0x... direct`: only those of that type
 * - `bridge-config`: base64 of `==> PATH <==` and the config space of each bridge, one after the other
 * - `mounts`: lines of mountinfo, one for each device and type, without file systems that have no storage
 * - `ip-links`, `ip-addresses`: `ip -j link show`, `ip -j address show`
 * - `default-routes`: two lines, IPv4 then IPv6, of `ip -j route show table all default`
 * - `ssh-route`: `ip -j route get PEER from LOCAL` of the SSH connection
 * - `storage-routes`: `PEER JSON`, a line for each server of a network file system and iSCSI target
 * - `guests`: `file PATH`, then a line for each element of the guest's XML that vfleet knows, with the attributes it knows
 * - `vf-count-owners`: `PATH<tab>KEY=VALUE`: `count=4`, `name=eth0`
 * - `initramfs`: `image PATH` (or `unreadable PATH`), then the names in it that matter
 * - `boot-modules`: `NAME builtin`, `NAME file` or `NAME none` for each module of our modules-load.d file: where the running
 *   kernel has it; fails without /lib/modules of it
 * - `kernel-log`: lines of the kernel's log of this boot that matter here, without times
 * - `guest-logs`: `file PATH`, then the last lines that QEMU and libvirt wrote there
 * - `audit-log`: denials of AppArmor and SELinux about guests; fails without such a log
 * - `module-files`: modules of VFIO and KVM that the running kernel has, with `_`; fails without /lib/modules of it
 * - `modprobe-lines`: `PATH<tab>LINE` of modprobe.d
 */
export const QUERY_NAMES = [
  'uid',
  'ssh-connection',
  'grub-probe-fs',
  'grub-probe-abstraction',
  'space',
  'pci-names',
  'msi-vectors',
  'aer',
  'reserved-regions',
  'bridge-config',
  'mounts',
  'ip-links',
  'ip-addresses',
  'default-routes',
  'ssh-route',
  'storage-routes',
  'guests',
  'vf-count-owners',
  'initramfs',
  'boot-modules',
  'kernel-log',
  'guest-logs',
  'audit-log',
  'module-files',
  'modprobe-lines',
] as const;
export type QueryName = (typeof QUERY_NAMES)[number];

export interface QueryAnswer {
  readonly code: number;
  readonly output: string;
}

const decoder = new TextDecoder('utf-8', { fatal: false });

/** The text of a file, or `undefined` when it was not there or could not be read. */
export function textOf(snapshot: Snapshot, path: string): string | undefined {
  const bytes = snapshot.files.get(path);
  return bytes === undefined ? undefined : decoder.decode(bytes);
}

/** The first line of an attribute file without its newline, or `undefined` when absent. */
export function lineOf(snapshot: Snapshot, path: string): string | undefined {
  return textOf(snapshot, path)?.split('\n', 1)[0]?.trimEnd();
}

/** The names in a directory, or an empty list when it is absent. */
export function namesIn(snapshot: Snapshot, path: string): readonly string[] {
  return snapshot.dirs.get(path) ?? [];
}
