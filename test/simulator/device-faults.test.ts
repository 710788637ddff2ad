import { afterEach, describe, expect, it } from 'vitest';
import { parseDevices } from '../../src/facts/devices/parse-devices.ts';
import { FACTS_PROBE } from '../../src/facts/probe.ts';
import { createMemoryHost, type MemoryHost } from '../../src/simulator/memory-host.ts';
import type { CreateModelHostOptions } from '../../src/simulator/model/create-model-host.ts';
import { rebootModel } from './support/reboot-model.ts';

const NIC = '0000:3b:00.0';
const DISK = '0000:5e:00.0';
const AUDIO = '0000:65:00.1';
const PCI = '/sys/bus/pci/devices';
const LEASE = 'r1/hv1';

const hosts: MemoryHost[] = [];
function make(options: Partial<CreateModelHostOptions> = {}): MemoryHost {
  const host = createMemoryHost({ name: 'hv1', ...options });
  host.model.tree.put('/var/lib/vfleet/lease', `id=${LEASE}\n`);
  hosts.push(host);
  return host;
}
afterEach(() => {
  for (const host of hosts.splice(0)) host.model.dispose();
});

let seq = 0;
const guard = () => ({ lease: LEASE, seq: (seq += 1), attempt: 1 });
async function poke(host: MemoryHost, path: string, value: string, timeoutMs = 50) {
  const writes = [{ path, value, timeoutMs }];
  const [outcome] = await host.poke({ guard: guard(), writes, deadlineMs: 5000 });
  return outcome;
}
const fn = ({ model }: MemoryHost, address: string) => model.kernel.bus.at(address)!;
const saying = (words: string): string => expect.stringContaining(words) as string;
const failed = (words: string) => ({ kind: 'failed', message: saying(words) });

describe('a fault of a device', () => {
  const numvfs = `${PCI}/${NIC}/sriov_numvfs`;

  it('vfs-fewer: makes fewer than asked, and says that all went well', async () => {
    const host = make({ faults: [{ kind: 'vfs-fewer', pf: NIC, count: 2 }] });
    expect(await poke(host, numvfs, '4')).toMatchObject({ kind: 'done' });
    expect(host.model.tree.text(numvfs)).toBe('2\n');
  });

  it('vfs-enomem: has no room for VFs until the line has pci=realloc', async () => {
    const faults = [{ kind: 'vfs-enomem', pf: NIC } as const];
    expect(await poke(make({ faults }), numvfs, '4')).toMatchObject(
      failed('Cannot allocate memory'),
    );
    const host = make({ faults, kernelArgs: ['pci=realloc'] });
    expect(await poke(host, numvfs, '4')).toMatchObject({ kind: 'done' });
  });

  it('vfs-hang: does not return until it is repaired, and then takes effect', async () => {
    const host = make({ faults: [{ kind: 'vfs-hang', pf: NIC }] });
    expect(await poke(host, numvfs, '4')).toEqual({ path: numvfs, kind: 'hung' });
    expect(host.model.tree.text(numvfs)).toBe('0\n');
    host.model.repair('vfs-hang');
    expect(host.model.tree.text(numvfs)).toBe('4\n');
    expect(await poke(host, numvfs, '4')).toMatchObject({ kind: 'done' });
  });

  it('vfs-hang: ends with the boot, without effect, and gives the lock back', async () => {
    const host = make({ faults: [{ kind: 'vfs-hang', pf: NIC }] });
    await poke(host, numvfs, '4');
    await rebootModel(host.model);
    expect(await poke(host, `${PCI}/${NIC}/sriov_drivers_autoprobe`, '0')).toMatchObject({
      kind: 'done',
    });
    host.model.repair('vfs-hang');
    expect(host.model.tree.text(numvfs)).toBe('0\n');
  });

  it('binds-nothing: leaves a function without a driver after a probe that went well', async () => {
    const host = make({ faults: [{ kind: 'binds-nothing', address: AUDIO }] });
    await poke(host, `${PCI}/${AUDIO}/driver/unbind`, AUDIO);
    expect(await poke(host, '/sys/bus/pci/drivers_probe', AUDIO)).toMatchObject({ kind: 'done' });
    expect(fn(host, AUDIO).driver).toBeNull();
  });

  it('aer-errors, link-degraded: show in the counters and the link', async () => {
    const host = make({
      faults: [
        { kind: 'aer-errors', address: DISK, correctable: 3, fatal: 1 },
        { kind: 'link-degraded', address: DISK, speed: '2.5 GT/s PCIe', width: 1 },
      ],
    });
    host.model.kernel.override(fn(host, DISK), 'vfio-pci');
    const snapshot = await host.read({ entries: FACTS_PROBE, deadlineMs: 5000 });
    expect(parseDevices(snapshot).functions.find(({ address }) => address === DISK)).toMatchObject({
      aer: { correctable: 3, nonfatal: 0, fatal: 1 },
      link: { speed: '2.5 GT/s', width: 1, maxSpeed: '16.0 GT/s', maxWidth: 4 },
    });
  });

  it('overheats: shows in the sensor of a function that has its own driver', async () => {
    const host = make();
    const celsius = async () => {
      const snapshot = await host.read({ entries: FACTS_PROBE, deadlineMs: 5000 });
      const { functions } = parseDevices(snapshot);
      return functions.find(({ address }) => address === NIC)?.temperatures?.[0]?.celsius;
    };
    expect(await celsius()).toBe(52);
    host.model.addFault({ kind: 'overheats', address: NIC, value: 109_000 });
    expect(await celsius()).toBe(109);
  });

  it('dies-after: ends a command between two of its writes', async () => {
    const host = make({ faults: [{ kind: 'dies-after', writes: 2 }] });
    const path = `${PCI}/${DISK}/driver_override`;
    const writes = ['a', 'b', 'c'].map((value) => ({ path, value, timeoutMs: 50 }));
    const died = host.poke({ guard: guard(), writes, deadlineMs: 5000 });
    await expect(died).rejects.toMatchObject({ code: 'host.outcome-unknown' });
    expect(fn(host, DISK).override).toBe('b');
    expect(await poke(host, path, 'd')).toMatchObject({ kind: 'done' });
  });
});
