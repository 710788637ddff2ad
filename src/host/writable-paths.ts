import { isLinePath } from '../domain/boot-loader/line-change.ts';
import { isOwnDeviceFile } from '../domain/own-files.ts';

/**
 * The paths that vfleet may write on a host, all of them, with the device files of src/domain/own-files.ts and the files of the kernel line
 * (src/domain/boot-loader). The write script holds the same list as a `case`;
 * a test compares the two.
 */
const WRITABLE_FILES: ReadonlySet<string> = new Set([
  '/etc/default/grub.d/zz-vfleet.cfg',
  '/etc/grub.d/42_vfleet_trial',
  '/etc/motd.d/50-vfleet',
]);

/** Our own folder: names of one level. */
const OWN_FILE = /^\/var\/lib\/vfleet\/[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** The guard's own state, which only the scripts keep. */
const GUARD_STATE: ReadonlySet<string> = new Set([
  '/var/lib/vfleet/lock',
  '/var/lib/vfleet/fence',
  '/var/lib/vfleet/before',
]);

/** The only file that is written without a guard, since the guard is checked against it. */
export const LEASE_PATH = '/var/lib/vfleet/lease';

/** Whether the write verb may replace, create or delete this path. */
export function isWritablePath(path: string): boolean {
  return (
    WRITABLE_FILES.has(path) ||
    isOwnDeviceFile(path) ||
    isLinePath(path) ||
    (OWN_FILE.test(path) && !GUARD_STATE.has(path))
  );
}

/**
 * The kernel files that vfleet may write, all of them; never one that resets, removes or rescans a device (host.md §6).
 * The poke script holds the same list; a test compares the two.
 */
const POKABLE: readonly RegExp[] = [
  /^\/sys\/bus\/pci\/drivers_probe$/,
  /^\/sys\/bus\/pci\/devices\/[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]\/(driver_override|driver\/unbind|sriov_numvfs|sriov_drivers_autoprobe)$/,
  /^\/sys\/kernel\/mm\/hugepages\/hugepages-(2048|1048576)kB\/nr_hugepages$/,
  /^\/sys\/devices\/system\/node\/node[0-9]{1,4}\/hugepages\/hugepages-(2048|1048576)kB\/nr_hugepages$/,
];

/** Whether the poke verb may write this path. */
export function isPokablePath(path: string): boolean {
  return POKABLE.some((pattern) => pattern.test(path));
}
