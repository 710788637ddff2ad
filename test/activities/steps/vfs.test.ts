import { afterEach, describe, expect, it } from 'vitest';
import { applyVfs, undoVfs } from '../../../activities/steps/vfs.ts';
import type { VfsChange } from '../../../src/domain/changes.ts';
import { rulePath, scriptPath } from '../../../src/domain/own-files.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { CrashingPort } from '../../support/crashing-port.ts';
import { FOUR_VFS, PF, vfsChange } from '../../support/device-changes.ts';
import {
  deviceHost,
  diesAnywhere,
  differences,
  factsOf,
  leavesOf,
  well,
  withoutModules,
} from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

const NUMVFS = `/sys/bus/pci/devices/${PF}/sriov_numvfs`;
/** A free disk that makes VFs, and has no network interface. */
const DISK = '0000:5e:00.0';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (): MemoryHost => (host = deviceHost());
const apply = (change: VfsChange, seq = 2) =>
  applyVfs(host, { changes: [change], guard: guard(seq) });
const undo = (change: VfsChange, seq = 9) => undoVfs(host, { change, guard: guard(seq) });
const pf = async (address = PF) =>
  (await factsOf(host)).functions.find((found) => found.address === address)!;
const vfs = async (address = PF) =>
  (await factsOf(host)).functions.filter(({ physfn }) => physfn === address);
const pokes = () =>
  host.model.log.entries
    .filter(({ verb }) => verb === 'poke')
    .map(({ what, effect }) => `${what} ${effect}`);

