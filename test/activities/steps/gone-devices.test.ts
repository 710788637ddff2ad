import { afterEach, describe, expect, it } from 'vitest';
import { applyAttach } from '../../../activities/steps/attach.ts';
import { applyBind, undoBind } from '../../../activities/steps/bind.ts';
import { undoAttach } from '../../../activities/steps/detach.ts';
import { applyVfs, undoVfs } from '../../../activities/steps/vfs.ts';
import { rulePath, scriptPath } from '../../../src/domain/own-files.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import {
  attachChange,
  bindChange,
  GPU,
  GPU_AUDIO,
  GPU_CHANGES,
  PF,
  vfsChange,
} from '../../support/device-changes.ts';
import { deviceHost, factsOf, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

/** As a card that fell off the bus. */
function pullOut(...addresses: readonly string[]): void {
  for (const address of addresses) host.model.kernel.bus.functions.delete(address);
}

describe('a rollback when devices are not there any more', () => {
  const attach = attachChange({ devices: [{ address: GPU }, { address: GPU_AUDIO }] });
  const withCard = async () => {
    host = deviceHost();
    await well(applyBind(host, { changes: GPU_CHANGES, guard: guard(2) }));
    host.model.guests.add({ name: 'edge-gw', running: false }, 'seed');
    await well(applyAttach(host, { changes: [attach], guard: guard(3) }));
  };

  it('takes them out of the guest by their recorded addresses', async () => {
    await withCard();
    pullOut(GPU, GPU_AUDIO);
    expect(await well(undoAttach(host, { change: attach, guard: guard(8) }))).toMatchObject({
      config: 'byte for byte as before',
      gone: `${GPU} and 1 more not there any more`,
    });
    expect((await factsOf(host)).guests[0]?.hostdevs).toEqual([]);
  });

  it('puts the files of a function back, and that is all', async () => {
    await withCard();
    pullOut(GPU, GPU_AUDIO);
    for (const change of GPU_CHANGES) {
      const told = await well(undoBind(host, { change, guard: guard(9) }));
      expect(told).toEqual({
        [change.address]: 'not there any more, so only its files were put back',
        reboot: 'not needed',
      });
      expect(host.model.tree.text(rulePath(change.address))).toBeUndefined();
    }
  });

  it("says of the operator's driverctl that its file is left", async () => {
    host = deviceHost({ driverctl: true });
    const changes = [GPU, GPU_AUDIO].map((address) => bindChange(address, { by: 'driverctl' }));
    await well(applyBind(host, { changes, guard: guard(2) }));
    pullOut(GPU);
    const told = await well(undoBind(host, { change: changes[0]!, guard: guard(9) }));
    expect(told['driverctl']).toBe(`/etc/driverctl.d/pci-${GPU} holds vfio-pci still`);
  });

  it('holds where a file of the function was edited by somebody else', async () => {
    await withCard();
    pullOut(GPU);
    host.model.tree.put(rulePath(GPU), '# mine\n');
    const outcome = await undoBind(host, { change: GPU_CHANGES[0], guard: guard(9) });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'drift' });
  });

  it('puts the files of a PF back, and that is all', async () => {
    host = deviceHost();
    const change = vfsChange({});
    await well(applyVfs(host, { changes: [change], guard: guard(2) }));
    const gone = [...host.model.kernel.bus.functions.values()].filter(
      ({ address, physfn }) => address === PF || physfn?.address === PF,
    );
    pullOut(...gone.map(({ address }) => address));
    expect(await well(undoVfs(host, { change, guard: guard(9) }))).toEqual({
      [PF]: 'no function with VFs any more, so only its files were put back',
      reboot: 'not needed',
    });
    expect([rulePath(PF), scriptPath(PF)].map((path) => host.model.tree.text(path))).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('does not take a host of which no function could be read for one without them', async () => {
    await withCard();
    const read = host.read.bind(host);
    host.read = async (request) => {
      const snapshot = await read(request);
      const files = [...snapshot.files].filter(([path]) => !path.startsWith('/sys/bus/pci/'));
      return { ...snapshot, files: new Map(files), links: new Map() };
    };
    expect((await factsOf(host)).functions).toEqual([]);
    const [change] = GPU_CHANGES;
    expect(await undoBind(host, { change, guard: guard(9) })).toMatchObject({ code: 'bind.gone' });
    expect(await undoAttach(host, { change: attach, guard: guard(9) })).toMatchObject({
      code: 'guest.no-device',
    });
    expect(await undoVfs(host, { change: vfsChange({}), guard: guard(9) })).toMatchObject({
      code: 'vfs.gone',
    });
    expect(host.model.tree.text(rulePath(GPU))).toBeDefined();
  });
});
