import { entryText } from '../bls/entry-text.ts';
import { ENTRIES } from '../bls/entries.ts';
import { DiskError } from '../disk.ts';
import { GRUB2ENV } from '../grub/grubenv.ts';
import { initramfsText } from '../kernel/initramfs.ts';
import type { ModelHost } from '../model-host.ts';
import { editEnvironment } from './grub-environment.ts';
import { grub2Mkconfig } from './grub2-mkconfig.ts';
import { exit, type ProgramResult } from './result.ts';

const CMDLINE = '/etc/kernel/cmdline';

/**
 * `kernel-install add|remove VERSION [IMAGE]` (kernel-install(8)) with the plugins of the RHEL family: 20-grub.install (of the
 * grub2 package: jmontleon/grub2-dist-git), 50-dracut.install and tuned's 92-tuned.install. So does dnf when it
 * installs a kernel. On release 8 the entry names `$kernelopts`; later it has a line of its own, from
 * /etc/kernel/cmdline, or where that is missing the one that is running, a trial's arguments and all.
 */
export function kernelInstall(args: readonly string[], host: ModelHost): ProgramResult {
  const [verb, version = ''] = args;
  if (!/^[A-Za-z0-9._+~-]+$/.test(version) || (verb !== 'add' && verb !== 'remove')) {
    host.complain(`the model does not know kernel-install ${args.join(' ')}`);
    return exit(1, '', 'Error: not enough arguments\n');
  }
  const id = `${(host.tree.text('/etc/machine-id') ?? '').trim()}-${version}`;
  try {
    return verb === 'add' ? add(host, version, id) : remove(host, version, id);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return exit(1, '', `kernel-install: ${error.message}\n`);
  }
}

function add(host: ModelHost, version: string, id: string): ProgramResult {
  const { tree, disk, machine } = host;
  for (const part of ['vmlinuz', 'config', 'System.map']) disk.put(`/boot/${part}-${version}`, '');
  const options = machine.mkconfig === 'kernelopts' ? undefined : optionsOf(host);
  if (typeof options === 'object') return options;
  const osRelease = tree.text('/etc/os-release') ?? '';
  const tuned = tree.text('/etc/tuned/bootcmdline') !== undefined;
  const entry = { osRelease, version, options, tuned, built: '20240601000000' };
  disk.put(`${ENTRIES}/${id}.conf`, entryText(entry));
  disk.put(`/boot/initramfs-${version}.img`, initramfsText(tree, host.kernel.complain));
  if (!/^UPDATEDEFAULT=yes$/m.test(tree.text('/etc/sysconfig/kernel') ?? '')) {
    return exit(0, '', '', true);
  }
  const block = { name: 'grub2-editenv', path: GRUB2ENV };
  const { code, stderr } = editEnvironment(host, block, (it) => it.set('saved_entry', id));
  return exit(code, '', stderr, true);
}

/** The line of the new entry; where /etc/default/grub is the newer file, grub2-mkconfig runs first and may rewrite all. */
function optionsOf(host: ModelHost): string | ProgramResult {
  const { tree } = host;
  if (tree.text(CMDLINE) === undefined) {
    const running = (tree.text('/proc/cmdline') ?? '').trim().split(/\s+/);
    return running.filter((word) => !/^(?:initrd|BOOT_IMAGE)=/.test(word)).join(' ');
  }
  if (tree.isOlder(CMDLINE, '/etc/default/grub')) {
    const made = grub2Mkconfig(['-o', '/etc/grub2.cfg'], host);
    if (made.code !== 0) return made;
  }
  return (tree.text(CMDLINE) ?? '').trim().split(/\s+/).join(' ');
}

/** Kernel, initramfs and entry go; a default that named it leads nowhere then. */
function remove({ tree, disk }: ModelHost, version: string, id: string): ProgramResult {
  const paths = [
    `${ENTRIES}/${id}.conf`,
    `/boot/initramfs-${version}.img`,
    ...['vmlinuz', 'config', 'System.map'].map((part) => `/boot/${part}-${version}`),
  ].filter((path) => tree.at(path, false) !== undefined);
  for (const path of paths) disk.remove(path);
  return exit(0, '', '', paths.length > 0);
}
