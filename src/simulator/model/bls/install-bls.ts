import type { RhelDistribution } from '../distribution-types.ts';
import type { FileTree } from '../file-tree.ts';
import { CUSTOM_40, CUSTOM_41, PACKAGED_SCRIPT } from '../grub/install-grub.ts';
import { emptyGrubenv, GRUB2ENV, writeGrubenv } from '../grub/grubenv.ts';
import { seededNumber } from '../random.ts';
import { entryText, ENTRIES, type KernelEntry } from './entry-text.ts';
import { majorOf, packagedSections } from './releases.ts';

/** What a host of the RHEL family is like, as far as its boot files go. */
export interface BlsInstallation {
  readonly distribution: RhelDistribution;
  readonly machineId: string;
  readonly seed: string;
  readonly rootDevice: string;
  readonly bootUuid: string;
  /** GRUB_CMDLINE_LINUX behind what the installer puts there. */
  readonly kernelArgs: readonly string[];
  /** GRUB_CMDLINE_LINUX_DEFAULT; empty: the file does not set it. */
  readonly defaultArgs: readonly string[];
  readonly grubDefault: string;
  /** `saved_entry` of grubenv; `null`: it has none. */
  readonly savedEntry: string | null;
  /** What tuned adds to the line; absent: tuned is not installed. */
  readonly tuned: readonly string[] | undefined;
}

/** Files of the boot loader, of the kernels and of dracut, as the installer leaves them; grub.cfg is grub2-mkconfig's. */
export function installBls(tree: FileTree, host: BlsInstallation): void {
  installKernels(tree, host);
  installSettings(tree, host);
  installEnvironment(tree, host);
  installDracut(tree);
  if (host.tuned !== undefined) installTuned(tree, host.tuned);
}

/** The words of GRUB_CMDLINE_LINUX. */
const always = ({ distribution, kernelArgs }: BlsInstallation): readonly string[] => [
  ...distribution.args,
  ...kernelArgs,
];

/** The line of the default entry, but for tuned's. */
export const lineOf = (host: BlsInstallation): readonly string[] => [
  `root=${host.rootDevice}`,
  'ro',
  ...always(host),
  ...host.defaultArgs,
];

function installKernels(tree: FileTree, host: BlsInstallation): void {
  const { distribution, machineId, seed } = host;
  const rescue = `0-rescue-${machineId}`;
  for (const version of [...distribution.kernels, rescue]) {
    const isRescue = version === rescue;
    const entry: KernelEntry = {
      osRelease: distribution.osRelease,
      version,
      options: distribution.mkconfig === 'kernelopts' ? undefined : lineOf(host).join(' '),
      tuned: host.tuned !== undefined && !isRescue,
      built: buildTime(seed, version),
    };
    const id = isRescue ? `${machineId}-0-rescue` : `${machineId}-${version}`;
    tree.put(`${ENTRIES}/${id}.conf`, entryText(entry));
    tree.put(`/boot/vmlinuz-${version}`, '', 0o755);
    tree.put(`/boot/initramfs-${version}.img`, '', 0o600);
    if (isRescue) continue;
    for (const part of ['config', 'System.map']) tree.put(`/boot/${part}-${version}`, '');
  }
}

/** When a kernel was built, `YYYYMMDDhhmmss`, as the ids inside the entries of release 8 have it. */
function buildTime(seed: string, version: string): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const day = two(1 + seededNumber(28, seed, version, 'day'));
  const minute = two(seededNumber(60, seed, version, 'minute'));
  return `202405${day}13${minute}11`;
}

