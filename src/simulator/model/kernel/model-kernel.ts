import type { Faults } from '../faults.ts';
import type { FileTree } from '../file-tree.ts';
import { iommuState } from '../iommu.ts';
import type { Machine } from '../machine.ts';
import { PciBus, type WaitsFor } from '../pci/pci-bus.ts';
import type { PciFunction } from '../pci/pci-function.ts';
import { PciFiles } from '../pci/sysfs.ts';
import { imageModules, imagePath, readInitramfs } from './initramfs.ts';
import { writeKernelFile } from './kernel-writes.ts';
import { Memory } from './memory.ts';
import { parseModprobeConfig, withKernelLine } from './modprobe-config.ts';
import { ModuleFiles } from './module-files.ts';
import { Modules, type ModuleSource } from './modules.ts';
import { handleEvent, installedRules, readRules, type Rules, type UdevStage } from './udev.ts';

/** What comes of a write to a kernel file: done, refused with strerror's words, or it does not return for now. */
export type WriteEffect =
  'done' | { readonly error: string } | { readonly hangsUntil: Promise<void> };

export interface KernelOptions {
  readonly tree: FileTree;
  readonly machine: () => Machine;
  readonly faults: Faults;
  readonly complain: (message: string) => void;
  /** The kernel asks whoever has a function in a guest to let go of it. */
  readonly requested: (fn: PciFunction) => void;
}

/** A write that has not returned. */
interface Waiter {
  isHeld(): boolean;
  end(goesOn: boolean): void;
}

interface Uevent {
  readonly action: 'add' | 'bind';
  readonly fn: PciFunction;
}

/**
 * The devices of a running host: PCI bus, modules, memory, and udev, which acts on what the kernel tells it. Files are made
 * from it when they are looked at (FileTree.mount); `write` is what a write to one of them does.
 */
export class ModelKernel {
  readonly bus: PciBus;
  readonly modules: Modules;
  readonly memory: Memory;
  private readonly options: KernelOptions;
  private args: readonly string[] = [];
  private readonly events: Uevent[] = [];
  private readonly settling = { now: false };
  private readonly said = new Set<string>();
  private readonly waiting = new Set<Waiter>();
  /** Functions whose driverctl unit is active: it acts once a boot (host.md §1). */
  private readonly driverctlDone = new Set<string>();

  constructor(options: KernelOptions) {
    const { tree, faults } = options;
    const { functions, nodes } = options.machine();
    this.options = options;
    const uevent = (action: 'add' | 'bind', fn: PciFunction): void =>
      void this.events.push({ action, fn });
    this.bus = new PciBus({ specs: functions, faults, uevent });
    this.modules = new Modules(this.bus, functions);
    this.memory = new Memory(nodes, faults);
    const onRoot = functions.filter(({ below }) => below === undefined);
    const complexes = new Set(
      onRoot.map(({ address }) => `/sys/devices/pci${address.slice(0, 7)}`),
    );
    tree.mount(new PciFiles(this.bus, [...complexes]));
    tree.mount(new ModuleFiles(this.modules));
    tree.mount(this.memory);
  }

  /** One boot, from the kernel's start to the end of systemd's: `args` is its line, `release` names its initramfs. */
  start(args: readonly string[], release: string): void {
    this.stop();
    this.args = args;
    this.said.clear();
    this.events.length = 0;
    this.driverctlDone.clear();
    this.bus.start(iommuState(this.options.machine(), args)?.type);
    this.modules.start();
    this.memory.start(args);
    const image = readInitramfs(this.options.tree.text(imagePath(this.options.tree, release)));
    const rules = readRules(
      [...image.files].filter(([path]) => path.endsWith('.rules')),
      this.complain,
    );
    const early = imageModules(image, args, this.complain);
    for (const name of image.forced) this.modules.load(name, early);
    this.coldplug(this.stage(rules, early, 'initramfs'));
    for (const name of this.modulesToLoad()) this.modules.load(name, this.installed());
    this.coldplug(this.rootStage());
    this.tmpfiles();
  }

  /** The machine goes down: what was under way in the kernel is over, without effect. */
  stop(): void {
    for (const waiter of [...this.waiting]) waiter.end(false);
  }

  /** A value into a kernel file, given by its real path. `undefined`: the model does not know that file. */
  write(path: string, value: string): WriteEffect | undefined {
    const { bus, modules, memory } = this;
    const { faults } = this.options;
    const realloc = this.args.some((arg) => /^pci=(.*,)?realloc(=on)?(,|$)/.test(arg));
    const uevent = (action: 'add' | 'bind', fn: PciFunction): void =>
      void this.events.push({ action, fn });
    const bench = { bus, modules, memory, faults, realloc, uevent };
    const answer = writeKernelFile(bench, path, value);
    if (answer === undefined) return undefined;
    if (answer !== 'done') {
      if (!('waitsFor' in answer)) return answer;
      return this.ask(answer.waitsFor)
        ? this.write(path, value)
        : this.hang(answer.waitsFor, path, value);
    }
    this.settle();
    return 'done';
  }

  /** Where modprobe finds modules now, and what modprobe.d and the kernel line tell it. */
  installed(): ModuleSource {
    const { tree } = this.options;
    const paths = ['/usr/lib/modprobe.d', '/run/modprobe.d', '/etc/modprobe.d'].flatMap((folder) =>
      tree.glob(`${folder}/*.conf`),
    );
    const texts = new Map(paths.map((path) => [path, tree.text(path) ?? '']));
    return {
      config: withKernelLine(parseModprobeConfig(texts, this.complain), this.args),
      has: () => true,
    };
  }

