import type { Faults } from '../faults.ts';
import { DONE, refused, type Answer, type PciBus, type Uevent } from './pci-bus.ts';
import { PciFunction, type VfAdmin } from './pci-function.ts';
import { vfSpec } from './pci-spec.ts';

/** What `sriov_numvfs` needs of its machine. */
export interface VfsBench {
  readonly bus: PciBus;
  readonly faults: Faults;
  readonly uevent: Uevent;
  /** Whether the line has `pci=realloc`, which finds room for the VFs where the firmware left none. */
  readonly realloc: boolean;
}

/** A write to sriov_numvfs, in the order of sriov_numvfs_store (drivers/pci/iov.c, Linux 6.1). */
export function storeNumVfs(bench: VfsBench, pf: PciFunction, text: string): Answer {
  const { sriov } = pf.spec;
  if (sriov === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(text)) return refused('Invalid argument');
  const count = Number(text);
  if (count > sriov.total) return refused('Numerical result out of range');
  if (count === pf.vfs.length) return DONE;
  // Without a driver, and with vfio-pci unless it was told enable_sriov, there is nobody to make them.
  if (pf.driver === null || pf.driver === 'vfio-pci') return refused('No such file or directory');
  if (of(bench.faults.all('vfs-hang'), pf) !== undefined)
    return { waitsFor: { fault: 'vfs-hang' } };
  return count === 0 ? removeAll(bench, pf) : make(bench, pf, count);
}

function removeAll({ bus }: VfsBench, pf: PciFunction): Answer {
  const held = pf.vfs.filter(({ guest }) => guest !== undefined);
  if (held.length > 0) return { waitsFor: { guests: held } };
  bus.removeVfs(pf);
  return DONE;
}

function make(bench: VfsBench, pf: PciFunction, count: number): Answer {
  if (pf.vfs.length > 0) return refused('Device or resource busy');
  if (!bench.realloc && of(bench.faults.all('vfs-enomem'), pf) !== undefined) {
    return refused('Cannot allocate memory');
  }
  makeVfs(bench, pf, Math.min(count, of(bench.faults.all('vfs-fewer'), pf)?.count ?? count));
  return DONE;
}

/** The fault of those that is this PF's. */
function of<F extends { readonly pf: string }>(
  faults: readonly F[],
  pf: PciFunction,
): F | undefined {
  return faults.find((fault) => fault.pf === pf.address);
}

/** All VFs are there before the driver's settings of them; each is added, probed, and told to udev in order of index. */
function makeVfs({ bus, uevent }: VfsBench, pf: PciFunction, count: number): void {
  const parent = pf.folder.slice(0, pf.folder.lastIndexOf('/'));
  for (let index = 0; index < count; index += 1) {
    const vf = new PciFunction(vfSpec(pf.spec, index), parent, pf);
    pf.vfs.push(vf);
    pf.net?.vfs.push(newAdmin());
    bus.plug(vf);
  }
  bus.countErrors(pf);
  for (const vf of pf.vfs) {
    uevent('add', vf);
    bus.probe(vf);
  }
}

/** As the lab's igb shows a VF of which nothing was set. */
export function newAdmin(): VfAdmin {
  return { mac: '00:00:00:00:00:00', vlan: 0, trust: false, spoofCheck: true, maxRate: 0 };
}