function installSettings(tree: FileTree, host: BlsInstallation): void {
  const { distribution, defaultArgs, grubDefault } = host;
  const normal =
    defaultArgs.length === 0 ? '' : `GRUB_CMDLINE_LINUX_DEFAULT="${defaultArgs.join(' ')}"\n`;
  tree.put(
    '/etc/default/grub',
    `GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR="$(sed 's, release .*$,,g' /etc/system-release)"
GRUB_DEFAULT=${grubDefault}
GRUB_DISABLE_SUBMENU=true
GRUB_TERMINAL_OUTPUT="console"
GRUB_CMDLINE_LINUX="${always(host).join(' ')}"
${normal}GRUB_DISABLE_RECOVERY="true"
GRUB_ENABLE_BLSCFG=true
`,
  );
  // Read by grub2-get-kernel-settings: a new kernel becomes the default.
  tree.put(
    '/etc/sysconfig/kernel',
    `# UPDATEDEFAULT specifies if new-kernel-pkg should make
# new kernels the default
UPDATEDEFAULT=yes

# DEFAULTKERNEL specifies the default kernel package type
DEFAULTKERNEL=kernel
`,
  );
  if (distribution.mkconfig !== 'kernelopts') {
    tree.put('/etc/kernel/cmdline', `${lineOf(host).join(' ')}\n`);
  }
  const scripts = packagedSections(majorOf(distribution.osRelease));
  for (const name of scripts) tree.put(`/etc/grub.d/${name}`, PACKAGED_SCRIPT, 0o755);
  if (host.tuned !== undefined) tree.put('/etc/grub.d/00_tuned', PACKAGED_SCRIPT, 0o755);
  tree.put('/etc/grub.d/40_custom', CUSTOM_40, 0o755);
  // Release 8 has a semicolon there that later ones do not.
  const custom =
    majorOf(distribution.osRelease) === 8
      ? CUSTOM_41.replace(/^( {2}source .*prefix.*)$/m, '$1;')
      : CUSTOM_41;
  tree.put('/etc/grub.d/41_custom', custom, 0o755);
  tree.put(
    '/etc/grub.d/README',
    'All executable files in this directory are processed in shell expansion order.\n',
  );
}

/** grubenv, and on UEFI machines since release 9 the stub; before, both files lie on the EFI partition itself. */
function installEnvironment(tree: FileTree, host: BlsInstallation): void {
  const { distribution, machineId, savedEntry } = host;
  const efi = `/boot/efi/EFI/${distribution.efiFolder}`;
  const old = majorOf(distribution.osRelease) === 8;
  const environment = emptyGrubenv(!old);
  const { variables } = environment;
  const [kernel] = distribution.kernels;
  if (savedEntry !== null) variables.set('saved_entry', savedEntry);
  else variables.delete('saved_entry');
  if (distribution.mkconfig === 'kernelopts') variables.set('kernelopts', lineOf(host).join(' '));
  variables.set('boot_success', '0');
  variables.set('boot_indeterminate', '0');
  if ((host.tuned ?? []).length > 0) variables.set('tuned_params', (host.tuned ?? []).join(' '));
  const block = writeGrubenv(environment);
  if (block === undefined) throw new Error(`the line of ${machineId} (${kernel}) is too long`);
  if (old) {
    tree.put(`${efi}/grubenv`, block, 0o700);
    tree.link(GRUB2ENV, `../efi/EFI/${distribution.efiFolder}/grubenv`);
    tree.link('/etc/grub2-efi.cfg', `../boot/efi/EFI/${distribution.efiFolder}/grub.cfg`);
    return;
  }
  tree.put(GRUB2ENV, block, 0o600);
  tree.link('/etc/grub2-efi.cfg', '../boot/grub2/grub.cfg');
  tree.link('/etc/grub2.cfg', '../boot/grub2/grub.cfg');
  tree.put(
    `${efi}/grub.cfg`,
    `search --no-floppy --root-dev-only --fs-uuid --set=dev ${host.bootUuid}
set prefix=($dev)/grub2
export $prefix
configfile $prefix/grub.cfg
`,
    0o700,
  );
}

function installDracut(tree: FileTree): void {
  tree.put('/usr/bin/dracut', '#!/bin/bash --norc\n', 0o755);
  tree.put(
    '/etc/dracut.conf',
    '# PUT YOUR CONFIG IN separate files\n# in /etc/dracut.conf.d named "<name>.conf"\n# SEE man dracut.conf(5) for options\n',
  );
  tree.put('/usr/lib/dracut/dracut.conf.d/01-dist.conf', 'hostonly="yes"\n');
}

/** What tuned's bootloader plugin leaves of a profile's `cmdline` (tuned(8); 00_tuned and 92-tuned.install read it). */
function installTuned(tree: FileTree, args: readonly string[]): void {
  tree.put(
    '/etc/tuned/bootcmdline',
    `TUNED_BOOT_CMDLINE="${args.join(' ')}"\nTUNED_BOOT_INITRD_ADD=""\n`,
  );
}