describe('applyVfs', () => {
  it('makes the VFs with their settings and drivers, then the files that make them again', async () => {
    make();
    const evidence = await well(apply(vfsChange({})));
    expect(evidence[PF]).toMatch(/^4 VFs; vfio-pci 0-2; iavf 3; groups /);
    const { sriov } = await pf();
    expect(sriov).toMatchObject({ count: 4, autoprobe: true, mtu: 9000 });
    expect(sriov?.settings[0]).toMatchObject({ mac: '02:11:22:33:44:00', vlan: 100, trust: true });
    expect(sriov?.settings[1]).toMatchObject({ spoofCheck: false, maxRate: 1000 });
    expect((await vfs()).map(({ driver, override }) => [driver, override])).toEqual([
      ['vfio-pci', 'vfio-pci'],
      ['vfio-pci', 'vfio-pci'],
      ['vfio-pci', 'vfio-pci'],
      ['iavf', null],
    ]);
    expect(host.model.tree.text(rulePath(PF))).toContain(PF);
    expect(host.model.complaints).toEqual([]);
  });

  it('writes the files last, so that no boot does what this one has not shown to work', async () => {
    make();
    await well(apply(vfsChange({})));
    const changed = host.model.log.changes().map(({ what }) => what);
    expect(changed.slice(-2)).toEqual([scriptPath(PF), rulePath(PF)]);
  });

  it('is safe twice: the second time changes nothing', async () => {
    make();
    await well(apply(vfsChange({})));
    const before = host.model.log.changes().length;
    await well(apply(vfsChange({}), 3));
    expect(host.model.log.changes().length).toBe(before);
  });

  it('goes through no VFs at all when the count changes', async () => {
    make();
    const two = vfsChange({ vfs: FOUR_VFS.slice(0, 2) });
    await well(apply(two));
    const four = { ...vfsChange({ before: two.after }), files: [] };
    await well(apply(four, 3));
    expect(pokes().filter((poke) => poke.startsWith(NUMVFS))).toEqual([
      `${NUMVFS} done 2`,
      `${NUMVFS} done 0`,
      `${NUMVFS} done 4`,
    ]);
  });

  it('changes drivers and settings of VFs that are there without making them anew', async () => {
    make();
    const first = vfsChange({});
    await well(apply(first));
    const [one, ...rest] = FOUR_VFS;
    const next = vfsChange({
      vfs: [{ ...one!, driver: 'native', override: null, vlan: 7 }, ...rest],
      before: {
        ...first.after,
        vfs: FOUR_VFS.map((vf) => ({ ...vf, driver: vf.driver === 'native' ? 'iavf' : vf.driver })),
      },
    });
    await well(apply({ ...next, files: [] }, 3));
    expect((await vfs()).map(({ driver }) => driver)).toEqual([
      'iavf',
      'vfio-pci',
      'vfio-pci',
      'iavf',
    ]);
    expect((await pf()).sriov?.settings[0]).toMatchObject({ vlan: 7 });
    expect(pokes().filter((poke) => poke.startsWith(NUMVFS))).toHaveLength(1);
  });

  it('makes VFs again that a boot in between took away, wherever it dies', async () => {
    make();
    const first = { ...vfsChange({}), files: [] };
    const settled = FOUR_VFS.map((vf) => ({
      ...vf,
      driver: vf.driver === 'native' ? 'iavf' : vf.driver,
    }));
    const next = vfsChange({
      vfs: FOUR_VFS.map((vf) => ({ ...vf, vlan: 7, mac: '02:00:00:00:00:07' })),
      before: { ...first.after, mtu: 1500, vfs: settled.map((vf) => ({ vlan: 3, ...vf })) },
    });
    await diesAnywhere(
      async () => {
        const fresh = deviceHost();
        await well(applyVfs(fresh, { changes: [first], guard: guard(2) }));
        await fresh.model.powerCycle();
        return fresh;
      },
      (port, attempt) => applyVfs(port, { changes: [next], guard: guard(3, attempt) }),
    );
  });

  it('serves a PF that is no network card', async () => {
    make();
    const change = vfsChange({
      pf: DISK,
      netdev: null,
      mtu: null,
      vfs: Array.from({ length: 3 }, () => ({ driver: 'vfio-pci', override: 'vfio-pci' })),
    });
    await well(apply(change));
    expect((await vfs(DISK)).map(({ driver }) => driver)).toEqual([
      'vfio-pci',
      'vfio-pci',
      'vfio-pci',
    ]);
    expect(await well(undo(change))).toMatchObject({ reboot: 'not needed' });
    expect(await vfs(DISK)).toEqual([]);
  });

  it('equals one that did not die, wherever it dies', async () => {
    make();
    const deaths = await diesAnywhere(
      () => Promise.resolve(deviceHost()),
      (port, attempt) => applyVfs(port, { changes: [vfsChange({})], guard: guard(2, attempt) }),
    );
    expect(deaths).toBeGreaterThan(12);
  });

  it('comes back by its rule after an unasked reboot, and is as asked then', async () => {
    make();
    await well(apply(vfsChange({})));
    await host.model.powerCycle();
    const before = host.model.log.changes().length;
    await well(apply(vfsChange({}), 3));
    expect(host.model.log.changes().length).toBe(before);
  });
});

describe('applyVfs holds', () => {
  it('with drift when somebody else made another number of VFs', async () => {
    make();
    await well(apply(vfsChange({ vfs: FOUR_VFS.slice(0, 2) })));
    const before = leavesOf(host);
    const other = { ...vfsChange({}), files: [] };
    expect(await apply(other, 3)).toMatchObject({ kind: 'hold', code: 'drift' });
    expect(differences(before, leavesOf(host))).toEqual({});
  });

  it('with drift when somebody edited a file of ours, before anything is changed', async () => {
    make();
    host.model.tree.put(rulePath(PF), '# mine\n');
    expect(await apply(vfsChange({}))).toMatchObject({ kind: 'hold', code: 'drift' });
    expect((await pf()).sriov?.count).toBe(0);
  });

  it('on a full disk, with the VFs made and no file', async () => {
    make();
    host.model.faults.add({ kind: 'disk-full', under: '/etc' });
    expect(await apply(vfsChange({}))).toMatchObject({ kind: 'hold', code: 'host.disk-full' });
    expect(host.model.tree.text(rulePath(PF))).toBeUndefined();
    host.model.faults.remove('disk-full');
    await well(apply(vfsChange({}), 3));
  });

  it('when the driver makes fewer than asked, and goes on once it does not', async () => {
    make();
    host.model.faults.add({ kind: 'vfs-fewer', pf: PF, count: 3 });
    expect(await apply(vfsChange({}))).toMatchObject({
      kind: 'hold',
      code: 'vfs.fewer-than-asked',
      evidence: { asked: '4', got: '3' },
    });
    host.model.faults.remove('vfs-fewer');
    await well(apply(vfsChange({}), 3));
    expect(await vfs()).toHaveLength(4);
  });

  it('when a VF was probed and bound to nothing', async () => {
    make();
    const [first] = (await pf()).sriov?.vfs ?? [];
    expect(first).toBeUndefined();
    host.model.faults.add({ kind: 'binds-nothing', address: '0000:3b:02.1' });
    expect(await apply(vfsChange({}))).toMatchObject({
      kind: 'hold',
      code: 'bind.bound-nothing',
      evidence: { device: '0000:3b:02.1' },
    });
  });
});

