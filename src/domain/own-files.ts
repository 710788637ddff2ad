/**
 * The files outside of /var/lib/vfleet and GRUB's configuration that are vfleet's alone: what keeps drivers, VFs and
 * hugepages over a reboot. udev reads only `*.rules`, and Debian copies only those into an initramfs, so the scripts may
 * lie beside them, on the root file system, where udev finds them before anything else is mounted.
 */
export const RULES_FOLDER = '/etc/udev/rules.d';
export const MODPROBE_PATH = '/etc/modprobe.d/vfleet.conf';
export const MODULES_LOAD_PATH = '/etc/modules-load.d/vfleet.conf';
export const TMPFILES_PATH = '/etc/tmpfiles.d/vfleet.conf';
/** What goes into an initramfs that dracut makes; the image keeps no copy of this file (dracut.conf(5)). */
export const DRACUT_PATH = '/etc/dracut.conf.d/vfleet.conf';

/** Everything in RULES_FOLDER that is ours; a shell pattern. */
export const RULES_GLOB = `${RULES_FOLDER}/70-vfleet-*`;

/** The udev rule of one function. */
export const rulePath = (address: string): string => `${RULES_FOLDER}/70-vfleet-${address}.rules`;
/** The script that a PF's rule runs. */
export const scriptPath = (pf: string): string => `${RULES_FOLDER}/70-vfleet-${pf}.sh`;

const ADDRESS = '[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]';
const PCI_ADDRESS = new RegExp(`^${ADDRESS}$`);
const OWN_RULE = new RegExp(`^${RULES_FOLDER}/70-vfleet-${ADDRESS}\\.(?:rules|sh)$`);

/** Whether a text is the address of a PCI function as sysfs writes it: `0000:03:00.0`. */
export function isPciAddress(text: string): boolean {
  return PCI_ADDRESS.test(text);
}

/** Whether a path is one of these files. */
export function isOwnDeviceFile(path: string): boolean {
  return (
    path === MODPROBE_PATH ||
    path === MODULES_LOAD_PATH ||
    path === TMPFILES_PATH ||
    path === DRACUT_PATH ||
    OWN_RULE.test(path)
  );
}
