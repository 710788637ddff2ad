import { afterEach, describe, expect, it } from 'vitest';
import { applyAttach } from '../../../activities/steps/attach.ts';
import { undoAttach } from '../../../activities/steps/detach.ts';
import { applyVfs } from '../../../activities/steps/vfs.ts';
import type { AttachChange } from '../../../src/domain/changes.ts';
import { guestCopyPath } from '../../../src/facts/guest-files.ts';
import type { RunOutcome } from '../../../src/host/port.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { attachChange, PF, vfsChange } from '../../support/device-changes.ts';
import { deviceHost, factsOf, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

const CONFIG = '/etc/libvirt/qemu/edge-gw.xml';
const CHANGE = attachChange();
const COPY = guestCopyPath(CHANGE);
const STATE = '/var/lib/vfleet';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

/** A host with VFs on vfio-pci, and a guest for which libvirt has to add a controller. */
async function make(running = false): Promise<void> {
  host = deviceHost();
  await well(applyVfs(host, { changes: [vfsChange({})], guard: guard(2) }));
  const ports = running ? {} : { ports: 0 };
  host.model.guests.add({ name: 'edge-gw', running, ...ports }, 'seed');
}
const apply = (change: AttachChange = CHANGE, seq = 3) =>
  applyAttach(host, { changes: [change], guard: guard(seq) });
const undo = (change: AttachChange = CHANGE, seq = 9) =>
  undoAttach(host, { change, guard: guard(seq) });
const text = (path: string) => host.model.tree.text(path);
const hostdevs = async () =>
  (await factsOf(host)).guests.find(({ name }) => name === 'edge-gw')?.hostdevs;
const scratch = () =>
  (host.model.tree.names(STATE) ?? []).filter((name) => name.startsWith('attach-'));
/** A line that a person adds to the guest's configuration. */
const editByHand = (comment: string) => {
  const edited = text(CONFIG)!.replace('</domain>', `  <!-- ${comment} -->\n</domain>`);
  host.model.tree.put(CONFIG, edited, 0o600);
};

/** A host on which one program ends so, until it is mended. */
function failing(
  program: string,
  outcome: Partial<RunOutcome>,
  when: (argv: readonly string[]) => boolean = () => true,
): () => void {
  const run = host.run.bind(host);
  host.run = (request) =>
    request.argv[0] === program && when(request.argv)
      ? Promise.resolve({ kind: 'exited', code: 0, stdout: '', stderr: '', ...outcome })
      : run(request);
  return () => {
    host.run = run;
  };
}

describe('a host that does not say whether there is a copy', () => {
  const cases: [string, Partial<RunOutcome>][] = [
    ['the time was up', { kind: 'timed-out', code: 124 }],
    ['there is no such program', { kind: 'not-found', code: 127 }],
    ['the program failed', { code: 2 }],
  ];

  it.each(cases)(
    'holds a rollback, which has not said that all is as before: %s',
    async (_, how) => {
      await make();
      await well(apply());
      const mend = failing('test', how);
      expect(await undo()).toMatchObject({ kind: 'hold', code: 'guest.copy-failed' });
      mend();
      await well(undo(CHANGE, 10));
      expect(await hostdevs()).toEqual([]);
    },
  );

  it.each(cases)('holds an attach that is tried again, and its copy stays: %s', async (_, how) => {
    await make();
    const before = text(CONFIG);
    const two = attachChange({ devices: [...CHANGE.devices, { pf: PF, vf: 1 }] });
    const copy = guestCopyPath(two);
    const refuse = failing('virsh', { code: 1 }, (argv) => argv.join(' ').includes('02.1'));
    expect(await apply(two)).toMatchObject({ code: 'guest.attach-failed' });
    refuse();
    expect(text(CONFIG)).not.toBe(before);
    const mend = failing('test', how);
    expect(await apply(two, 4)).toMatchObject({ kind: 'hold', code: 'guest.copy-failed' });
    mend();
    expect(text(copy)).toBe(before);
    await well(apply(two, 5));
    expect(text(copy)).toBe(before);
  });
});

describe('the copy of a configuration', () => {
  it('is never half of one: it is written beside, synced, and moved without overwriting', async () => {
    await make();
    await well(apply());
    const ran = host.model.log.entries.filter(({ verb }) => verb === 'run').map(({ what }) => what);
    const from = ran.findIndex((what) => what.startsWith('cp '));
    expect(ran.slice(from, from + 4)).toEqual([
      `cp --preserve=all -T -- ${CONFIG} ${COPY}.new`,
      `sync ${COPY}.new`,
      `mv -n -T -- ${COPY}.new ${COPY}`,
      `sync ${STATE}`,
    ]);
  });

  it('stays when an undo died before the configuration was put back, and another attach comes', async () => {
    await make();
    const before = text(CONFIG);
    await well(apply());
    const stop = failing('cmp', { kind: 'timed-out', code: 124 });
    expect(await undo()).toMatchObject({ code: 'guest.copy-failed' });
    stop();
    // Out of the configuration, and libvirt's controller is still in it.
    expect(await hostdevs()).toEqual([]);
    expect(text(CONFIG)).not.toBe(before);
    await well(apply(CHANGE, 10));
    expect(text(COPY)).toBe(before);
    await well(undo(CHANGE, 11));
    expect(text(CONFIG)).toBe(before);
  });

  it('makes room for a newer one where somebody else has changed the guest since', async () => {
    await make();
    host.model.tree.put(COPY, "<domain type='kvm'>an older one</domain>\n", 0o600);
    editByHand('mine');
    const before = text(CONFIG);
    await well(apply());
    expect(text(COPY)).toBe(before);
    await well(undo());
    expect(text(CONFIG)).toBe(before);
  });

  it('is not taken for what it is not, when a move did nothing', async () => {
    await make();
    const mend = failing('mv', { code: 0 });
    expect(await apply()).toMatchObject({ kind: 'hold', code: 'guest.copy-failed' });
    mend();
    expect(await hostdevs()).toEqual([]);
    await well(apply(CHANGE, 4));
  });

  it('stays, and is named, when somebody else changed the guest since', async () => {
    await make();
    const before = text(CONFIG);
    await well(apply());
    editByHand('mine');
    const told = await well(undo());
    expect(told['config']).toMatch(
      /^somebody else changed it since, .* before: \/var\/lib\/vfleet/,
    );
    expect(told['config']).toContain(COPY);
    expect(text(COPY)).toBe(before);
    expect(await well(undo(CHANGE, 10))).toEqual(told);
  });

  it('stays, and is named, when the guest runs on and has no configuration any more', async () => {
    await make(true);
    await well(apply());
    host.model.tree.remove(CONFIG);
    expect((await well(undo()))['config']).toContain(COPY);
    expect(await hostdevs()).toEqual([]);
    expect(text(COPY)).toContain('<domain');
  });

  it('goes with the guest, and what virsh was told from goes too', async () => {
    await make();
    await well(apply());
    host.model.tree.put(`${STATE}/attach-0000-3b-02.0.unmanaged.xml`, 'left by a worker that died');
    host.model.tree.put(`${COPY}.new`, 'half');
    host.model.tree.remove(CONFIG);
    expect(await well(undo())).toMatchObject({ 'guest edge-gw': 'not there any more' });
    expect(scratch()).toEqual([]);
    expect([text(COPY), text(`${COPY}.new`)]).toEqual([undefined, undefined]);
  });

  it('stays when the guest is there and cannot be read', async () => {
    await make();
    await well(apply());
    host.model.tree.put(CONFIG, 'not XML', 0o600);
    expect(await undo()).toMatchObject({ kind: 'hold', code: 'guest.absent' });
    expect(text(COPY)).toContain('<domain');
  });
});

describe('what virsh is told a device from', () => {
  it('is in no way of a rollout that gives the device the other way', async () => {
    await make();
    const mend = failing('virsh', { code: 1, stderr: 'error: not now\n' });
    expect(await apply()).toMatchObject({ code: 'guest.attach-failed' });
    mend();
    expect(scratch()).toHaveLength(1);
    const other = attachChange({ managed: true });
    await well(apply(other, 4));
    expect(await hostdevs()).toMatchObject([{ managed: true, config: true }]);
    expect(scratch()).toEqual([]);
  });

  it('is removed by its own name only', async () => {
    await make();
    const foreign = ['attach-notes.txt', 'attach-A.xml', 'attached.xml'];
    for (const name of foreign) host.model.tree.put(`${STATE}/${name}`, 'a file of somebody');
    const before = host.model.tree.names(STATE)?.filter((name) => name.startsWith('attach'));
    await well(apply());
    const after = host.model.tree.names(STATE)?.filter((name) => name.startsWith('attach'));
    expect(after).toEqual(before);
  });
});

it('a VF that is gone is not there for the guest either: the rest goes back', async () => {
  await make();
  await well(apply());
  await host.poke({
    guard: guard(4),
    writes: [{ path: `/sys/bus/pci/devices/${PF}/sriov_numvfs`, value: '0', timeoutMs: 5000 }],
    deadlineMs: 20_000,
  });
  expect(await apply(CHANGE, 5)).toMatchObject({ kind: 'hold', code: 'guest.no-device' });
  const told = await well(undo());
  expect(told['gone']).toMatch(
    /^VF 0 of 0000:3b:00\.0 not there any more; the guest still has 0000:3b:02\.0, .*virsh edit edge-gw/,
  );
  expect(told['config']).toContain(COPY);
});
