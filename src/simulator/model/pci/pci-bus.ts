import type { Faults } from '../faults.ts';
import { PciFunction } from './pci-function.ts';
import type { PciSpec } from './pci-spec.ts';

/** Why the kernel refuses something, as strerror(3) says it in the C locale. */
export type Errno =
  | 'Device or resource busy'
  | 'Numerical result out of range'
  | 'No such device'
  | 'No such file or directory'
  | 'Invalid argument'
  | 'Cannot allocate memory';

/** What came of something that the kernel was asked: it is done, was refused, or waits until a guest lets go. */
export type Answer = 'done' | { readonly error: Errno } | { readonly waitsFor: WaitsFor };
/** Until a guest has let go of one of these functions, or until the fault is repaired. */
export type WaitsFor = { readonly guests: readonly PciFunction[] } | { readonly fault: 'vfs-hang' };

export const DONE: Answer = 'done';
export const refused = (error: Errno): Answer => ({ error });

/** What the bus tells udev of. */
export type Uevent = (action: 'add' | 'bind', fn: PciFunction) => void;

export interface BusOptions {
  readonly specs: readonly PciSpec[];
  readonly faults: Faults;
  readonly uevent: Uevent;
}

/** Drivers of which an interface comes: those that have a network function. */
const NET_CLASS = '02';

/**
 * The PCI bus of a running kernel: functions, drivers, and the rules by which they come together
 * (drivers/pci/pci-driver.c, drivers/base/dd.c, drivers/vfio/pci; answers tried on Linux 6.1 in the lab).
 */
export class PciBus {
  /** By address, sorted. */
  functions = new Map<string, PciFunction>();
  /** By folder in sysfs. */
  byFolder = new Map<string, PciFunction>();
  /** Folders of the root complexes, with the functions right below each. */
  roots = new Map<string, PciFunction[]>();
  /** Registered drivers, with the ids that they were told to take beside their own (`vvvv:dddd`). */
  readonly drivers = new Map<string, readonly string[]>();
  /** Members by IOMMU group; empty while the IOMMU is off. */
  readonly groups = new Map<number, PciFunction[]>();
  /** Domain type of the groups; `undefined`: the IOMMU is off. */
  domainType: string | undefined;
  private readonly options: BusOptions;
  private groupKeys = new Map<string, number>();

  constructor(options: BusOptions) {
    this.options = options;
  }

  /** As the machine comes up: what was in memory is gone. */
  start(domainType: string | undefined): void {
    this.domainType = domainType;
    this.drivers.clear();
    this.groups.clear();
    this.groupKeys.clear();
    this.byFolder.clear();
    this.roots.clear();
    this.functions.clear();
    const { specs, faults } = this.options;
    const sorted = [...specs].sort((a, b) => (a.address < b.address ? -1 : 1));
    for (const spec of sorted) this.plug(new PciFunction(spec, this.parentOf(spec)));
    for (const fault of faults.all('link-degraded')) {
      const fn = this.functions.get(fault.address);
      if (fn !== undefined) fn.link = { speed: fault.speed, width: fault.width };
    }
    this.look();
  }

  /** Takes over the faults that show at once. */
  look(): void {
    for (const fn of this.functions.values()) {
      const fault = this.options.faults.all('overheats').find((it) => it.address === fn.address);
      fn.heat = fault?.value;
    }
  }

  at(address: string): PciFunction | undefined {
    return this.functions.get(address);
  }

  /** A driver becomes known to the kernel and takes what it matches and what nobody has. */
  register(driver: string, ids: readonly string[] = []): void {
    if (this.drivers.has(driver)) return;
    this.drivers.set(driver, ids);
    for (const fn of [...this.functions.values()]) {
      if (fn.driver === null && this.matches(fn, driver)) this.tryBind(fn, driver);
    }
  }

  /** drivers_probe and a new function: the first driver that matches and takes it. Success says nothing (lab). */
  probe(fn: PciFunction): void {
    if (fn.driver !== null || this.bindsNothing(fn)) return;
    for (const driver of this.drivers.keys()) {
      if (this.matches(fn, driver) && this.tryBind(fn, driver) === DONE) return;
    }
  }

  /** DRIVER/bind. */
  bind(driver: string, address: string): Answer {
    const fn = this.functions.get(address);
    if (fn === undefined || !this.matches(fn, driver)) return refused('No such device');
    if (fn.driver !== null) return refused('Device or resource busy');
    return this.tryBind(fn, driver);
  }

  /** DRIVER/unbind. */
  unbind(driver: string, address: string): Answer {
    const fn = this.functions.get(address);
    if (fn?.driver !== driver) return refused('No such device');
    const leaves = fn.spec.sriov?.keepsVfs === true ? [] : fn.vfs;
    const held = [fn, ...leaves].filter(({ guest }) => guest !== undefined);
    if (held.length > 0) return { waitsFor: { guests: held } };
    this.release(fn);
    return DONE;
  }

  /** Takes the driver away from a function. */
  release(fn: PciFunction): void {
    if (fn.driver === null) return;
    if (fn.vfs.length > 0 && fn.spec.sriov?.keepsVfs !== true) this.removeVfs(fn);
    fn.driver = null;
    fn.net = undefined;
  }

