import { bootLoader } from './boot.ts';
import { DISTRIBUTIONS, type Os } from './distributions.ts';
import { FileTree } from './file-tree.ts';
import { generateGrubCfg } from './grub/update-grub.ts';
import type { CpuVendor, Machine } from './machine.ts';
import type { GuestSpec } from './guests/guest-text.ts';
import { DEFAULT_DEVICES, uplinkOf } from './pci/default-devices.ts';
import type { PciSpec } from './pci/pci-spec.ts';
import { seededBytes, seededUuid } from './random.ts';
import { startKernel } from './start-kernel.ts';

/** What a host is like before anything was done to it. */
export interface HostTreeOptions {
  readonly name: string;
  /** Machine id, UUIDs and boot ids are made from this and the name. */
  readonly seed?: string | number;
  readonly cpu?: CpuVendor;
  readonly os?: Os;
  /** Whether firmware has the IOMMU switched on (DMAR or IVRS is there). */
  readonly iommuFirmware?: boolean;
  /** Whether firmware has VMX or SVM switched on. */
  readonly virtualization?: boolean;
  /** GRUB_CMDLINE_LINUX; the lab's `console=ttyS0 no_timer_check` unless given. */
  readonly kernelArgs?: readonly string[];
  /** GRUB_CMDLINE_LINUX_DEFAULT; `quiet` unless given. */
  readonly defaultArgs?: readonly string[];
  readonly memoryGiB?: number;
  /** GRUB_DEFAULT: anything but `0` is a loader that vfleet refuses to drive. */
  readonly grubDefault?: string;
  readonly kvm?: boolean;
  readonly qemu?: boolean;
  /** libvirt guests; of a name alone, one that runs. */
  readonly guests?: readonly (string | GuestSpec)[];
  /** Functions beside the usual ones (default-devices.ts). */
  readonly devices?: readonly PciSpec[];
  /** Functions in place of the usual ones; needs a root disk and a network card, or facts will not trace them. */
  readonly onlyDevices?: readonly PciSpec[];
  /** 2 unless given; memory and CPUs are shared out evenly. */
  readonly numaNodes?: number;
  readonly interruptRemapping?: boolean;
  /** Whether driverctl is installed. */
  readonly driverctl?: boolean;
  readonly biosVersion?: string;
  /** MM/DD/YYYY, as SMBIOS has it. */
  readonly biosDate?: string;
  /** Files by path that are there before the first boot: modprobe.d, driverctl.d, netplan, ... */
  readonly files?: Readonly<Record<string, string>>;
  readonly crashKernel?: boolean;
  readonly bootFs?: string;
  readonly bootAbstraction?: string;
}

/** A machine and its files, up and running. */
export interface HostTree {
  readonly tree: FileTree;
  readonly machine: Machine;
}

/** Makes a host as it stands after its installation and first boot. */
export function makeHostTree(options: HostTreeOptions): HostTree {
  const tree = new FileTree();
  const machine = makeMachine(options);
  const seed = seedOf(options);
  installSystem(tree, options);
  showHardware(tree, options, machine.cpu);
  installGrub(tree, options);
  for (const [path, content] of Object.entries(options.files ?? {})) tree.put(path, content);
  tree.put('/boot/grub/grub.cfg', generateGrubCfg(tree, machine).text);
  const boot = bootLoader(tree, machine, () => false);
  if (boot.kind !== 'up') throw new Error(`${options.name} does not boot: ${boot.why}`);
  startKernel(tree, machine, { words: boot.words, name: options.name, boot: 0, seed });
  if (options.crashKernel === true) tree.put('/sys/kernel/kexec_crash_loaded', '1\n');
  return { tree, machine };
}

/** What a host's ids are made from. */
export function seedOf({ seed, name }: Pick<HostTreeOptions, 'seed' | 'name'>): string {
  return `${seed ?? 0}/${name}`;
}

