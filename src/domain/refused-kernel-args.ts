import { kernelArgName, kernelArgValue } from './kernel-args.ts';

/** Longest kernel argument that a spec may ask for, in characters; x86 keeps 2,048 bytes of command line in all. */
export const KERNEL_ARG_LENGTH_MAX = 256;

/**
 * Why vfleet does not put this argument on, or take it off, a host's command line; `undefined` when it may.
 * The text says what it could do to a host (law 1), or which characters are wrong: arguments end up in a file
 * that a shell reads, so only characters without meaning to a shell pass.
 */
export function refusedKernelArg(arg: string): string | undefined {
  return refusedText(arg) ?? refusedName(arg) ?? refusedValue(arg);
}

function refusedText(arg: string): string | undefined {
  if (arg === '') return 'is empty; write one argument, such as pci=realloc';
  if (arg.length > KERNEL_ARG_LENGTH_MAX) {
    return `has ${arg.length} characters, and the most is ${KERNEL_ARG_LENGTH_MAX}`;
  }
  if (/\s/.test(arg)) return 'holds white space; list each argument on its own';
  const wrong = /[^A-Za-z0-9._,:=/@+-]/u.exec(arg)?.[0];
  if (wrong === undefined) return undefined;
  return `holds ${JSON.stringify(wrong)}; only letters, digits and . _ , : = / @ + - are allowed, since a shell reads the file it goes into`;
}

function refusedName(arg: string): string | undefined {
  const name = kernelArgName(arg);
  const family = FAMILIES.find(([prefix]) => name.startsWith(prefix));
  const reason = REASONS.get(name) ?? family?.[1];
  if (reason !== undefined) return reason;
  return /^[A-Za-z]/.test(arg) ? undefined : 'is not the name of a kernel argument';
}

const ROOT = 'the host may not find its root file system';
const BOOT = 'it changes what the host starts, so the host may come back without SSH';
const MEMORY = 'it takes memory away, so the host may not start or its guests may not fit';
const PROCESSORS = 'it takes processors away from the host';
const NETWORK = 'the host may come back without its network';
const CONSOLE = 'the start waits for somebody at the console';
const OURS = 'it belongs to vfleet, which sets it itself';
const PANIC = 'vfleet sets it itself for a trial boot, so that a crash returns to the old line';
const LOADER = 'the boot loader sets it';
const TO_INIT = 'it ends the kernel’s arguments; what follows goes to init';
const HUGEPAGES =
  'huge pages must be checked against the memory of each host, so they are asked for by target.hugepages';
const MODULES =
  'a driver in use may be among them, which is checked for those of target.modules.blacklist; only graphics and sound drivers may be listed here';

/** By normalised name (`-` as `_`): kernel parameters, initramfs-tools(7), dracut.cmdline(7), systemd(1). */
const REASONS: ReadonlyMap<string, string> = new Map<string, string>([
  ...each('root rootflags rootfstype rootdelay nfsroot nfsaddrs netroot boot loop', ROOT),
  ...each('overlayroot initrd initrdmem noinitrd cryptopts ro rw', ROOT),
  ...each('init rdinit rescue emergency single s S _s _b 0 1 2 3 4 5 6', BOOT),
  ...each('nomodule recovery', BOOT),
  ...each('mem memmap movable_node', MEMORY),
  ...each('maxcpus nr_cpus nosmp possible_cpus', PROCESSORS),
  ...each('ip ifname vlan bond bridge team BOOTIF net.ifnames biosdevname', NETWORK),
  ...each('ipv6.disable', NETWORK),
  ...each('break kgdbwait', CONSOLE),
  ...each('panic oops', PANIC),
  ...each('BOOT_IMAGE', LOADER),
  ...each('__ ___', TO_INIT),
  ...each('hugepages hugetlb_cma', HUGEPAGES),
]);

/** By start of the normalised name; each is steered by its own program of the early boot. */
const FAMILIES: readonly (readonly [prefix: string, reason: string])[] = [
  ['vfleet.', OURS],
  ['rd.', BOOT],
  ['systemd.unit', BOOT],
  ['systemd.mask', BOOT],
  ['systemd.run', BOOT],
  ['systemd.volatile', BOOT],
  ['systemd.debug_shell', BOOT],
];

/**
 * Why an argument that takes the isolation between guests and host away may not be put on a command line, said after it;
 * `undefined` when it may. Taking one off is lawful.
 */
export function unsafeKernelArg(arg: string): string | undefined {
  const reason = UNSAFE.get(kernelArgName(arg));
  return reason === undefined ? undefined : `${JSON.stringify(arg)} is refused: ${reason}`;
}

const UNSAFE: ReadonlyMap<string, string> = new Map([
  [
    'vfio_iommu_type1.allow_unsafe_interrupts',
    'write target.modules.unsafeInterrupts, with allow: [unsafe-interrupts]',
  ],
  [
    'vfio.enable_unsafe_noiommu_mode',
    'a guest without an IOMMU in between can write to any memory',
  ],
  ['pcie_acs_override', 'it claims an isolation between functions that the hardware does not give'],
  [
    'vfio_pci.ids',
    'it takes every function of these ids, in use or not; write target.devices, where that is checked',
  ],
]);

function each(names: string, reason: string): [string, string][] {
  return names.split(' ').map((name) => [name, reason]);
}

function refusedValue(arg: string): string | undefined {
  const name = kernelArgName(arg);
  const words = (kernelArgValue(arg) ?? '').split(',');
  if (name === 'acpi' && words.includes('off')) {
    return 'without ACPI the host finds neither its IOMMU nor, often, its disks';
  }
  if (name === 'pci' && words.includes('off'))
    return 'without PCI the host has no disk and no network';
  if (!BLACKLISTS.has(name)) return undefined;
  return words.every((driver) => HARMLESS_DRIVERS.has(driver.replaceAll('-', '_')))
    ? undefined
    : MODULES;
}

const BLACKLISTS: ReadonlySet<string> = new Set([
  'module_blacklist',
  'modprobe.blacklist',
  'blacklist',
]);

/** Drivers whose absence leaves disk and network alone; they are what GPU passthrough has to keep away. */
export const HARMLESS_DRIVERS: ReadonlySet<string> = new Set(
  (
    'nouveau nvidia nvidia_drm nvidia_modeset nvidia_uvm nvidiafb amdgpu radeon i915 xe ast mgag200 ' +
    'snd_hda_intel snd_hda_codec_hdmi snd_hda_core snd_hda_codec'
  ).split(' '),
);
