import type { Family } from '../distribution-types.ts';
import { DiskError } from '../disk.ts';
import { CannotInterpret } from '../grub/defaults.ts';
import { GRUB2ENV, GRUBENV } from '../grub/grubenv.ts';
import { generateGrubCfg } from '../grub/update-grub.ts';
import type { ModelHost } from '../model-host.ts';
import { grubEditenv, grubReboot, grubSetDefault } from './grub-environment.ts';
import { grub2Mkconfig } from './grub2-mkconfig.ts';
import { grubby } from './grubby.ts';
import { dracut, lsinitramfs, lsinitrd, updateInitramfs } from './initramfs.ts';
import { kernelInstall } from './kernel-install.ts';
import { exit, type Program, type ProgramResult } from './result.ts';

const DRACUT: readonly [string, Program][] = [
  ['dracut', { takesMs: (_args, host) => host.timing.updateInitramfsMs, run: dracut }],
  ['lsinitrd', { run: lsinitrd }],
];

/** The programs of boot loader and initramfs, which each family has under names of its own. */
export const LOADER_PROGRAMS: Readonly<Record<Family, readonly (readonly [string, Program])[]>> = {
  debian: [
    [
      'update-grub',
      {
        takesMs: (_args, host) => host.timing.updateGrubMs,
        run: (_args, host) => updateGrub(host),
      },
    ],
    ['grub-reboot', grubReboot('grub-editenv', GRUBENV)],
    ['grub-editenv', grubEditenv('grub-editenv', GRUBENV)],
    [
      'update-initramfs',
      { takesMs: (_args, host) => host.timing.updateInitramfsMs, run: updateInitramfs },
    ],
    ['lsinitramfs', { run: lsinitramfs }],
    // Debian has dracut too, where somebody installed it.
    ...DRACUT,
  ],
  rhel: [
    ['grub2-reboot', grubReboot('grub2-editenv', GRUB2ENV)],
    ['grub2-set-default', grubSetDefault('grub2-editenv', GRUB2ENV)],
    ['grub2-editenv', grubEditenv('grub2-editenv', GRUB2ENV)],
    ['grub2-mkconfig', { takesMs: (_args, host) => host.timing.updateGrubMs, run: grub2Mkconfig }],
    ['grubby', { run: grubby }],
    [
      'kernel-install',
      { takesMs: (_args, host) => host.timing.updateInitramfsMs, run: kernelInstall },
    ],
    ['getenforce', { run: (_args, host) => getenforce(host) }],
    // The model keeps no contexts: a file has the right one.
    ['restorecon', { run: () => exit(0) }],
    ...DRACUT,
  ],
};

/** Either the whole new grub.cfg, or the old one and an exit code of 1. */
function updateGrub(host: ModelHost): ProgramResult {
  try {
    const { text, messages } = generateGrubCfg(host.tree, host.machine);
    const changed = host.tree.text('/boot/grub/grub.cfg') !== text;
    host.disk.put('/boot/grub/grub.cfg', text);
    return exit(0, '', messages, changed);
  } catch (error) {
    if (error instanceof CannotInterpret) {
      host.complain(error.message);
      return exit(1, '', `update-grub: ${error.message}\n`);
    }
    if (!(error instanceof DiskError)) throw error;
    const words =
      error.reason === 'no-space'
        ? 'cat: write error'
        : '/usr/sbin/grub-mkconfig: 271: cannot create /boot/grub/grub.cfg.new';
    return exit(error.reason === 'no-space' ? 1 : 2, '', `${words}: ${error.message}\n`);
  }
}

/** getenforce(8). */
function getenforce({ tree }: ModelHost): ProgramResult {
  const mode = tree.text('/sys/fs/selinux/enforce')?.trim();
  const word = mode === undefined ? 'Disabled' : mode === '1' ? 'Enforcing' : 'Permissive';
  return exit(0, `${word}\n`);
}
