import { refused, type Answer, type PciBus } from '../pci/pci-bus.ts';
import type { PciFunction } from '../pci/pci-function.ts';
import { storeNumVfs, type VfsBench } from '../pci/vfs.ts';
import type { Memory } from './memory.ts';
import { UNSAFE_INTERRUPTS } from './module-files.ts';
import type { Modules } from './modules.ts';

/** What writes to kernel files act on. */
export interface WriteBench extends VfsBench {
  readonly modules: Modules;
  readonly memory: Memory;
}

/** What the kernel makes of a value in one of its files; `undefined`: the model does not know that file. */
export function writeKernelFile(
  bench: WriteBench,
  path: string,
  text: string,
): Answer | { readonly error: string } | undefined {
  const { bus, memory } = bench;
  const value = text.trim();
  if (path === '/sys/bus/pci/drivers_probe') return probe(bus, value);
  if (path === UNSAFE_INTERRUPTS) return storeUnsafe(bench.modules, value);
  const [, driver, verb] = /^\/sys\/bus\/pci\/drivers\/([^/]+)\/(bind|unbind)$/.exec(path) ?? [];
  if (driver !== undefined)
    return verb === 'bind' ? bus.bind(driver, value) : bus.unbind(driver, value);
  const cut = path.lastIndexOf('/');
  const fn = bus.byFolder.get(path.slice(0, cut));
  if (fn !== undefined) return ofFunction(bench, fn, path.slice(cut + 1), text);
  return memory.write(path, value);
}

function ofFunction(
  bench: WriteBench,
  fn: PciFunction,
  name: string,
  text: string,
): Answer | undefined {
  switch (name) {
    case 'driver_override':
      // Any text is taken, whether there is such a driver or not (lab); an empty line takes it away.
      fn.override = text.replace(/\n[^]*$/, '') === '' ? null : text.replace(/\n[^]*$/, '');
      return 'done';
    case 'sriov_numvfs':
      return fn.spec.sriov === undefined ? undefined : storeNumVfs(bench, fn, text.trim());
    case 'sriov_drivers_autoprobe':
      return fn.spec.sriov === undefined ? undefined : storeAutoprobe(fn, text.trim());
    default:
      return undefined;
  }
}

/** Success whenever there is such a function (lab). */
function probe(bus: PciBus, address: string): Answer {
  const fn = bus.at(address);
  if (fn === undefined) return refused('No such device');
  bus.probe(fn);
  return 'done';
}

function storeAutoprobe(fn: PciFunction, value: string): Answer {
  const on = kernelBool(value);
  if (on === undefined) return refused('Invalid argument');
  fn.autoprobe = on;
  return 'done';
}

function storeUnsafe(modules: Modules, value: string): Answer {
  const on = kernelBool(value);
  if (on === undefined) return refused('Invalid argument');
  modules.unsafeInterrupts = on;
  return 'done';
}

/** kstrtobool looks at the first letter. */
function kernelBool(value: string): boolean | undefined {
  if (/^(1|y|on)/i.test(value)) return true;
  return /^(0|n|of)/i.test(value) ? false : undefined;
}
