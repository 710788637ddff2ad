import type { FileTree } from '../file-tree.ts';
import type { Faults } from '../faults.ts';
import type { ModelKernel } from '../kernel/model-kernel.ts';
import type { PciFunction } from '../pci/pci-function.ts';
import {
  CONFIG_FOLDER,
  configPath,
  domainText,
  headerOf,
  LIVE_FOLDER,
  livePath,
  statusText,
  type GuestSpec,
} from './guest-text.ts';
import { addHostdev, hostdevsIn, removeHostdev } from './hostdev-xml.ts';

export interface GuestsBench {
  readonly tree: FileTree;
  readonly faults: Faults;
  readonly kernel: ModelKernel;
  readonly interruptRemapping: () => boolean;
}

/** What a device was before libvirt took it for a guest with `managed='yes'`. */
interface Managed {
  readonly native: boolean;
}

/**
 * The guests of libvirt's qemu driver. What is known of them stands in their documents below /etc/libvirt/qemu and
 * /run/libvirt/qemu; refusals are in libvirt's words (libvirt 9.0 in the lab).
 */
export class Guests {
  private readonly bench: GuestsBench;
  private readonly managed = new Map<string, Managed>();
  private ids = 0;

  constructor(bench: GuestsBench) {
    this.bench = bench;
  }

  /** As the host comes up: nothing runs, and libvirt starts what it is told to. */
  start(): void {
    const { tree } = this.bench;
    this.managed.clear();
    this.ids = 0;
    for (const name of tree.names(LIVE_FOLDER) ?? []) tree.remove(`${LIVE_FOLDER}/${name}`);
    for (const file of tree.names(`${CONFIG_FOLDER}/autostart`) ?? []) {
      const name = file.slice(0, -'.xml'.length);
      if (this.config(name) !== undefined) this.run(name);
    }
  }

  /** Makes a guest as a person has made it before: its devices on vfio-pci, and it runs. */
  add(spec: GuestSpec, seed: string): void {
    const { tree } = this.bench;
    const { name } = spec;
    tree.put(configPath(name), headerOf(name) + this.withDevices(spec, seed), 0o600);
    if (spec.autostart === true) {
      tree.link(`${CONFIG_FOLDER}/autostart/${name}.xml`, configPath(name));
    }
    const refusal = spec.running === false ? undefined : this.run(name, spec.confined);
    if (refusal !== undefined) throw new Error(`guest ${name} does not start: ${refusal}`);
    if (spec.persistent === false) tree.remove(configPath(name));
  }

  private withDevices(spec: GuestSpec, seed: string): string {
    const { kernel } = this.bench;
    let xml = domainText(spec, seed);
    for (const { address, managed = false } of spec.hostdevs ?? []) {
      xml = addHostdev(xml, { address, managed, live: false }) ?? xml;
      const fn = kernel.bus.at(address);
      if (!managed && fn !== undefined) kernel.override(fn, 'vfio-pci');
    }
    return xml;
  }

  config(name: string): string | undefined {
    return this.bench.tree.text(configPath(name));
  }

  live(name: string): string | undefined {
    return this.bench.tree.text(livePath(name));
  }

  /** The configuration, or of a transient guest what runs. */
  document(name: string): string {
    return this.config(name) ?? this.live(name) ?? '';
  }

  /** Names of all guests, sorted. */
  names(): readonly string[] {
    const { tree } = this.bench;
    const files = [...(tree.names(CONFIG_FOLDER) ?? []), ...(tree.names(LIVE_FOLDER) ?? [])];
    const names = files.flatMap((file) => (file.endsWith('.xml') ? [file.slice(0, -4)] : []));
    return [...new Set(names)].sort();
  }

  /** Starts one; the answer is libvirt's refusal. */
  run(name: string, confined = true): string | undefined {
    const { tree } = this.bench;
    const config = this.config(name);
    if (config === undefined) return `failed to get domain '${name}'`;
    const devices = hostdevsIn(config);
    for (const device of devices) {
      const refusal = this.take(name, device, 'start');
      if (refusal === undefined) continue;
      for (const { address } of devices) this.giveBack(name, address);
      return refusal;
    }
    this.ids += 1;
    const domain = config.slice(config.indexOf('<domain'));
    const started = devices.reduce(
      (text, { text: element }) => text.replace(element, () => liveForm(element)),
      domain,
    );
    tree.put(livePath(name), statusText(started, this.ids, confined), 0o600);
    tree.put(`${LIVE_FOLDER}/${name}.pid`, `${4000 + this.ids}\n`);
    return undefined;
  }