describe('undoVfs', () => {
  it('takes everything back exactly, rule first', async () => {
    make();
    const before = withoutModules(leavesOf(host));
    await well(apply(vfsChange({})));
    const done = host.model.log.changes().length;
    expect(await well(undo(vfsChange({})))).toMatchObject({ reboot: 'not needed' });
    expect(differences(before, withoutModules(leavesOf(host)))).toEqual({});
    expect(host.model.log.changes()[done]?.what).toBe(rulePath(PF));
  });

  it('touches nothing on a host where nothing of ours is left', async () => {
    make();
    const before = host.model.log.changes().length;
    await well(undo(vfsChange({})));
    expect(host.model.log.changes().length).toBe(before);
  });

  it('makes VFs again that were there before, with their settings and drivers', async () => {
    make();
    const old = vfsChange({ vfs: [{ driver: 'native', override: null, vlan: 5 }] });
    await well(apply({ ...old, files: [] }));
    const { sriov } = await pf();
    const [vf] = await vfs();
    const state = {
      count: 1,
      autoprobe: sriov!.autoprobe,
      mtu: sriov!.mtu!,
      vfs: [{ ...sriov!.settings[0], driver: vf!.driver, override: vf!.override }],
    };
    const before = withoutModules(leavesOf(host));
    const change = vfsChange({ before: state });
    await well(apply(change, 3));
    expect(await vfs()).toHaveLength(4);
    await well(undo(change));
    expect(differences(before, withoutModules(leavesOf(host)))).toEqual({});
  });

  it('goes on wherever apply died', async () => {
    make();
    const change = vfsChange({});
    const before = withoutModules(leavesOf(host));
    for (let mutations = 1; mutations < 40; mutations += 1) {
      host.model.dispose();
      make();
      const port = new CrashingPort(host, mutations);
      await applyVfs(port, { changes: [change], guard: guard(2) }).catch(() => undefined);
      await well(undo(change));
      expect(differences(before, withoutModules(leavesOf(host))), `${mutations}`).toEqual({});
      if (!port.crashed) break;
    }
  });

  it('equals one that did not die, wherever it dies', async () => {
    make();
    const change = vfsChange({});
    const deaths = await diesAnywhere(
      async () => {
        const fresh = deviceHost();
        await well(applyVfs(fresh, { changes: [change], guard: guard(2) }));
        return fresh;
      },
      (port, attempt) => undoVfs(port, { change, guard: guard(9, attempt) }),
    );
    expect(deaths).toBeGreaterThan(2);
  });

  it('takes the rule out of every initramfs that holds it', async () => {
    make();
    await well(apply(vfsChange({})));
    await host.run({ argv: ['update-initramfs', '-u', '-k', 'all'], deadlineMs: 5000 });
    await well(undo(vfsChange({})));
    expect(host.model.log.runsOf('update-initramfs')).toHaveLength(2);
  });
});
