import type { PciBus } from '../pci/pci-bus.ts';
import type { PciFunction } from '../pci/pci-function.ts';
import { moduleOf, type PciSpec } from '../pci/pci-spec.ts';
import { moduleName, type ModprobeConfig } from './modprobe-config.ts';

/** The driver of bridges, which is part of the kernel. */
const BUILT_IN = 'pcieport';

/** What each of VFIO's modules needs; `vfio_iommu_type1` comes with vfio by its softdep. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  vfio_pci: ['vfio_pci_core', 'vfio_iommu_type1'],
  vfio_pci_core: ['vfio', 'vfio_virqfd', 'irqbypass'],
  vfio_iommu_type1: ['vfio'],
  vfio_virqfd: [],
  vfio: [],
  irqbypass: [],
};

/** Which modules modprobe finds, and what it is told of them: the installed ones, or those of an initramfs. */
export interface ModuleSource {
  has(module: string): boolean;
  readonly config: ModprobeConfig;
}

/** The modules that are loaded. */
export class Modules {
  /** In the order in which they came, with their parameters. */
  readonly loaded = new Map<string, readonly string[]>();
  /** /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts, which can be written while it runs. */
  unsafeInterrupts = false;
  private readonly bus: PciBus;
  /** Drivers by the module that brings them. */
  private readonly drivers = new Map<string, string>();

  constructor(bus: PciBus, specs: readonly PciSpec[]) {
    this.bus = bus;
    for (const { driver, sriov } of specs) {
      for (const name of [driver, sriov?.driver]) {
        if (name !== undefined && name !== BUILT_IN) this.drivers.set(moduleOf(name), name);
      }
    }
    this.drivers.set('vfio_pci', 'vfio-pci');
  }

  /** A fresh kernel: only what is built in. */
  start(): void {
    this.loaded.clear();
    this.unsafeInterrupts = false;
    this.bus.register(BUILT_IN);
  }

  /** Whether there is such a module at all on this machine. */
  exists(module: string): boolean {
    return this.drivers.has(module) || NEEDS[module] !== undefined;
  }

  /** `modprobe NAME`; false when there is none such. */
  load(name: string, source: ModuleSource): boolean {
    const module = moduleName(name);
    if (!this.exists(module) || !source.has(module)) return false;
    this.insert(module, source, new Set());
    return true;
  }

  /**
   * `modprobe ALIAS` for a function, as udev does it for each; false when no module knows it. One that is on the blacklist
   * is passed over, which is no failure (modprobe.d(5)).
   */
  loadFor(fn: PciFunction, source: ModuleSource): boolean {
    const { driver } = fn.spec;
    const module = driver === undefined || driver === BUILT_IN ? undefined : moduleOf(driver);
    if (module === undefined || !source.has(module)) return false;
    if (!source.config.blacklist.has(module)) this.insert(module, source, new Set());
    return true;
  }

  private insert(module: string, source: ModuleSource, above: Set<string>): void {
    if (this.loaded.has(module) || above.has(module)) return;
    const { softdeps, options } = source.config;
    const here = new Set([...above, module]);
    const soft = softdeps.get(module);
    const optional = (names: readonly string[] = []) => {
      for (const name of names) {
        if (this.exists(name) && source.has(name)) this.insert(name, source, here);
      }
    };
    optional(soft?.pre);
    for (const needed of NEEDS[module] ?? []) this.insert(needed, source, here);
    const parameters = options.get(module) ?? [];
    this.loaded.set(module, parameters);
    this.take(module, parameters);
    optional(soft?.post);
  }

  private take(module: string, parameters: readonly string[]): void {
    if (module === 'vfio_iommu_type1') {
      this.unsafeInterrupts = parameters.some((it) => /^allow_unsafe_interrupts=(1|y)$/i.test(it));
    }
    const driver = this.drivers.get(module);
    if (driver === undefined) return;
    const ids = parameters
      .filter((it) => it.startsWith('ids='))
      .flatMap((it) => it.slice('ids='.length).split(','))
      // `vvvv:dddd[:subvendor:subdevice...]`; the model looks at the first two.
      .map((id) => id.toLowerCase().split(':').slice(0, 2).join(':'));
    this.bus.register(driver, driver === 'vfio-pci' ? ids : []);
  }
}