  /** Ends one: what it had is free, and goes back where libvirt manages it. */
  end(name: string): void {
    const { tree, kernel } = this.bench;
    const devices = hostdevsIn(this.live(name) ?? '');
    tree.remove(livePath(name));
    tree.remove(`${LIVE_FOLDER}/${name}.pid`);
    for (const { address } of devices) this.giveBack(name, address);
    kernel.look();
  }

  /** Gives a running guest a device; the answer is libvirt's refusal. */
  plug(
    name: string,
    device: { readonly address: string; readonly managed: boolean },
  ): string | undefined {
    const live = this.live(name) ?? '';
    const refusal = this.take(name, device, 'attach');
    if (refusal !== undefined) return refusal;
    const xml = addHostdev(live, { ...device, live: true });
    if (xml === undefined) {
      this.giveBack(name, device.address);
      return 'internal error: No more available PCI slots';
    }
    this.bench.tree.put(livePath(name), xml);
    return undefined;
  }

  /** Asks a running guest to let go of a device; false when it keeps it, which libvirt does not tell. */
  unplug(name: string, address: string): boolean {
    const { tree, kernel, faults } = this.bench;
    if (faults.all('guest-keeps').some((fault) => fault.guest === name)) return false;
    tree.put(livePath(name), removeHostdev(this.live(name) ?? '', address));
    this.giveBack(name, address);
    kernel.look();
    return true;
  }

  /** The kernel wants a function back that a guest has: libvirt unplugs it, if the guest lets go (lab). */
  requested(fn: PciFunction): void {
    if (fn.guest !== undefined) this.unplug(fn.guest, fn.address);
  }

  private take(
    guest: string,
    { address, managed }: { readonly address: string; readonly managed: boolean },
    how: 'start' | 'attach',
  ): string | undefined {
    const { kernel } = this.bench;
    const fn = kernel.bus.at(address);
    if (fn === undefined) {
      const path = `/sys/bus/pci/devices/${address}/config`;
      return `Device ${address} not found: could not access ${path}: No such file or directory`;
    }
    if (fn.guest !== undefined) {
      return `Requested operation is not valid: PCI device ${address} is in use by driver QEMU, domain ${fn.guest}`;
    }
    if (managed) {
      this.managed.set(address, { native: fn.driver !== 'vfio-pci' });
      if (fn.driver !== 'vfio-pci') kernel.override(fn, 'vfio-pci');
    } else if (fn.driver !== 'vfio-pci') {
      return `Requested operation is not valid: Unmanaged PCI device ${address} must be manually detached from the host`;
    }
    const words = this.qemuRefuses(fn);
    if (words !== undefined) {
      const start =
        how === 'start'
          ? 'process exited while connecting to monitor: qemu-system-x86_64: -device vfio-pci: '
          : "unable to execute QEMU command 'device_add': ";
      if (managed) this.giveBack(guest, address);
      return `internal error: ${start}${words}`;
    }
    fn.guest = guest;
    return undefined;
  }

  private qemuRefuses(fn: PciFunction): string | undefined {
    const { kernel, interruptRemapping } = this.bench;
    const who = `vfio ${fn.address}: `;
    const group = String(fn.group);
    if (fn.driver !== 'vfio-pci') return `${who}no iommu_group found: No such file or directory`;
    if (kernel.bus.unviable(fn)) {
      return `${who}group ${group} is not viable\nPlease ensure all devices within the iommu_group are bound to their vfio bus driver.`;
    }
    const members = kernel.bus.groups.get(fn.group ?? -1) ?? [];
    const unsafe = !interruptRemapping() && !kernel.modules.unsafeInterrupts;
    if (unsafe || members.some(({ spec }) => spec.rmrr === true)) {
      return `${who}failed to setup container for group ${group}: Failed to set iommu for container: Operation not permitted`;
    }
    return undefined;
  }

  /** host.md §9: a managed device that was native goes back, and its override is erased; else it stays on vfio-pci. */
  private giveBack(guest: string, address: string): void {
    const { kernel } = this.bench;
    const fn = kernel.bus.at(address);
    if (fn === undefined || (fn.guest !== undefined && fn.guest !== guest)) return;
    fn.guest = undefined;
    const managed = this.managed.get(address);
    this.managed.delete(address);
    if (managed?.native === true) kernel.override(fn, null);
  }
}

/** What a device gains while its guest runs (lab). */
function liveForm(element: string): string {
  const pad = /^ */.exec(element)?.[0] ?? '';
  return element.replace(/>\n/, () => `>\n${pad}  <driver name='vfio'/>\n`);
}
