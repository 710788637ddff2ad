import { afterEach, describe, expect, it } from 'vitest';
import { applyAttach } from '../../../activities/steps/attach.ts';
import { undoAttach } from '../../../activities/steps/detach.ts';
import { applyBind } from '../../../activities/steps/bind.ts';
import { applyVfs, undoVfs } from '../../../activities/steps/vfs.ts';
import type { AttachChange } from '../../../src/domain/changes.ts';
import { guestCopyPath } from '../../../src/facts/guest-files.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import {
  attachChange,
  GPU,
  GPU_AUDIO,
  GPU_CHANGES,
  PF,
  vfsChange,
} from '../../support/device-changes.ts';
import {
  deviceHost,
  diesAnywhere,
  differences,
  factsOf,
  leavesOf,
  well,
} from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

const CONFIG = '/etc/libvirt/qemu/edge-gw.xml';
const COPY = guestCopyPath(attachChange());
const PASSWORD = 'hunter2';

type Guest = Parameters<MemoryHost['model']['guests']['add']>[0];

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

/** A host with VFs on vfio-pci, and the guest that is to have one. */
async function withGuest(guest: Partial<Guest> = {}, ...others: Guest[]): Promise<MemoryHost> {
  const fresh = deviceHost();
  await well(applyVfs(fresh, { changes: [vfsChange({})], guard: guard(2) }));
  for (const spec of [{ name: 'edge-gw', password: PASSWORD, ...guest }, ...others]) {
    fresh.model.guests.add(spec, 'seed');
  }
  return fresh;
}
const make = async (...guests: Parameters<typeof withGuest>) => (host = await withGuest(...guests));
const apply = (change: AttachChange = attachChange(), seq = 3) =>
  applyAttach(host, { changes: [change], guard: guard(seq) });
const undo = (change: AttachChange = attachChange(), seq = 9) =>
  undoAttach(host, { change, guard: guard(seq) });
const hostdevs = async () =>
  (await factsOf(host)).guests.find(({ name }) => name === 'edge-gw')?.hostdevs;
const vf = async (index: number) =>
  (await factsOf(host)).functions.find((fn) => fn.physfn === PF && fn.vfIndex === index)!.address;
const pinned = attachChange({
  pins: { before: {}, after: { '0': '0-7', '1': '0-7' }, all: '0-15' },
});

describe('applyAttach', () => {
  it('gives a running guest the VF, now and for its next start', async () => {
    await make();
    const evidence = await well(apply());
    const address = await vf(0);
    expect(evidence['guest edge-gw']).toBe(`${address} config and live`);
    expect(evidence['confinement of edge-gw']).toMatch(/libvirt-/);
    expect(await hostdevs()).toEqual([{ address, managed: false, live: true, config: true }]);
    expect(host.model.complaints).toEqual([]);
  });

  it('gives a guest that is shut off the VF in its configuration', async () => {
    await make({ running: false });
    await well(apply());
    expect(await hostdevs()).toMatchObject([{ live: false, config: true }]);
  });

  it('pins vCPUs on request', async () => {
    await make({ vcpus: 2 });
    await well(apply(pinned));
    const guest = (await factsOf(host)).guests.find(({ name }) => name === 'edge-gw');
    expect(guest?.pins).toEqual({ '0': '0-7', '1': '0-7' });
  });

  it('is safe twice: the second time changes nothing', async () => {
    await make();
    await well(apply());
    const before = host.model.log.changes().length;
    await well(apply(attachChange(), 4));
    expect(host.model.log.changes().length).toBe(before);
  });

  it('equals one that did not die, wherever it dies', async () => {
    await make();
    const change = { ...pinned, devices: [...pinned.devices, { pf: PF, vf: 1 }] };
    const deaths = await diesAnywhere(
      () => withGuest({ vcpus: 2 }),
      (port, attempt) => applyAttach(port, { changes: [change], guard: guard(3, attempt) }),
    );
    expect(deaths).toBeGreaterThan(10);
  });

  it('lets no password leave the host', async () => {
    await make({ running: false });
    const outcomes = [await apply(), await undo()];
    expect(JSON.stringify(outcomes)).not.toContain(PASSWORD);
    expect(JSON.stringify(host.model.log.entries)).not.toContain(PASSWORD);
  });
});

