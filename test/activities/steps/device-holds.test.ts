import { afterEach, describe, expect, it } from 'vitest';
import { applyAttach } from '../../../activities/steps/attach.ts';
import { applyBind, undoBind } from '../../../activities/steps/bind.ts';
import { undoAttach } from '../../../activities/steps/detach.ts';
import { undoHugepages } from '../../../activities/steps/hugepages.ts';
import { applyVfs } from '../../../activities/steps/vfs.ts';
import type { AttachChange } from '../../../src/domain/changes.ts';
import { guestCopyPath } from '../../../src/facts/guest-files.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import {
  attachChange,
  FOUR_VFS,
  GPU,
  GPU_CHANGES,
  hugepagesChange,
  PF,
  vfsChange,
} from '../../support/device-changes.ts';
import { deviceHost, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

/** What the machine answers to the steps and no fault of the model stands for: programs that fail or do nothing. */
let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = () => (host = deviceHost());
const makeVfs = (change = vfsChange({})) => applyVfs(host, { changes: [change], guard: guard(2) });
const bind = () => applyBind(host, { changes: GPU_CHANGES, guard: guard(2) });

/** Makes one program answer so, for the calls that `when` says yes to. */
function answer(
  program: string,
  stderr: string | null,
  when: (args: readonly string[]) => boolean = () => true,
): void {
  const real = host.model.programs.get(program)!;
  host.model.programs.set(program, {
    run: (args, model) =>
      when(args)
        ? { code: stderr === null ? 0 : 1, stdout: '', stderr: stderr ?? '', changed: false }
        : real.run(args, model),
  });
}

describe('applyVfs holds', () => {
  it('when ip refuses a setting, with its words', async () => {
    make();
    answer('ip', 'RTNETLINK answers: Operation not supported\n', (args) => args.includes('vf'));
    expect(await makeVfs()).toMatchObject({
      kind: 'hold',
      code: 'vfs.setting-failed',
      evidence: { stderr: 'RTNETLINK answers: Operation not supported' },
    });
  });

  it('when a setting is taken and has no effect', async () => {
    make();
    answer('ip', null, (args) => args.includes('vf'));
    expect(await makeVfs()).toMatchObject({
      kind: 'hold',
      code: 'vfs.setting-ignored',
      evidence: { asked: '02:11:22:33:44:00' },
    });
  });

  it('when the MTU has no effect', async () => {
    make();
    answer('ip', null, (args) => args.includes('mtu'));
    expect(await makeVfs()).toMatchObject({
      kind: 'hold',
      code: 'vfs.readback',
      evidence: { mtu: '1500, asked 9000' },
    });
  });

  it('when the PF has no interface by which its VFs are set', async () => {
    make();
    const change = vfsChange({ pf: '0000:5e:00.0', netdev: null, mtu: null, vfs: FOUR_VFS });
    expect(await makeVfs(change)).toMatchObject({ kind: 'hold', code: 'vfs.no-interface' });
  });
});

describe('applyBind holds', () => {
  it('when vfio-pci cannot be loaded', async () => {
    make();
    answer('modprobe', 'modprobe: FATAL: Module vfio-pci not found\n');
    expect(await bind()).toMatchObject({
      kind: 'hold',
      code: 'bind.no-vfio',
      evidence: { stderr: 'modprobe: FATAL: Module vfio-pci not found' },
    });
  });

  it('when the override has no effect, so that the old driver took it again', async () => {
    make();
    const override = `/sys/bus/pci/devices/${GPU}/driver_override`;
    host.model.attributes.set(override, () => 'stored');
    expect(await bind()).toMatchObject({ kind: 'hold', code: 'bind.wrong-driver' });
  });

  it('while a guest runs with the function', async () => {
    make();
    await well(bind());
    host.model.guests.add({ name: 'gpu-1', hostdevs: [{ address: GPU }] }, 'seed');
    const [change] = GPU_CHANGES;
    expect(await undoBind(host, { change, guard: guard(9) })).toMatchObject({
      kind: 'hold',
      code: 'bind.used-by-guest',
      evidence: { guest: 'gpu-1' },
    });
  });
});

it('undoHugepages holds while pages are in use', async () => {
  make();
  const change = hugepagesChange();
  for (const node of [0, 1]) {
    const folder = `/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB`;
    // It covers the model's own file: whatever is written, as many are there afterwards.
    host.model.tree.put(`${folder}/nr_hugepages`, '16\n');
  }
  const stays = { ...change, pages: change.pages.map((pages) => ({ ...pages, before: 4 })) };
  expect(await undoHugepages(host, { change: stays, guard: guard(9) })).toMatchObject({
    kind: 'hold',
    code: 'hugepages.in-use',
    evidence: { asked: '4', left: '16' },
  });
});

describe('a step on a guest holds', () => {
  const VFS = vfsChange({});
  const withGuest = async (running: boolean) => {
    make();
    await well(applyVfs(host, { changes: [VFS], guard: guard(2) }));
    host.model.guests.add({ name: 'edge-gw', vcpus: 2, running }, 'seed');
  };
  const apply = (change: AttachChange = attachChange()) =>
    applyAttach(host, { changes: [change], guard: guard(3) });
  const undo = (change: AttachChange = attachChange()) =>
    undoAttach(host, { change, guard: guard(9) });
  const virsh = (verb: string, stderr: string | null) => {
    answer('virsh', stderr, (args) => args.includes(verb));
  };

  it('when libvirt refuses the device, with its words', async () => {
    await withGuest(true);
    virsh('attach-device', 'error: internal error: unable to execute QEMU command\n');
    expect(await apply()).toMatchObject({
      kind: 'hold',
      code: 'guest.attach-failed',
      evidence: { stderr: 'error: internal error: unable to execute QEMU command' },
    });
  });

  it('when libvirt took the device and the guest has it not', async () => {
    await withGuest(true);
    virsh('attach-device', null);
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'guest.readback' });
  });

  it('when libvirt refuses a pin', async () => {
    await withGuest(false);
    virsh('vcpupin', "error: CPU 7 in cpulist '7' exceed the maxcpu 1\n");
    const pins = { before: {}, after: { '0': '7' }, all: '0-15' };
    expect(await apply(attachChange({ pins }))).toMatchObject({
      kind: 'hold',
      code: 'guest.pin-failed',
    });
  });

  it('when libvirt refuses to detach', async () => {
    await withGuest(false);
    await well(apply());
    virsh('detach-device', 'error: device not found\n');
    expect(await undo()).toMatchObject({ kind: 'hold', code: 'guest.detach-failed' });
  });

  it('when libvirt refuses the configuration from before, which stays beside it', async () => {
    make();
    await well(applyVfs(host, { changes: [VFS], guard: guard(2) }));
    host.model.guests.add({ name: 'edge-gw', running: false, ports: 0 }, 'seed');
    await well(apply());
    virsh('define', 'error: operation failed: domain is already defined with uuid\n');
    expect(await undo()).toMatchObject({ kind: 'hold', code: 'guest.restore-failed' });
    expect(host.model.tree.text(guestCopyPath(attachChange()))).toContain('<domain');
  });
});

it('names the PF in what it holds with', async () => {
  make();
  host.model.faults.add({ kind: 'vfs-enomem', pf: PF });
  expect(await makeVfs()).toMatchObject({
    code: 'vfs.no-memory',
    sentence: expect.stringContaining(PF) as string,
  });
});
