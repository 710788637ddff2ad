import { installBls, type BlsInstallation } from './bls/install-bls.ts';
import { generateGrub2Cfg } from './bls/mkconfig.ts';
import { bootLoader } from './boot.ts';
import type { Family, RhelDistribution } from './distribution-types.ts';
import { FileTree } from './file-tree.ts';
import type { HostTreeOptions } from './host-tree-options.ts';
import { installGrub } from './grub/install-grub.ts';
import { generateGrubCfg } from './grub/update-grub.ts';
import type { CpuVendor, Machine } from './machine.ts';
import { distribution, makeMachine, seedOf, UNSEEN_KIB } from './make-machine.ts';
import { seededBytes } from './random.ts';

import { startKernel } from './start-kernel.ts';
import { showStorage } from './storage.ts';

export type { HostTreeOptions } from './host-tree-options.ts';
export { seedOf } from './make-machine.ts';

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
  installLoader(tree, machine, options);
  for (const [path, content] of Object.entries(options.files ?? {})) tree.put(path, content);
  if (machine.family === 'rhel') {
    tree.put('/etc/grub2-efi.cfg', generateGrub2Cfg(tree, machine).text, 0o700);
  } else tree.put('/boot/grub/grub.cfg', generateGrubCfg(tree, machine).text);
  const boot = bootLoader(tree, machine, () => false);
  if (boot.kind !== 'up') throw new Error(`${options.name} does not boot: ${boot.why}`);
  startKernel(tree, machine, { words: boot.words, name: options.name, boot: 0, seed });
  if (options.crashKernel === true) tree.put('/sys/kernel/kexec_crash_loaded', '1\n');
  return { tree, machine };
}

function installLoader(tree: FileTree, machine: Machine, options: HostTreeOptions): void {
  const found = distribution(options);
  if (found.family === 'rhel') {
    installBls(tree, blsInstallation(found, machine, options));
    return;
  }
  installGrub(tree, {
    distribution: found,
    kernelArgs: options.kernelArgs ?? ['console=ttyS0', 'no_timer_check'],
    defaultArgs: options.defaultArgs ?? ['quiet'],
    grubDefault: options.grubDefault ?? '0',
  });
}

function blsInstallation(
  found: RhelDistribution,
  { rootDevice, bootUuid }: Machine,
  options: HostTreeOptions,
): BlsInstallation {
  const { kernelArgs = [], defaultArgs = [], grubDefault = 'saved' } = options;
  const machineId = machineIdOf(options);
  const { tuned = found.tuned, savedEntry = `${machineId}-${found.kernels[0]}` } = options;
  return {
    distribution: found,
    machineId,
    seed: seedOf(options),
    ...{ rootDevice, bootUuid, kernelArgs, defaultArgs, grubDefault, savedEntry },
    tuned: typeof tuned === 'object' ? tuned : tuned ? [] : undefined,
  };
}

const machineIdOf = (options: HostTreeOptions): string =>
  seededBytes(seedOf(options), 'machine-id').toString('hex').slice(0, 32);

function installSystem(tree: FileTree, options: HostTreeOptions): void {
  const { osRelease, family } = distribution(options);
  tree.put('/usr/lib/os-release', osRelease);
  tree.link('/etc/os-release', '../usr/lib/os-release');
  tree.link('/bin', 'usr/bin');
  tree.link('/sbin', 'usr/sbin');
  tree.put('/etc/hostname', `${options.name}\n`);
  tree.put('/etc/machine-id', `${machineIdOf(options)}\n`, 0o444);
  tree.mkdir('/var/lib');
  tree.mkdir('/run/libvirt/qemu');
  tree.mkdir('/tmp');
  if (options.driverctl === true) tree.put('/usr/sbin/driverctl', '', 0o755);
  if (family === 'rhel') installSelinux(tree, options.selinux ?? 'enforcing');
  if (options.qemu !== false) installQemu(tree, family);
}

/** The file has no newline; the folder is only there while SELinux is on (security/selinux/selinuxfs.c). */
function installSelinux(tree: FileTree, mode: 'enforcing' | 'permissive' | 'disabled'): void {
  tree.put(
    '/etc/selinux/config',
    `# This file controls the state of SELinux on the system.\nSELINUX=${mode}\nSELINUXTYPE=targeted\n`,
  );
  if (mode !== 'disabled') tree.put('/sys/fs/selinux/enforce', mode === 'enforcing' ? '1' : '0');
}

/** RHEL's QEMU has a place of its own; in /usr/share/qemu are only the descriptions of firmware, which edk2-ovmf brings. */
function installQemu(tree: FileTree, family: Family): void {
  if (family === 'debian') {
    tree.put('/usr/bin/qemu-system-x86_64', '', 0o755);
    tree.put('/usr/share/qemu/keymaps/en-us', '');
    return;
  }
  tree.put('/usr/libexec/qemu-kvm', '', 0o755);
  tree.put('/usr/share/qemu-kvm/kvmvapic.bin', '');
  tree.put('/usr/share/qemu/firmware/50-edk2-ovmf.json', '');
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
  const found = distribution(options);
  showStorage(tree, found.family, found.family === 'rhel' ? found.volumes : '');
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