describe('applyAttach holds', () => {
  const expectHold = async (code: string, change: AttachChange = attachChange()) => {
    const before = leavesOf(host);
    expect(await apply(change)).toMatchObject({ kind: 'hold', code });
    expect(differences(before, leavesOf(host))).toEqual({});
  };

  it('when there is no such guest', async () => {
    await make({ name: 'another' });
    await expectHold('guest.absent');
  });

  it.each(['../x', '-live', '7', 'a b', 'x/y', '8fff4336-de7d-47e6-8599-62f543259154', ''])(
    'when the name is not safe: %j',
    async (domain) => {
      await make();
      await expectHold('guest.name-unsafe', attachChange({ domain }));
    },
  );

  it('when the guest would not outlast its run', async () => {
    await make({ persistent: false });
    await expectHold('guest.transient');
  });

  it('when the VF is not there', async () => {
    await make();
    await expectHold('guest.no-device', attachChange({ devices: [{ pf: PF, vf: 9 }] }));
  });

  it('when the device is not on vfio-pci', async () => {
    await make();
    await expectHold('guest.not-detached', attachChange({ devices: [{ pf: PF, vf: 3 }] }));
  });

  it('when another guest has it', async () => {
    await make({}, { name: 'other', running: false, hostdevs: [{ address: '0000:3b:02.0' }] });
    expect(await vf(0)).toBe('0000:3b:02.0');
    await expectHold('guest.device-taken');
  });

  it('when confinement is required and there is none', async () => {
    await make({ confined: false });
    await expectHold('guest.not-confined', attachChange({ confined: 'required' }));
    await well(apply(attachChange()));
  });

  it('when two guests are to share an IOMMU group, before either is touched', async () => {
    await make({}, { name: 'other' });
    await well(applyBind(host, { changes: GPU_CHANGES, guard: guard(3) }));
    const changes = [
      attachChange({ devices: [{ address: GPU }] }),
      attachChange({ domain: 'other', devices: [{ address: GPU_AUDIO }] }),
    ];
    const outcome = await applyAttach(host, { changes, guard: guard(4) });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'guest.group-split' });
    expect(await hostdevs()).toEqual([]);
  });

  it('when the running guest has no empty port, until it is shut off', async () => {
    await make({ ports: 0 });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'guest.no-slot' });
    host.model.guests.end('edge-gw');
    await well(apply(attachChange(), 4));
  });

  it('on a full disk, with the guest as it was', async () => {
    await make();
    host.model.faults.add({ kind: 'disk-full', under: `${COPY}.new` });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'guest.copy-failed' });
    expect(await hostdevs()).toEqual([]);
  });
});

describe('undoAttach', () => {
  it.each([
    ['that runs', { running: true }],
    ['that is shut off', { running: false }],
    ['for which libvirt had to add a controller', { running: false, ports: 0 }],
  ])('takes everything back exactly, from a guest %s', async (_, guest) => {
    await make(guest);
    const before = leavesOf(host);
    await well(apply());
    expect(await well(undo())).toMatchObject({
      config: 'byte for byte as before',
      reboot: 'not needed',
    });
    expect(differences(before, leavesOf(host))).toEqual({});
    expect(host.model.tree.text(COPY)).toBeUndefined();
  });

  it('takes two rollouts of one guest back, the newer first, each exactly', async () => {
    await make({ running: false, ports: 0 });
    const second = attachChange({ devices: [{ pf: PF, vf: 1 }] });
    const bare = leavesOf(host);
    await well(apply());
    const first = leavesOf(host);
    await well(apply(second, 4));
    expect(differences(first, leavesOf(host))).not.toEqual({});
    await well(undo(second));
    expect(differences(first, leavesOf(host))).toEqual({});
    await well(undo(attachChange(), 10));
    expect(differences(bare, leavesOf(host))).toEqual({});
  });

  it('takes pins back', async () => {
    await make({ vcpus: 2, running: false });
    const before = leavesOf(host);
    await well(apply(pinned));
    expect(host.model.tree.text(CONFIG)).toContain('vcpupin');
    await well(undo(pinned));
    expect(differences(before, leavesOf(host))).toEqual({});
  });

  it('touches nothing where nothing was applied', async () => {
    await make();
    const before = host.model.log.changes().length;
    await well(undo());
    expect(host.model.log.changes().length).toBe(before);
  });

  it('leaves what somebody else changed since, and takes only the devices out', async () => {
    await make({ running: false });
    await well(apply());
    const edited = host.model.tree.text(CONFIG)!.replace('</domain>', '  <!-- mine -->\n</domain>');
    host.model.tree.put(CONFIG, edited);
    expect(await well(undo())).toMatchObject({ config: /somebody else/ });
    expect(host.model.tree.text(CONFIG)).toContain('mine');
    expect(await hostdevs()).toEqual([]);
  });

  it('holds while the guest does not let go, and goes on when it does', async () => {
    await make();
    await well(apply());
    host.model.faults.add({ kind: 'guest-keeps', guest: 'edge-gw' });
    expect(await undo()).toMatchObject({ kind: 'hold', code: 'guest.unplug-pending' });
    host.model.faults.remove('guest-keeps');
    await well(undo(attachChange(), 10));
    expect(await hostdevs()).toEqual([]);
  });

  it('has nothing to take back from a guest that is gone', async () => {
    await make({ running: false });
    await well(apply());
    host.model.tree.remove(CONFIG);
    expect(await well(undo())).toMatchObject({ 'guest edge-gw': 'not there any more' });
  });

  it('equals one that did not die, wherever it dies', async () => {
    await make();
    const deaths = await diesAnywhere(
      async () => {
        const fresh = await withGuest({ vcpus: 2, running: false, ports: 0 });
        await well(applyAttach(fresh, { changes: [pinned], guard: guard(3) }));
        return fresh;
      },
      (port, attempt) => undoAttach(port, { change: pinned, guard: guard(9, attempt) }),
    );
    expect(deaths).toBeGreaterThan(4);
  });
});

it('VFs stay with a running guest: neither a new count nor an undo takes one from it', async () => {
  await make();
  await well(apply());
  const change = vfsChange({});
  expect(await undoVfs(host, { change, guard: guard(4) })).toMatchObject({
    kind: 'hold',
    code: 'vfs.used-by-guest',
    evidence: { guest: 'edge-gw' },
  });
  const fewer = {
    ...vfsChange({ vfs: change.after.vfs.slice(0, 1), before: change.after }),
    files: [],
  };
  expect(await applyVfs(host, { changes: [fewer], guard: guard(5) })).toMatchObject({
    code: 'vfs.used-by-guest',
  });
});
