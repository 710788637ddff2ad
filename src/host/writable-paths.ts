/**
 * The paths that vfleet may write on a host, all of them. The write script holds the same list as a `case`;
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
  return WRITABLE_FILES.has(path) || (OWN_FILE.test(path) && !GUARD_STATE.has(path));
}

/** Attributes that reset, remove or rescan a device (host.md §6): never written. */
const NEVER_POKED = /\/(reset|remove|rescan)$/;

/** Empty, `.` and `..` parts, and a slash at the end. */
const NOT_PLAIN = /\/(\.{0,2})(\/|$)/;

/** Whether the poke verb may write this path: plain paths of kernel files under /sys and /proc/sys. */
export function isPokablePath(path: string): boolean {
  return /^\/(sys|proc\/sys)\/./.test(path) && !NOT_PLAIN.test(path) && !NEVER_POKED.test(path);
}
