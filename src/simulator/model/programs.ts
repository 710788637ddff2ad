import { CannotInterpret } from './grub/defaults.ts';
import { readGrubenv, writeGrubenv } from './grub/grubenv.ts';
import { generateGrubCfg } from './grub/update-grub.ts';
import { DiskError } from './disk.ts';
import { virsh } from './guests/virsh.ts';
import type { ModelHost } from './model-host.ts';
import { cmp, cp, diff, rm, stat, testFile } from './programs/coreutils.ts';
import { lsinitramfs, modprobe, udevadm, updateInitramfs } from './programs/devices.ts';
import { ip } from './programs/ip.ts';
import { exit, type Program, type ProgramResult } from './programs/result.ts';

const GRUBENV = '/boot/grub/grubenv';
/** The programs that every model host has. What is not here is not found. */
export const PROGRAMS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['true', { run: () => exit(0) }],
  ['false', { run: () => exit(1) }],
  ['sync', { run: () => exit(0) }],
  ['sleep', { takesMs: ([seconds]) => Number(seconds ?? 0) * 1000, run: () => exit(0) }],
  ['echo', { run: (args) => exit(0, `${args.join(' ')}\n`) }],
  ['uname', { run: uname }],
  ['systemctl', { run: systemctl }],
  [
    'update-grub',
    { takesMs: (_args, host) => host.timing.updateGrubMs, run: (_args, host) => updateGrub(host) },
  ],
  ['grub-reboot', { run: grubReboot }],
  ['grub-editenv', { run: grubEditenv }],
  ['modprobe', { run: modprobe }],
  ['ip', { run: ip }],
  ['udevadm', { run: udevadm }],
  ['virsh', { run: virsh }],
  ['lsinitramfs', { run: lsinitramfs }],
  [
    'update-initramfs',
    { takesMs: (_args, host) => host.timing.updateInitramfsMs, run: updateInitramfs },
  ],
  ['cp', { run: cp }],
  ['rm', { run: rm }],
  ['cmp', { run: cmp }],
  ['diff', { run: diff }],
  ['test', { run: testFile }],
  ['stat', { run: stat }],
]);

function uname(args: readonly string[], { tree, name }: ModelHost): ProgramResult {
  const release = (tree.text('/proc/sys/kernel/osrelease') ?? '').trim();
  switch (args.join(' ')) {
    case '':
    case '-s':
      return exit(0, 'Linux\n');
    case '-r':
      return exit(0, `${release}\n`);
    case '-n':
      return exit(0, `${name}\n`);
    case '-m':
      return exit(0, 'x86_64\n');
    default:
      return exit(1, '', `uname: the model does not know ${args.join(' ')}\n`);
  }
}

/** `reboot`, also with `--no-block`, and `is-active UNIT` (exit 3 when it is not). */
function systemctl(args: readonly string[], host: ModelHost): ProgramResult {
  const [verb, ...rest] = args.filter((arg) => arg !== '--no-block' && arg !== '--quiet');
  if (verb === 'reboot' && rest.length === 0) {
    host.reboot();
    return exit(0, '', '', true);
  }
  const [unit] = rest;
  if (verb === 'is-active' && unit !== undefined && rest.length === 1) {
    const state = host.units.get(unit.replace(/\.service$/, '')) ?? 'inactive';
    const stdout = args.includes('--quiet') ? '' : `${state}\n`;
    return exit(state === 'active' ? 0 : 3, stdout);
  }
  return exit(1, '', `systemctl: the model does not know: systemctl ${args.join(' ')}\n`);
}

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

/** Sets the one-shot; it does not look whether the entry exists, as the real one does not. */
function grubReboot(args: readonly string[], host: ModelHost): ProgramResult {
  const [entry, ...rest] = args;
  if (entry === undefined || entry.startsWith('-') || rest.length > 0) {
    return exit(1, '', 'Menu entry not specified.\n');
  }
  return editEnvironment(host, (variables) => variables.set('next_entry', entry));
}

function grubEditenv(args: readonly string[], host: ModelHost): ProgramResult {
  const [file, verb, ...rest] = args;
  if (file !== GRUBENV && file !== '-') {
    return exit(1, '', `grub-editenv: the model does not know the file ${file ?? ''}\n`);
  }
  switch (verb) {
    case 'list':
      return exit(0, [...environment(host)].map(([name, value]) => `${name}=${value}\n`).join(''));
    case 'create':
      return editEnvironment(host, (variables) => variables.clear());
    case 'set':
      return editEnvironment(host, (variables) => {
        for (const pair of rest) {
          const at = pair.indexOf('=');
          variables.set(pair.slice(0, at), pair.slice(at + 1));
        }
      });
    case 'unset':
      return editEnvironment(host, (variables) => {
        for (const name of rest) variables.delete(name);
      });
    default:
      return exit(1, '', `Unknown command \`${verb ?? ''}'.\n`);
  }
}

/** The real grub-editenv creates the block when there is none: a fresh Debian 12 has none (lab). */
function environment(host: ModelHost): Map<string, string> {
  return readGrubenv(host.tree.bytes(GRUBENV) ?? new Uint8Array()) ?? new Map<string, string>();
}

function editEnvironment(
  host: ModelHost,
  edit: (variables: Map<string, string>) => unknown,
): ProgramResult {
  const variables = environment(host);
  edit(variables);
  const block = writeGrubenv(variables);
  if (block === undefined)
    return exit(1, '', 'grub-editenv: error: environment block too small.\n');
  const old = host.tree.bytes(GRUBENV);
  try {
    if (old === undefined) host.disk.put(GRUBENV, block);
    else host.disk.overwrite(GRUBENV, block);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return exit(1, '', `grub-editenv: error: cannot open \`${GRUBENV}': ${error.message}.\n`);
  }
  return exit(0, '', '', old === undefined || !Buffer.from(old).equals(block));
}