  removeVfs(pf: PciFunction): void {
    for (const vf of pf.vfs) this.unplug(vf);
    pf.vfs = [];
    if (pf.net !== undefined) pf.net.vfs.length = 0;
  }

  /** A function appears; the caller probes it and tells udev. */
  plug(fn: PciFunction): void {
    this.functions.set(fn.address, fn);
    this.byFolder.set(fn.folder, fn);
    const parent = fn.folder.slice(0, fn.folder.lastIndexOf('/'));
    if (!this.byFolder.has(parent)) {
      this.roots.set(parent, [...(this.roots.get(parent) ?? []), fn]);
    }
    this.join(fn);
  }

  /** Whether VFIO could take the group: every member unbound, on vfio-pci or a bridge's driver (driver-api/vfio.rst). */
  unviable(fn: PciFunction): boolean {
    const members = fn.group === undefined ? [] : (this.groups.get(fn.group) ?? []);
    return members.some(
      ({ driver }) => driver !== null && !['vfio-pci', 'pci-stub', 'pcieport'].includes(driver),
    );
  }

  private unplug(fn: PciFunction): void {
    fn.driver = null;
    fn.net = undefined;
    this.functions.delete(fn.address);
    this.byFolder.delete(fn.folder);
    for (const [root, fns] of this.roots) {
      if (fns.includes(fn))
        this.roots.set(
          root,
          fns.filter((it) => it !== fn),
        );
    }
    const members = fn.group === undefined ? undefined : this.groups.get(fn.group);
    if (fn.group === undefined || members === undefined) return;
    const rest = members.filter((it) => it !== fn);
    if (rest.length === 0) this.groups.delete(fn.group);
    else this.groups.set(fn.group, rest);
  }

  private parentOf({ address, below }: PciSpec): string {
    const bridge = below === undefined ? undefined : this.functions.get(below);
    return bridge?.folder ?? `/sys/devices/pci${address.slice(0, 7)}`;
  }

  /** Group numbers are the lowest free ones, in the order in which functions come. */
  private join(fn: PciFunction): void {
    if (this.domainType === undefined) return;
    const key = fn.spec.group;
    let id = key === undefined ? undefined : this.groupKeys.get(key);
    if (id === undefined) {
      id = 0;
      while (this.groups.has(id)) id += 1;
      if (key !== undefined) this.groupKeys.set(key, id);
    }
    fn.group = id;
    this.groups.set(id, [...(this.groups.get(id) ?? []), fn]);
  }

  /** pci_match_device: an override leaves only the driver of its name; else the ids decide. */
  private matches({ spec, override }: PciFunction, driver: string): boolean {
    const ids = this.drivers.get(driver);
    if (ids === undefined) return false;
    if (override !== null) return override === driver;
    return spec.driver === driver || ids.includes(`${spec.vendor}:${spec.device}`);
  }

  private bindsNothing({ address }: PciFunction): boolean {
    return this.options.faults.all('binds-nothing').some((fault) => fault.address === address);
  }

  private tryBind(fn: PciFunction, driver: string): Answer {
    const error = this.probeError(fn, driver);
    if (error !== undefined) return refused(error);
    // Bound for half a second, says the lab; the model shows what is so in the end.
    if (driver !== 'vfio-pci' && fn.physfn?.spec.sriov?.offlineVfs === true) return DONE;
    fn.driver = driver;
    const { net, class: kind } = fn.spec;
    if (driver === 'vfio-pci') this.countErrors(fn);
    else if (kind.startsWith(NET_CLASS) && net !== undefined) {
      fn.net = { mtu: 1500, up: fn.physfn === undefined, vfs: [] };
    }
    this.options.uevent('bind', fn);
    return DONE;
  }

  private probeError(fn: PciFunction, driver: string): Errno | undefined {
    // pci_device_can_probe: of a VF whose PF has autoprobe off, only one with an override.
    if (fn.physfn?.autoprobe === false && fn.override === null) return 'No such device';
    if (driver === 'vfio-pci') return vfioRefuses(fn);
    // An override can name a driver that does not know the hardware.
    if (fn.spec.driver !== driver) return 'No such device';
    return this.groupIsWithGuest(fn) ? 'Device or resource busy' : undefined;
  }

  /** A native driver gets no function of a group that a guest has (iommu_device_use_default_domain, since 5.19). */
  private groupIsWithGuest({ group }: PciFunction): boolean {
    const members = group === undefined ? [] : (this.groups.get(group) ?? []);
    return members.some(({ guest }) => guest !== undefined);
  }

  /** Errors that come when a function is put to use. */
  countErrors(fn: PciFunction): void {
    for (const fault of this.options.faults.all('aer-errors')) {
      if (fault.address !== fn.address) continue;
      fn.aer.correctable += fault.correctable ?? 0;
      fn.aer.nonfatal += fault.nonfatal ?? 0;
      fn.aer.fatal += fault.fatal ?? 0;
    }
  }
}

/** vfio_pci_probe: bridges, functions without a group (`failed with error -22`), and PFs that have VFs. */
function vfioRefuses(fn: PciFunction): Errno | undefined {
  if (fn.isBridge || fn.group === undefined) return 'Invalid argument';
  return fn.vfs.length > 0 ? 'Device or resource busy' : undefined;
}