function makeMachine(options: HostTreeOptions): Machine {
  const cpu = options.cpu ?? 'intel';
  const { flavour, translatedType } = distribution(options);
  const nodes = options.numaNodes ?? 2;
  const usual = options.onlyDevices ?? DEFAULT_DEVICES[cpu];
  const functions = options.devices === undefined ? usual : [...usual, ...options.devices];
  return {
    cpu,
    flavour,
    translatedType,
    rootUuid: seededUuid(seedOf(options), 'root'),
    searchHints: flavour === 'ubuntu',
    iommuFirmware: options.iommuFirmware ?? true,
    functions,
    uplink: uplinkOf(functions),
    cpus: CPUS_EACH * nodes,
    nodes: nodesOf(nodes, options.memoryGiB ?? 256),
    interruptRemapping: options.interruptRemapping ?? true,
    bootFs: options.bootFs ?? 'ext2',
    bootAbstraction: options.bootAbstraction ?? '',
  };
}

const CPUS_EACH = 16;

function nodesOf(count: number, memoryGiB: number): Machine['nodes'] {
  return Array.from({ length: count }, (_, id) => ({
    cpus: `${id * CPUS_EACH}-${(id + 1) * CPUS_EACH - 1}`,
    memoryKiB: Math.floor((memoryGiB * 1024 * 1024 - UNSEEN_KIB) / count),
  }));
}

/** What the firmware keeps of the memory. */
const UNSEEN_KIB = 1_250_000;

function distribution({ os }: HostTreeOptions) {
  return DISTRIBUTIONS[os ?? 'debian-12'];
}

function installSystem(tree: FileTree, options: HostTreeOptions): void {
  const { osRelease } = distribution(options);
  tree.put('/usr/lib/os-release', osRelease);
  tree.link('/etc/os-release', '../usr/lib/os-release');
  tree.link('/bin', 'usr/bin');
  tree.link('/sbin', 'usr/sbin');
  tree.put('/etc/hostname', `${options.name}\n`);
  const machineId = seededBytes(seedOf(options), 'machine-id').toString('hex').slice(0, 32);
  tree.put('/etc/machine-id', `${machineId}\n`, 0o444);
  tree.mkdir('/var/lib');
  tree.mkdir('/run/libvirt/qemu');
  tree.mkdir('/tmp');
  if (options.driverctl === true) tree.put('/usr/sbin/driverctl', '', 0o755);
  if (options.qemu === false) return;
  tree.put('/usr/bin/qemu-system-x86_64', '', 0o755);
  tree.put('/usr/share/qemu/keymaps/en-us', '');
}

/** Feature words of a CPU's modalias: VMX is 0085, SVM is 00C2 (asm/cpufeatures.h). */
const CPUS: Readonly<
  Record<CpuVendor, { modalias: string; feature: string; flag: string; vendorId: string }>
> = {
  intel: {
    modalias: 'ven0000fam0006mod006A',
    feature: '0085',
    flag: 'vmx',
    vendorId: 'GenuineIntel',
  },
  amd: {
    modalias: 'ven0002fam0019mod0001',
    feature: '00C2',
    flag: 'svm',
    vendorId: 'AuthenticAMD',
  },
};

