import { afterEach, describe, expect, it } from 'vitest';
import { applyModules, undoModules } from '../../../activities/steps/modules.ts';
import type { ModulesChange } from '../../../src/domain/changes.ts';
import { MODPROBE_PATH } from '../../../src/domain/own-files.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { modulesChange } from '../../support/device-changes.ts';
import { deviceHost, diesAnywhere, differences, leavesOf, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (): MemoryHost => (host = deviceHost());
const apply = (change: ModulesChange = modulesChange(), seq = 2) =>
  applyModules(host, { changes: [change], guard: guard(seq) });
const undo = (change: ModulesChange = modulesChange(), seq = 9) =>
  undoModules(host, { change, guard: guard(seq) });
const updates = () => host.model.log.runsOf('update-initramfs').length;

describe('applyModules', () => {
  it('writes the files and makes the initramfs again', async () => {
    make();
    await well(apply());
    expect(host.model.tree.text(MODPROBE_PATH)).toContain('disable_idle_d3');
    expect(updates()).toBe(1);
  });

  it('is safe twice: the initramfs is not made again when it holds them', async () => {
    make();
    await well(apply());
    const before = host.model.log.changes().length;
    await well(apply(modulesChange(), 3));
    expect(updates()).toBe(1);
    expect(host.model.log.changes().length).toBe(before);
  });

  it('leaves the initramfs alone where it is not asked to be made', async () => {
    make();
    await well(apply(modulesChange({ initramfs: false })));
    expect(updates()).toBe(0);
  });

  it('makes it after a death between the files and it', async () => {
    make();
    const deaths = await diesAnywhere(
      () => Promise.resolve(deviceHost()),
      (port, attempt) =>
        applyModules(port, { changes: [modulesChange()], guard: guard(2, attempt) }),
    );
    // The note, two files and the initramfs.
    expect(deaths).toBe(4);
  });

  it('holds with drift when somebody edited a file of ours', async () => {
    make();
    host.model.tree.put(MODPROBE_PATH, '# mine\n');
    const before = leavesOf(host);
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'drift' });
    expect(differences(before, leavesOf(host))).toEqual({});
  });

  it('holds when update-initramfs fails', async () => {
    make();
    host.model.faults.add({ kind: 'disk-full', under: '/boot' });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'initramfs.failed' });
  });

  it('holds when update-initramfs did nothing', async () => {
    make();
    host.model.programs.set('update-initramfs', {
      run: () => ({ code: 0, stdout: '', stderr: '', changed: false }),
    });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'initramfs.readback' });
  });

  it('holds on a full disk', async () => {
    make();
    host.model.faults.add({ kind: 'disk-full', under: '/etc' });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'host.disk-full' });
  });
});

describe('undoModules', () => {
  it('takes files and initramfs back, without a reboot when none has read them', async () => {
    make();
    const before = leavesOf(host);
    await well(apply());
    expect(await well(undo())).toMatchObject({ reboot: 'not needed' });
    expect(differences(before, leavesOf(host))).toEqual({});
    expect(updates()).toBe(2);
  });

  it('needs a reboot once one has read them, also when it is asked twice, and none after it', async () => {
    make();
    await well(apply());
    await host.model.powerCycle();
    expect(await well(undo())).toMatchObject({ reboot: 'needed' });
    expect(await well(undo(modulesChange(), 10))).toMatchObject({ reboot: 'needed' });
    await host.model.powerCycle();
    expect(await well(undo(modulesChange(), 11))).toMatchObject({ reboot: 'not needed' });
  });

  it('touches nothing where nothing was applied', async () => {
    make();
    const before = host.model.log.changes().length;
    expect(await well(undo())).toMatchObject({ reboot: 'not needed' });
    expect(host.model.log.changes().length).toBe(before);
  });

  it('equals one that did not die, wherever it dies', async () => {
    make();
    const change = modulesChange();
    await diesAnywhere(
      async () => {
        const fresh = deviceHost();
        await well(applyModules(fresh, { changes: [change], guard: guard(2) }));
        return fresh;
      },
      (port, attempt) => undoModules(port, { change, guard: guard(9, attempt) }),
    );
  });

  it('puts a text of before back, also in the initramfs', async () => {
    make();
    const old = modulesChange();
    await well(apply(old));
    const before = leavesOf(host);
    const next = modulesChange({
      files: [
        {
          ...old.files[0]!,
          before: old.files[0]!.after,
          after: 'options vfio-pci ids=10de:2204\n',
        },
      ],
    });
    await well(apply(next, 3));
    await well(undo(next));
    expect(differences(before, leavesOf(host))).toEqual({});
  });
});
