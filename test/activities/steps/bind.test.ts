import { afterEach, describe, expect, it } from 'vitest';
import { applyBind, undoBind } from '../../../activities/steps/bind.ts';
import type { BindChange } from '../../../src/domain/changes.ts';
import { rulePath } from '../../../src/domain/own-files.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { bindChange, GPU, GPU_AUDIO, GPU_CHANGES, PF } from '../../support/device-changes.ts';
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

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (): MemoryHost => (host = deviceHost());
const apply = (changes: readonly BindChange[] = GPU_CHANGES, seq = 2) =>
  applyBind(host, { changes, guard: guard(seq) });
const undo = (change: BindChange, seq = 9) => undoBind(host, { change, guard: guard(seq) });
const stateOf = async (address: string) => {
  const found = (await factsOf(host)).functions.find((fn) => fn.address === address);
  return [found?.driver, found?.override];
};
const updates = () => host.model.log.runsOf('update-initramfs').length;

describe('applyBind', () => {
  it('binds every function, then writes the rules that do it again', async () => {
    make();
    const evidence = await well(apply());
    expect(evidence[GPU]).toMatch(/^vfio-pci, override vfio-pci, group /);
    expect(await stateOf(GPU)).toEqual(['vfio-pci', 'vfio-pci']);
    expect(await stateOf(GPU_AUDIO)).toEqual(['vfio-pci', 'vfio-pci']);
    const changed = host.model.log.changes().map(({ what }) => what);
    expect(changed.slice(-2)).toEqual([rulePath(GPU), rulePath(GPU_AUDIO)]);
    expect(updates()).toBe(0);
    expect(host.model.complaints).toEqual([]);
  });

  it('tells of many functions how many there are, and names the first of them', async () => {
    make();
    const write = (name: string, value: string) => ({
      path: `/sys/bus/pci/devices/${PF}/${name}`,
      value,
      timeoutMs: 5000,
    });
    await host.poke({
      guard: guard(1),
      writes: [write('sriov_drivers_autoprobe', '0'), write('sriov_numvfs', '20')],
      deadlineMs: 20_000,
    });
    const vfs = (await factsOf(host)).functions.filter(({ physfn }) => physfn === PF);
    const before = { driver: null, override: null };
    const changes = vfs.map(({ address }) => ({ ...bindChange(address, { before }), files: [] }));
    const evidence = await well(apply(changes));
    expect(evidence['functions']).toBe('20: 20 vfio-pci');
    expect(Object.keys(evidence)).toHaveLength(13);
    expect(evidence[vfs[11]!.address]).toMatch(/^vfio-pci, /);
  });

  it('is safe twice: the second time changes nothing', async () => {
    make();
    await well(apply());
    const before = host.model.log.changes().length;
    await well(apply(GPU_CHANGES, 3));
    expect(host.model.log.changes().length).toBe(before);
  });

  it('equals one that did not die, wherever it dies', async () => {
    make();
    const deaths = await diesAnywhere(
      () => Promise.resolve(deviceHost()),
      (port, attempt) => applyBind(port, { changes: GPU_CHANGES, guard: guard(2, attempt) }),
    );
    expect(deaths).toBeGreaterThan(6);
  });

  it('lasts over an unasked reboot', async () => {
    make();
    await well(apply());
    await host.model.powerCycle();
    expect(await stateOf(GPU)).toEqual(['vfio-pci', 'vfio-pci']);
    const before = host.model.log.changes().length;
    await well(apply(GPU_CHANGES, 3));
    expect(host.model.log.changes().length).toBe(before);
  });

  it('leaves the override away where an option of vfio-pci is to bind it', async () => {
    make();
    await well(apply([bindChange(GPU, { by: 'ids' }), bindChange(GPU_AUDIO, { by: 'ids' })]));
    expect(await stateOf(GPU)).toEqual(['vfio-pci', null]);
    expect(host.model.tree.text(rulePath(GPU))).toBeUndefined();
  });

  it("gives a function back to the kernel's own choice, and takes our rule away everywhere", async () => {
    make();
    const [there] = GPU_CHANGES;
    await well(apply());
    await host.run({ argv: ['update-initramfs', '-u', '-k', 'all'], deadlineMs: 5000 });
    const change: BindChange = {
      ...there,
      before: { driver: 'vfio-pci', override: 'vfio-pci' },
      after: { driver: 'native', override: null },
      files: there.files.map(({ path, after }) => ({ path, before: after, after: null })),
    };
    await well(apply([change], 3));
    expect(await stateOf(GPU)).toEqual(['nouveau', null]);
    expect(updates()).toBe(2);
    await well(apply([change], 4));
    expect(updates()).toBe(2);
  });
});

