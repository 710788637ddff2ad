import { expect } from 'vitest';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import type { DeviceFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import { DEVICES_PROBE, INITRAMFS_PROBE } from '../../../src/facts/probe.ts';
import type { Guard, HostPort, PokeOutcome, RunOutcome } from '../../../src/host/port.ts';
import { sha256 } from '../../../src/host/wire.ts';

/**
 * A host whose kernel is put to the test: the model, or a machine of the lab. The functions are free (no file system,
 * route or guest uses them), have their own drivers and no VFs, and have the IOMMU on. A test may leave the machine
 * for the next one; it puts back what it changed.
 */
export interface KernelHost {
  readonly port: HostPort;
  /** Guards under a lease that is on the host; each is newer than the one before. */
  guard(): Guard;
  /** Addresses: a network card with SR-IOV whose driver takes its VFs along when it goes (igb, ice). */
  readonly nic: string;
  /** An NVMe controller with SR-IOV: its driver leaves the VFs there. */
  readonly disk: string;
  /** A function without SR-IOV. */
  readonly plain: string;
  /** How many VFs the tests may make of either PF, at least 3. */
  readonly vfs: number;
  /** Reboots it by itself; resolves when it answers again and udev has settled. */
  reboot(): Promise<void>;
  dispose(): Promise<void>;
}

/** Gives each test its host. */
export type KernelBench = () => Promise<Probe>;

const PCI = '/sys/bus/pci/devices';
/** A real kernel takes a second for each VF of some drivers. */
const WRITE_MS = 60_000;
const READ_MS = 60_000;
const RUN_MS = 180_000;

/** What the tests do to a host, through the port alone. */
export class Probe {
  readonly host: KernelHost;

  constructor(host: KernelHost) {
    this.host = host;
  }

  /** Writes values in order; the outcome of the last one that was tried. */
  async poke(...writes: readonly (readonly [path: string, value: string])[]): Promise<PokeOutcome> {
    const outcomes = await this.host.port.poke({
      guard: this.host.guard(),
      writes: writes.map(([path, value]) => ({ path, value, timeoutMs: WRITE_MS })),
      deadlineMs: WRITE_MS * writes.length + 10_000,
    });
    const last = outcomes.at(-1);
    if (last === undefined) throw new Error('a poke without outcomes');
    return last;
  }

  /** As `poke`, of writes that must all return well. */
  async done(...writes: readonly (readonly [path: string, value: string])[]): Promise<void> {
    const outcome = await this.poke(...writes);
    expect(outcome, JSON.stringify(outcome)).toMatchObject({ kind: 'done' });
  }

  run(...argv: [string, ...string[]]): Promise<RunOutcome> {
    return this.host.port.run({ guard: this.host.guard(), argv, deadlineMs: RUN_MS });
  }

  /** Facts of the devices, once udev has nothing more to do. */
  async facts(): Promise<DeviceFacts> {
    await this.run('udevadm', 'settle', '--timeout=60');
    const snapshot = await this.host.port.read({ entries: DEVICES_PROBE, deadlineMs: READ_MS });
    return parseDevices(snapshot);
  }

  async function(address: string): Promise<PciFunction> {
    const found = (await this.facts()).functions.find((it) => it.address === address);
    if (found === undefined) throw new Error(`there is no function ${address}`);
    return found;
  }

  /** The VFs of a PF, in order. */
  async vfsOf(pf: string): Promise<readonly PciFunction[]> {
    const { functions } = await this.facts();
    const addresses = functions.find(({ address }) => address === pf)?.sriov?.vfs ?? [];
    return addresses.map((vf) => {
      const found = functions.find(({ address }) => address === vf);
      if (found === undefined) throw new Error(`a link leads to ${vf}, which is not there`);
      return found;
    });
  }

  async initramfs(): Promise<readonly string[]> {
    const snapshot = await this.host.port.read({ entries: INITRAMFS_PROBE, deadlineMs: RUN_MS });
    return parseDevices(snapshot).initramfs.flatMap(({ names }) => names);
  }

  /** Puts or takes away a file of ours, whatever is there. */
  async file(path: string, content: string | null): Promise<void> {
    const { port } = this.host;
    const read = await port.read({ entries: [{ kind: 'file', glob: path }], deadlineMs: READ_MS });
    const found = read.files.get(path);
    const outcomes = await port.write({
      guard: this.host.guard(),
      deadlineMs: READ_MS,
      files: [
        {
          path,
          expect: found === undefined ? null : sha256(found),
          content: content === null ? null : Buffer.from(content),
        },
      ],
    });
    expect(outcomes[0]?.kind).toMatch(/^(written|unchanged)$/);
  }

  /** Everything as it was at first: no VFs, no overrides, native drivers. */
  async restore(): Promise<void> {
    const { nic, disk, plain } = this.host;
    const { functions } = await this.facts();
    for (const found of functions) {
      const { address, sriov } = found;
      if (![nic, disk, plain].includes(address)) continue;
      await this.backToNative(found);
      if (sriov === undefined) continue;
      if (sriov.count > 0) await this.done([numvfs(address), '0']);
      if (!sriov.autoprobe) await this.done([autoprobe(address), '1']);
    }
  }

  /** Brings a function to vfio-pci as vfleet does. */
  async toVfio(address: string): Promise<void> {
    await this.run('modprobe', '-q', 'vfio-pci');
    const { driver } = await this.function(address);
    await this.done(
      [override(address), 'vfio-pci'],
      ...(driver === null ? [] : ([[unbind(address), address]] as const)),
      [DRIVERS_PROBE, address],
    );
  }

  /** Brings a function back to its own driver. */
  async native(address: string): Promise<void> {
    await this.backToNative(await this.function(address));
  }

  private async backToNative({ address, driver, override: now }: PciFunction): Promise<void> {
    if (now !== null) await this.done([override(address), '']);
    if (driver === 'vfio-pci') await this.done([unbind(address), address]);
    if (driver === 'vfio-pci' || driver === null) await this.done([DRIVERS_PROBE, address]);
  }
}

export const DRIVERS_PROBE = '/sys/bus/pci/drivers_probe';
export const override = (address: string): string => `${PCI}/${address}/driver_override`;
export const unbind = (address: string): string => `${PCI}/${address}/driver/unbind`;
export const numvfs = (address: string): string => `${PCI}/${address}/sriov_numvfs`;
export const autoprobe = (address: string): string => `${PCI}/${address}/sriov_drivers_autoprobe`;

/** A refusal with the words of strerror(3). */
export const refusal = (words: string) => ({
  kind: 'failed',
  message: expect.stringContaining(words) as string,
});
