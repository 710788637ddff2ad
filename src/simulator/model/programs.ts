import type { Family } from './distribution-types.ts';
import { virsh } from './guests/virsh.ts';
import type { ModelHost } from './model-host.ts';
import { cmp, cp, diff, mv, rm, stat, testFile } from './programs/coreutils.ts';
import { modprobe, udevadm } from './programs/devices.ts';
import { ip } from './programs/ip.ts';
import { LOADER_PROGRAMS } from './programs/loaders.ts';
import { find } from './programs/open-files.ts';
import { exit, type Program, type ProgramResult } from './programs/result.ts';

/** The programs that every model host has. */
const COMMON: readonly (readonly [string, Program])[] = [
  ['true', { run: () => exit(0) }],
  ['false', { run: () => exit(1) }],
  ['sync', { run: () => exit(0) }],
  ['sleep', { takesMs: ([seconds]) => Number(seconds ?? 0) * 1000, run: () => exit(0) }],
  ['echo', { run: (args) => exit(0, `${args.join(' ')}\n`) }],
  ['uname', { run: uname }],
  ['systemctl', { run: systemctl }],
  ['modprobe', { run: modprobe }],
  ['ip', { run: ip }],
  ['udevadm', { run: udevadm }],
  ['virsh', { run: virsh }],
  ['cp', { run: cp }],
  ['mv', { run: mv }],
  ['find', { run: find }],
  ['rm', { run: rm }],
  ['cmp', { run: cmp }],
  ['diff', { run: diff }],
  ['test', { run: testFile }],
  ['stat', { run: stat }],
];

/** The programs that hosts of a family have, by name. What is not here is not found. */
export const PROGRAMS: Readonly<Record<Family, ReadonlyMap<string, Program>>> = {
  debian: new Map([...COMMON, ...LOADER_PROGRAMS.debian]),
  rhel: new Map([...COMMON, ...LOADER_PROGRAMS.rhel]),
};

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
