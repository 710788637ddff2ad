import type { ModelHost } from '../model-host.ts';
import { exit, type ProgramResult } from './result.ts';

/** `modprobe [-q] [-b] [-a] NAME...`: names of modules, or aliases of functions that are there. */
export function modprobe(args: readonly string[], host: ModelHost): ProgramResult {
  const { modules, bus } = host.kernel;
  const quiet = args.includes('-q') || args.includes('--quiet');
  const strange = args.find(
    (arg) => arg.startsWith('-') && !/^(-[qbav]+|--quiet|--all|--use-blacklist)$/.test(arg),
  );
  if (strange !== undefined) {
    host.complain(`the model does not know modprobe ${strange}`);
    return exit(1, '', `modprobe: the model does not know ${strange}\n`);
  }
  const source = host.kernel.installed();
  const before = modules.loaded.size;
  const missing = args
    .filter((arg) => !arg.startsWith('-'))
    .filter((name) => {
      if (!name.startsWith('pci:')) return !modules.load(name, source);
      const fn = [...bus.functions.values()].find((it) => it.modalias === name);
      return fn === undefined || !modules.loadFor(fn, source);
    });
  host.kernel.settle();
  const changed = modules.loaded.size !== before;
  if (missing.length === 0) return exit(0, '', '', changed);
  const release = releaseOf(host);
  const words = missing.map(
    (name) => `modprobe: FATAL: Module ${name} not found in directory /lib/modules/${release}\n`,
  );
  return exit(1, '', quiet ? '' : words.join(''), changed);
}

/** `udevadm settle`, `control --reload`, and `trigger [--action=add] [PATH or ADDRESS of a function]...`. */
export function udevadm([verb, ...args]: readonly string[], host: ModelHost): ProgramResult {
  const { kernel } = host;
  if (verb === 'settle' || verb === 'control') return exit(0);
  if (verb !== 'trigger') {
    host.complain(`the model does not know udevadm ${verb ?? ''}`);
    return exit(1, '', 'udevadm: the model does not know this command\n');
  }
  // A `change` applies none of the rules that the model knows (host.md §1).
  if (!args.includes('--action=add') && !args.includes('-c') && !args.includes('add'))
    return exit(0);
  const named = args.filter((arg) => !arg.startsWith('-') && arg !== 'add');
  const all = [...kernel.bus.functions.values()];
  kernel.trigger(
    named.length === 0
      ? all
      : all.filter(({ address }) => named.some((it) => it.endsWith(address))),
  );
  return exit(0, '', '', true);
}

/** `driverctl set-override ADDRESS DRIVER` and `unset-override ADDRESS`, saved unless told `--nosave` (driverctl(8)). */
export function driverctl(args: readonly string[], host: ModelHost): ProgramResult {
  const [verb, address = '', driver] = args.filter((arg) => !arg.startsWith('--'));
  const fn = host.kernel.bus.at(address);
  const file = `/etc/driverctl.d/pci-${address}`;
  const saves = !args.includes('--nosave');
  if (verb === 'list-overrides') {
    const rows = [...host.kernel.bus.functions.values()].flatMap(({ address: at, override }) =>
      override === null ? [] : [`${at} ${override}\n`],
    );
    return exit(0, rows.join(''));
  }
  if (fn === undefined) return exit(1, '', `driverctl: no such device: ${address}\n`);
  if (verb === 'set-override' && driver !== undefined) {
    if (saves) host.disk.put(file, `${driver}\n`);
    host.kernel.override(fn, driver);
    return exit(0, '', '', true);
  }
  if (verb === 'unset-override') {
    if (saves) host.disk.remove(file);
    host.kernel.override(fn, null);
    return exit(0, '', '', true);
  }
  host.complain(`the model does not know driverctl ${args.join(' ')}`);
  return exit(1, '', 'driverctl: the model does not know this\n');
}

/** `uname -r`. */
export function releaseOf({ tree }: ModelHost): string {
  return (tree.text('/proc/sys/kernel/osrelease') ?? '').trim();
}