  /** udev takes the events that came; new ones come of what it does. */
  settle(): void {
    if (this.settling.now || this.events.length === 0) return;
    this.take(this.rootStage());
  }

  /** `udevadm trigger --action=add`, for all functions or one. */
  trigger(fns: readonly PciFunction[]): void {
    for (const fn of fns) this.events.push({ action: 'add', fn });
    this.settle();
  }

  /** Writes that hung go on when nothing holds them any more: a guest has let go, or a fault was repaired. */
  look(): void {
    for (const waiter of [...this.waiting]) if (!waiter.isHeld()) waiter.end(true);
  }

  /** Says once a boot what the model does not know. */
  readonly complain = (message: string): void => {
    if (this.said.has(message)) return;
    this.said.add(message);
    this.options.complain(message);
  };

  private coldplug(stage: UdevStage): void {
    for (const fn of this.bus.functions.values()) this.events.push({ action: 'add', fn });
    this.take(stage);
  }

  private take(stage: UdevStage): void {
    this.settling.now = true;
    try {
      for (let event = this.events.shift(); event !== undefined; event = this.events.shift()) {
        // A function that is gone by now is nothing to udev.
        if (this.bus.at(event.fn.address) !== event.fn) continue;
        handleEvent(stage, event.action, event.fn, this.complain);
      }
    } finally {
      this.settling.now = false;
    }
  }

  private rootStage(): UdevStage {
    const rules = installedRules(this.options.tree, this.complain);
    return this.stage(rules, this.installed(), 'root');
  }

  private stage(rules: Rules, source: ModuleSource, where: 'initramfs' | 'root'): UdevStage {
    const { tree } = this.options;
    const onRoot = where === 'root';
    return {
      rules,
      script: (pf) => (onRoot ? tree.text(`/etc/udev/rules.d/70-vfleet-${pf}.sh`) : undefined),
      load: (name) => void this.modules.load(name, source),
      loadFor: (fn) => void this.modules.loadFor(fn, source),
      write: (path, value) => this.write(path, `${value}\n`) === 'done',
      driverctl: (fn) => {
        if (onRoot) this.driverctl(fn, source);
      },
    };
  }

  /** driverctl(8)'s unit for one function: override, unbind, probe; not twice in one boot, so VFs made again stay as they are. */
  private driverctl(fn: PciFunction, source: ModuleSource): void {
    const driver = this.options.tree.text(`/etc/driverctl.d/pci-${fn.address}`)?.trim();
    if (driver === undefined || this.driverctlDone.has(fn.address)) return;
    this.driverctlDone.add(fn.address);
    this.override(fn, driver, source);
  }

  /** What driverctl does to a function: the override, the module, the old driver away, the probe. */
  override(fn: PciFunction, driver: string | null, source = this.installed()): void {
    fn.override = driver;
    if (driver !== null) this.modules.load(driver, source);
    else this.modules.loadFor(fn, source);
    if (fn.driver !== null && fn.driver !== driver) this.bus.release(fn);
    this.bus.probe(fn);
    this.settle();
  }

  private modulesToLoad(): readonly string[] {
    const { tree } = this.options;
    const paths = ['/usr/lib/modules-load.d', '/etc/modules-load.d'].flatMap((folder) =>
      tree.glob(`${folder}/*.conf`),
    );
    return [...paths, '/etc/modules']
      .flatMap((path) => (tree.text(path) ?? '').split('\n'))
      .map((line) => line.trim())
      .filter((line) => line !== '' && !/^[#;]/.test(line));
  }

  /** tmpfiles.d(5), of which the model knows `w PATH - - - - VALUE`. */
  private tmpfiles(): void {
    const { tree } = this.options;
    for (const path of tree.glob('/etc/tmpfiles.d/*.conf')) {
      for (const row of (tree.text(path) ?? '').split('\n')) {
        if (row.trim() !== '' && !row.startsWith('#')) this.tmpfile(path, row);
      }
    }
  }

  private tmpfile(path: string, row: string): void {
    const { tree } = this.options;
    const [, file, value] = /^w[+!-]*\s+(\/\S+)\s+-\s+-\s+-\s+-\s+(.*)$/.exec(row) ?? [];
    const real = file === undefined ? undefined : tree.real(file);
    if (real === undefined || value === undefined) {
      this.complain(`the model does not know \`${row}' in ${path}`);
      // A path that is not there is passed over, as by the real one.
    } else if (tree.at(real) !== undefined && this.write(real, `${value}\n`) === undefined) {
      this.complain(`the model does not know what \`${row}' in ${path} does`);
    }
  }

  /** Whether guests let go when the kernel asks them for their functions. */
  private ask(waitsFor: WaitsFor): boolean {
    if (!('guests' in waitsFor)) return false;
    for (const fn of waitsFor.guests) this.options.requested(fn);
    return waitsFor.guests.every(({ guest }) => guest === undefined);
  }

  /** The write goes on when nobody holds it up any more; a machine that goes down ends it without effect. */
  private hang(waitsFor: WaitsFor, path: string, value: string): WriteEffect {
    const hangsUntil = new Promise<void>((resolve) => {
      const waiter: Waiter = {
        isHeld: () =>
          'fault' in waitsFor
            ? this.options.faults.has(waitsFor.fault)
            : waitsFor.guests.some(({ guest }) => guest !== undefined),
        end: (goesOn) => {
          this.waiting.delete(waiter);
          if (goesOn) this.write(path, value);
          resolve();
        },
      };
      this.waiting.add(waiter);
      if ('fault' in waitsFor) this.options.faults.onceGone(waitsFor.fault, () => this.look());
    });
    return { hangsUntil };
  }
}
