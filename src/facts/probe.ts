import { BLS_FOLDER } from '../domain/boot-loader/bls-entry.ts';
import { KERNEL_CMDLINE_PATH } from '../domain/boot-loader/line-change.ts';
import { TRIAL_ENTRY_ID } from '../domain/boot-loader/tools.ts';
import {
  DRACUT_PATH,
  MODPROBE_PATH,
  MODULES_LOAD_PATH,
  RULES_GLOB,
  TMPFILES_PATH,
} from '../domain/own-files.ts';
import type { QueryName } from './snapshot.ts';

/** Paths of vfleet's own state on a host. */
export const STATE_DIR = '/var/lib/vfleet';
export const LEASE_PATH = `${STATE_DIR}/lease`;
export const RECORD_PATH = `${STATE_DIR}/record.json`;
/** How to take the newest change back without vfleet, as plain shell (src/facts/undo-text.ts). */
export const UNDO_PATH = `${STATE_DIR}/UNDO.txt`;
/** Written by UNDO.txt when somebody ran it; the next run takes it into the record. */
export const UNDONE_PATH = `${STATE_DIR}/undone`;
/** The newest fencing token that the host has seen; only its scripts write it. */
export const FENCE_PATH = `${STATE_DIR}/fence`;
/**
 * In which boot files for modules were written, and in which they were taken back: they act from the next boot on, so only
 * that says whether a boot is needed to be rid of them. Written before the files.
 */
export const MODULES_BOOT_PATH = `${STATE_DIR}/modules-boot`;
export const MOTD_FOLDER = '/etc/motd.d';
/** What pam_motd shows at every login (pam_motd(8), since 1.3.1) while a rollout holds the host. */
export const MOTD_PATH = `${MOTD_FOLDER}/50-vfleet`;
export const TRIAL_ARGS_PATH = `${STATE_DIR}/trial.args`;
export const TRIAL_ID_PATH = `${STATE_DIR}/trial.id`;
export const TRIAL_SNIPPET_PATH = '/etc/grub.d/42_vfleet_trial';
export const DROP_IN_FOLDER = '/etc/default/grub.d';
export const DROP_IN_PATH = `${DROP_IN_FOLDER}/zz-vfleet.cfg`;
export const GRUB_CFG_PATH = '/boot/grub/grub.cfg';
export const GRUBENV_PATH = '/boot/grub/grubenv';
/** The same of the RHEL family. */
export const GRUB2_CFG_PATH = '/boot/grub2/grub.cfg';
export const GRUB2ENV_PATH = '/boot/grub2/grubenv';
export const BLS_TRIAL_PATH = `${BLS_FOLDER}/${TRIAL_ENTRY_ID}.conf`;
export const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';
export const CMDLINE_PATH = '/proc/cmdline';
export const KERNEL_RELEASE_PATH = '/proc/sys/kernel/osrelease';

type ProbeEntry =
  | { readonly kind: 'file' | 'line' | 'list' | 'link'; readonly glob: string }
  | { readonly kind: 'query'; readonly query: QueryName };

const file = (glob: string): ProbeEntry => ({ kind: 'file', glob });
const line = (glob: string): ProbeEntry => ({ kind: 'line', glob });
const list = (glob: string): ProbeEntry => ({ kind: 'list', glob });
const link = (glob: string): ProbeEntry => ({ kind: 'link', glob });
const query = (name: QueryName): ProbeEntry => ({ kind: 'query', query: name });

/** What the boot loader driver needs; read again after each change of it. */
const BOOT_LOADER: readonly ProbeEntry[] = [
  file(GRUB_CFG_PATH),
  file(GRUBENV_PATH),
  file('/etc/default/grub'),
  file(`${DROP_IN_FOLDER}/*.cfg`),
  list(DROP_IN_FOLDER),
  list('/etc/grub.d'),
  file(`${BLS_FOLDER}/*.conf`),
  file(GRUB2_CFG_PATH),
  file(GRUB2ENV_PATH),
  file('/boot/efi/EFI/*/grub.cfg'),
  file(KERNEL_CMDLINE_PATH),
  file(TRIAL_SNIPPET_PATH),
  file(TRIAL_ARGS_PATH),
  file(TRIAL_ID_PATH),
  query('grub-probe-fs'),
  query('grub-probe-abstraction'),
];

/** What says which boot this is and which line it runs. */
const BOOT: readonly ProbeEntry[] = [
  line(BOOT_ID_PATH),
  file(CMDLINE_PATH),
  line(KERNEL_RELEASE_PATH),
];