describe('applyBind holds', () => {
  it('with drift when the function has a driver that is neither', async () => {
    make();
    const change = bindChange(GPU, { before: { driver: 'nvidia', override: null } });
    const before = leavesOf(host);
    expect(await apply([change])).toMatchObject({ kind: 'hold', code: 'drift' });
    expect(differences(before, leavesOf(host))).toEqual({});
  });

  it('when another device stands at the address', async () => {
    make();
    const change = bindChange(GPU, {
      modalias: 'pci:v000010DEd00001B80sv000010DEsd00001B80bc03sc00i00',
    });
    expect(await apply([change])).toMatchObject({
      code: 'devices.moved',
      evidence: { planned: change.modalias },
    });
  });

  it('with drift when somebody edited our rule, before anything is changed', async () => {
    make();
    host.model.tree.put(rulePath(GPU), '# mine\n');
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'drift' });
    expect(await stateOf(GPU)).toEqual(['nouveau', null]);
  });

  it('when the function is gone', async () => {
    make();
    const outcome = await apply([bindChange('0000:7f:00.0')]);
    expect(outcome).toMatchObject({ kind: 'hold', code: 'bind.gone' });
  });

  it('when no driver took it', async () => {
    make();
    host.model.faults.add({ kind: 'binds-nothing', address: GPU });
    expect(await apply()).toMatchObject({
      kind: 'hold',
      code: 'bind.bound-nothing',
      evidence: { device: GPU, driver: 'none' },
    });
    expect(host.model.tree.text(rulePath(GPU))).toBeUndefined();
  });

  it('when a member of the group keeps a driver of the host, with every member named', async () => {
    make();
    expect(await apply([bindChange(GPU)])).toMatchObject({
      kind: 'hold',
      code: 'devices.group-not-viable',
      sentence: expect.stringMatching(new RegExp(`${GPU}.*${GPU_AUDIO}.*snd_hda_intel`)) as string,
    });
    expect(await stateOf(GPU)).toEqual(['nouveau', null]);
  });

  it('when there are no groups, since the IOMMU is off', async () => {
    host = deviceHost({ kernelArgs: ['intel_iommu=off'] });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'bind.no-group' });
    expect(await stateOf(GPU)).toEqual(['nouveau', null]);
  });

  it('on a full disk, with no rule left behind', async () => {
    make();
    host.model.faults.add({ kind: 'disk-full', under: '/etc' });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'host.disk-full' });
    expect(host.model.tree.text(rulePath(GPU))).toBeUndefined();
    host.model.faults.remove('disk-full');
    await well(apply(GPU_CHANGES, 3));
  });
});

describe('undoBind', () => {
  it('takes it back exactly: rule, override and driver', async () => {
    make();
    const before = withoutModules(leavesOf(host));
    await well(apply());
    for (const change of [...GPU_CHANGES].reverse()) {
      expect(await well(undo(change))).toMatchObject({ reboot: 'not needed' });
    }
    expect(differences(before, withoutModules(leavesOf(host)))).toEqual({});
    expect(updates()).toBe(0);
  });

  it('binds the driver of before through an option that names its ids', async () => {
    make();
    const change = bindChange(GPU, { by: 'ids' });
    await well(apply([change, bindChange(GPU_AUDIO, { by: 'ids' })]));
    await well(undo(change));
    expect(await stateOf(GPU)).toEqual(['nouveau', null]);
  });

  it('leaves a function without a driver that had none', async () => {
    make();
    const change = bindChange(GPU, { before: { driver: null, override: null } });
    await host.poke({
      guard: guard(1),
      writes: [{ path: `/sys/bus/pci/devices/${GPU}/driver/unbind`, value: GPU, timeoutMs: 1000 }],
      deadlineMs: 5000,
    });
    await well(apply([change, bindChange(GPU_AUDIO)]));
    await well(undo(change));
    expect(await stateOf(GPU)).toEqual([null, null]);
  });

  it('makes the initramfs again when one of them holds our rule', async () => {
    make();
    await well(apply());
    await host.run({ argv: ['update-initramfs', '-u', '-k', 'all'], deadlineMs: 5000 });
    await well(undo(GPU_CHANGES[0]));
    expect(updates()).toBe(2);
    await host.model.powerCycle();
    expect(await stateOf(GPU)).toEqual(['nouveau', null]);
  });

  it('touches nothing where nothing of ours is left', async () => {
    make();
    const before = host.model.log.changes().length;
    await well(undo(GPU_CHANGES[0]));
    expect(host.model.log.changes().length).toBe(before);
  });

  it('equals one that did not die, wherever it dies', async () => {
    make();
    const [change] = GPU_CHANGES;
    const deaths = await diesAnywhere(
      async () => {
        const fresh = deviceHost();
        await well(applyBind(fresh, { changes: GPU_CHANGES, guard: guard(2) }));
        return fresh;
      },
      (port, attempt) => undoBind(port, { change, guard: guard(9, attempt) }),
    );
    expect(deaths).toBeGreaterThan(4);
  });
});