function showHardware(tree: FileTree, options: HostTreeOptions, vendor: CpuVendor): void {
  const cpu = CPUS[vendor];
  const on = options.virtualization !== false;
  const feature = on ? `,${cpu.feature}` : '';
  const modalias = `cpu:type:x86,${cpu.modalias}:feature:,0000,0001,0002,0003,0080${feature},00E0\n`;
  tree.put('/sys/devices/system/cpu/modalias', modalias, 0o444);
  const flags = `fpu vme de pse${on ? ` ${cpu.flag}` : ''} sse4_2 x2apic`;
  tree.put(
    '/proc/cpuinfo',
    `processor\t: 0\nvendor_id\t: ${cpu.vendorId}\nflags\t\t: ${flags}\n\n`,
    0o444,
  );
  const kiB = (options.memoryGiB ?? 256) * 1024 * 1024 - UNSEEN_KIB;
  tree.put(
    '/proc/meminfo',
    `MemTotal:       ${kiB} kB\nMemFree:        ${kiB - 900_000} kB\n`,
    0o444,
  );
  tree.mkdir('/sys/firmware/efi');
  if (options.kvm !== false && on) {
    tree.device('/dev/kvm');
    tree.put('/sys/devices/virtual/misc/kvm/dev', '10:232\n', 0o444);
    tree.link('/sys/class/misc/kvm', '../../devices/virtual/misc/kvm');
  }
  tree.put('/proc/self/mountinfo', MOUNTINFO, 0o444);
  tree.put('/proc/swaps', SWAPS, 0o444);
  const dmi = {
    sys_vendor: 'Example Systems',
    product_name: 'Rack 2U',
    bios_version: options.biosVersion ?? '2.19.1',
    bios_date: options.biosDate ?? '05/01/2023',
  };
  for (const [name, value] of Object.entries(dmi)) {
    tree.put(`/sys/class/dmi/id/${name}`, `${value}\n`, 0o444);
  }
}

/** Shared by all hosts: the root disk is partition 2 of nvme0n1. */
const MOUNTINFO =
  Buffer.from(`22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
24 27 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=975416k,mode=755
26 27 0:23 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,mode=755
27 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
42 27 259:1 / /boot/efi rw,relatime shared:30 - vfat /dev/nvme0n1p1 rw,fmask=0077
`);
const SWAPS = Buffer.from(
  'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/swap.img                               file\t\t8388604\t\t0\t\t-2\n',
);

/** Scripts of Debian's grub-common that the model knows; its own templates stand for what they hold. */
const PACKAGED = [
  '00_header',
  '05_debian_theme',
  '10_linux',
  '20_linux_xen',
  '30_os-prober',
  '30_uefi-firmware',
];

const CUSTOM_40 = `#!/bin/sh
exec tail -n +3 $0
# This file provides an easy way to add custom menu entries.  Simply type the
# menu entries you want to add after this comment.  Be careful not to change
# the 'exec tail' line above.
`;

const CUSTOM_41 = `#!/bin/sh
cat <<EOF
if [ -f  \\\${config_directory}/custom.cfg ]; then
  source \\\${config_directory}/custom.cfg
elif [ -z "\\\${config_directory}" -a -f  \\$prefix/custom.cfg ]; then
  source \\$prefix/custom.cfg
fi
EOF
`;

function installGrub(tree: FileTree, options: HostTreeOptions): void {
  const { grubHead, kernel } = distribution(options);
  for (const name of PACKAGED) {
    tree.put(
      `/etc/grub.d/${name}`,
      '#!/bin/sh\n# The model does what the packaged script does.\n',
      0o755,
    );
  }
  tree.put('/etc/grub.d/40_custom', CUSTOM_40, 0o755);
  tree.put('/etc/grub.d/41_custom', CUSTOM_41, 0o755);
  tree.put('/etc/grub.d/README', 'All executable files in this directory are processed.\n');
  const head = grubHead.replace('GRUB_DEFAULT=0', `GRUB_DEFAULT=${options.grubDefault ?? '0'}`);
  const normal = (options.defaultArgs ?? ['quiet']).join(' ');
  const always = (options.kernelArgs ?? ['console=ttyS0', 'no_timer_check']).join(' ');
  tree.put(
    '/etc/default/grub',
    `${head}GRUB_CMDLINE_LINUX_DEFAULT="${normal}"\nGRUB_CMDLINE_LINUX="${always}"\nGRUB_TERMINAL=console\n`,
  );
  tree.mkdir('/etc/default/grub.d');
  for (const part of ['vmlinuz', 'initrd.img', 'config', 'System.map']) {
    tree.put(`/boot/${part}-${kernel}`, '');
  }
}