const GROUP_TYPES = line('/sys/kernel/iommu_groups/*/type');

/** The proof of the IOMMU (host.md §8). */
const IOMMU: readonly ProbeEntry[] = [
  list('/sys/class/iommu'),
  GROUP_TYPES,
  // The chip of IRQ 0-9 is called `IR-IO-APIC` when interrupts are remapped, `IO-APIC` when not.
  line('/sys/kernel/irq/?/chip_name'),
];

/** Who works on the host, and what vfleet wrote there. */
const OWN_STATE: readonly ProbeEntry[] = [file(LEASE_PATH), file(RECORD_PATH), file(UNDONE_PATH)];

const PCI = '/sys/bus/pci/devices';

/** PCI functions and groups. Nothing here asks a device: the kernel answers all but the link's state from memory. */
const PCI_FUNCTIONS: readonly ProbeEntry[] = [
  link(`${PCI}/*`),
  ...['vendor', 'device', 'subsystem_vendor', 'subsystem_device', 'class', 'revision'].map((name) =>
    line(`${PCI}/*/${name}`),
  ),
  ...['numa_node', 'driver_override', 'boot_vga', 'reset_method'].map((name) =>
    line(`${PCI}/*/${name}`),
  ),
  ...['current_link_speed', 'current_link_width', 'max_link_speed', 'max_link_width'].map((name) =>
    line(`${PCI}/*/${name}`),
  ),
  ...['sriov_totalvfs', 'sriov_numvfs', 'sriov_drivers_autoprobe'].map((name) =>
    line(`${PCI}/*/${name}`),
  ),
  ...['driver', 'iommu_group', 'physfn', 'virtfn*'].map((name) => link(`${PCI}/*/${name}`)),
  query('msi-vectors'),
  query('aer'),
  query('reserved-regions'),
];

/** Whom the functions serve: file systems, swap, routes and guests, and what lies between (host.md §5). */
const USES: readonly ProbeEntry[] = [
  query('mounts'),
  file('/proc/swaps'),
  link('/sys/class/block/*'),
  line('/sys/class/block/*/dev'),
  list('/sys/class/block/*/slaves'),
  line('/sys/class/block/dm-*/dm/name'),
  line('/sys/class/block/loop*/loop/backing_file'),
  line('/sys/class/block/zram*/backing_dev'),
  // The controllers of a namespace with several paths, which has no PCI function above itself.
  link('/sys/class/nvme-subsystem/*/nvme*'),
  list('/sys/fs/btrfs/*/devices'),
  line('/proc/spl/kstat/zfs/*/state'),
  line('/sys/class/iscsi_connection/*/persistent_address'),
  link('/sys/class/net/*'),
  link('/sys/class/net/*/lower_*'),
  line('/sys/class/net/*/mtu'),
  line('/sys/class/net/*/tun_flags'),
  query('ip-links'),
  query('ip-addresses'),
  query('default-routes'),
  query('ssh-connection'),
  query('ssh-route'),
  query('storage-routes'),
  list('/run/libvirt/qemu'),
  query('guests'),
];

/** The scripts that say what makes the host's initramfs; of each its first line, which says that it is there. */
export const INITRAMFS_PROGRAMS = {
  update: '/usr/sbin/update-initramfs',
  make: '/usr/sbin/mkinitramfs',
  dracut: '/usr/bin/dracut',
} as const;

/** What is configured beside the devices, by vfleet and by others. */
const DEVICE_SETTINGS: readonly ProbeEntry[] = [
  // Whole: read byte by byte, as a shell does for a line, it is empty (cpumap_print_list_to_buf, tried on Linux 6.1).
  file('/sys/devices/system/node/node*/cpulist'),
  line('/sys/devices/system/node/node*/meminfo'),
  line('/sys/devices/system/node/node*/hugepages/hugepages-*/nr_hugepages'),
  line('/sys/devices/system/node/node*/hugepages/hugepages-*/free_hugepages'),
  query('vf-count-owners'),
  line('/etc/driverctl.d/*'),
  file(RULES_GLOB),
  file(MODPROBE_PATH),
  file(MODULES_LOAD_PATH),
  file(TMPFILES_PATH),
  file(DRACUT_PATH),
  ...Object.values(INITRAMFS_PROGRAMS).map(line),
  file('/proc/modules'),
  line('/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts'),
];

