import type { Problem } from '../blocked.ts';
import type { PciFunction } from '../device-facts.ts';
import { HARMLESS_DRIVERS } from '../refused-kernel-args.ts';
import type { DeviceIndex } from './device-index.ts';
import { listed, nameOf } from './device-index.ts';
import { moduleOf } from './module-names.ts';

/**
 * Why modules must not be blacklisted (law 1): one is the driver of a function that stays with the host, or is loaded and
 * nobody can say what for. Graphics and sound leave disk and network alone, whoever has loaded them.
 */
export function blacklistProblem(
  { facts }: DeviceIndex,
  {
    names,
    leaving,
  }: {
    /** Names with `_`, those that are not on our list already. */
    readonly names: readonly string[];
    /** Addresses of functions that go to vfio-pci. */
    readonly leaving: ReadonlySet<string>;
  },
): Problem | undefined {
  if (names.length === 0) return undefined;
  const users = usersOf(facts.functions);
  const loaded = new Set(facts.modules);
  for (const name of names) {
    const using = users.get(name) ?? [];
    const staying = using.filter(({ address }) => !leaving.has(address));
    if (staying.length > 0) return inUse(name, staying);
    if (using.length === 0 && loaded.has(name) && !HARMLESS_DRIVERS.has(name))
      return isLoaded(name);
  }
  return undefined;
}

function usersOf(functions: readonly PciFunction[]): ReadonlyMap<string, PciFunction[]> {
  const found = new Map<string, PciFunction[]>();
  for (const fn of functions) {
    if (fn.driver === null) continue;
    const name = moduleOf(fn.driver);
    const list = found.get(name);
    if (list === undefined) found.set(name, [fn]);
    else list.push(fn);
  }
  return found;
}

function inUse(name: string, users: readonly PciFunction[]): Problem {
  return {
    code: 'modules.blacklist-in-use',
    sentence: `${name} cannot be blacklisted: it is the driver of ${listed(users.map(nameOf))}, which would have none after a reboot; take it out of target.modules.blacklist, or give those to vfio-pci`,
  };
}

function isLoaded(name: string): Problem {
  return {
    code: 'modules.blacklist-in-use',
    sentence: `${name} cannot be blacklisted: it is loaded and no PCI function has it, so what needs it is not known; when nothing does, modprobe -r ${name} works on the host, and then vfleet plan again`,
  };
}