/** Whether the modules that are loaded at each boot are there. */
export const MODULES_PROBE: readonly ProbeEntry[] = [file('/proc/modules'), query('boot-modules')];

/** Everything of `DeviceFacts` that a step may need again, in one command; its parser is src/facts/devices/parse-devices.ts. */
export const DEVICES_PROBE: readonly ProbeEntry[] = [
  GROUP_TYPES,
  ...PCI_FUNCTIONS,
  ...USES,
  ...DEVICE_SETTINGS,
];

/** Temperatures. A reading asks the device, which may answer slowly or not at all: for the health step and for `facts` only. */
const TEMPERATURES: readonly ProbeEntry[] = ['hwmon/hwmon*', 'nvme/nvme*/hwmon*'].flatMap(
  (folder) =>
    ['input', 'label', 'crit', 'max'].map((name) => line(`${PCI}/*/${folder}/temp*_${name}`)),
);

/** AER counters, link state and temperatures: what the health step compares. Parsed as `DEVICES_PROBE` is. */
export const HEALTH_PROBE: readonly ProbeEntry[] = [...PCI_FUNCTIONS, ...TEMPERATURES];

/** The files in the installed initramfs images; listing one takes seconds. */
export const INITRAMFS_PROBE: readonly ProbeEntry[] = [query('initramfs')];

/**
 * Everything that `inspect` reads, in one command. Costs no fork per attribute (host.md §6), and never
 * touches rom, resourceN, vpd or a device's whole config space, which can hang or change the device.
 */
export const INSPECT_PROBE: readonly ProbeEntry[] = [
  ...BOOT,
  ...BOOT_LOADER,
  ...IOMMU,
  ...OWN_STATE,
  file('/etc/os-release'),
  line('/etc/machine-id'),
  line('/proc/sys/kernel/hostname'),
  line('/proc/meminfo'),
  // Vendor and feature bits of the CPU in one line; /proc/cpuinfo repeats them for every core.
  line('/sys/devices/system/cpu/modalias'),
  list('/sys/firmware/acpi/tables'),
  line('/sys/class/misc/kvm/dev'),
  list('/usr/share/qemu'),
  list('/usr/share/qemu-kvm'),
  line('/sys/kernel/kexec_crash_loaded'),
  line('/sys/fs/selinux/enforce'),
  query('uid'),
  query('space'),
  ...PCI_FUNCTIONS,
  ...USES,
  ...DEVICE_SETTINGS,
  ...['sys_vendor', 'product_name', 'bios_version', 'bios_date'].map((name) =>
    line(`/sys/class/dmi/id/${name}`),
  ),
  query('pci-names'),
  query('boot-modules'),
];

/** What `facts` and `capture` read: also what asks a device, and the bridges' config space for Access Control Services. */
export const FACTS_PROBE: readonly ProbeEntry[] = [
  ...INSPECT_PROBE,
  ...TEMPERATURES,
  query('bridge-config'),
];

/**
 * What `diagnose` reads, and `capture` for it: also logs, and the files in the initramfs images. That takes seconds, so no
 * step reads it.
 */
export const DIAGNOSE_PROBE: readonly ProbeEntry[] = [
  ...FACTS_PROBE,
  query('initramfs'),
  query('kernel-log'),
  query('guest-logs'),
  query('audit-log'),
  query('module-files'),
  query('modprobe-lines'),
  line('/sys/class/watchdog/*/bootstatus'),
];

/** The boot loader, the boot and our own state: what the cmdline step reads back. */
export const BOOT_PROBE: readonly ProbeEntry[] = [...BOOT, ...BOOT_LOADER, ...OWN_STATE];

/** The running boot and the IOMMU: what the wait and iommu steps read. */
export const PROOF_PROBE: readonly ProbeEntry[] = [...BOOT, ...IOMMU];

/** Only the boot id: what is polled while a host reboots. */
export const BOOT_ID_PROBE: readonly ProbeEntry[] = [line(BOOT_ID_PATH)];
/** Names of the guests that run now. */
export const GUESTS_PROBE: readonly ProbeEntry[] = [list('/run/libvirt/qemu')];
/** Everything that begin, finish and release write. */
export const OWN_STATE_PROBE: readonly ProbeEntry[] = [
  ...OWN_STATE,
  file(UNDO_PATH),
  file(FENCE_PATH),
  file(MOTD_PATH),
  list(MOTD_FOLDER),
  { kind: 'link', glob: MOTD_FOLDER },
  { kind: 'link', glob: MOTD_PATH },
];
