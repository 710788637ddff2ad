import { afterEach, describe, expect, it } from 'vitest';
import { applyBind, undoBind } from '../../../activities/steps/bind.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { bindChange, GPU, GPU_AUDIO } from '../../support/device-changes.ts';
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

const CHANGES = [bindChange(GPU, { by: 'driverctl' }), bindChange(GPU_AUDIO, { by: 'driverctl' })];

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = () => (host = deviceHost({ driverctl: true }));
const apply = () => applyBind(host, { changes: CHANGES, guard: guard(2) });

describe("a function that the operator's driverctl keeps", () => {
  it('is bound by driverctl, which keeps it over a reboot, and taken back by it', async () => {
    make();
    const before = withoutModules(leavesOf(host));
    await well(apply());
    const { driverctl } = await factsOf(host);
    expect(driverctl).toEqual({ [GPU]: 'vfio-pci', [GPU_AUDIO]: 'vfio-pci' });
    await host.model.powerCycle();
    await well(apply());
    for (const change of [...CHANGES].reverse()) {
      await well(undoBind(host, { change, guard: guard(9) }));
    }
    expect((await factsOf(host)).functions.find(({ address }) => address === GPU)).toMatchObject({
      driver: 'nouveau',
      override: null,
    });
    expect(
      Object.keys(differences(before, withoutModules(leavesOf(host)))).filter((path) =>
        /driverctl|rules|driver/.test(path),
      ),
    ).toEqual([]);
  });

  it('is as without a death, wherever apply dies', async () => {
    make();
    await diesAnywhere(
      () => Promise.resolve(deviceHost({ driverctl: true })),
      (port, attempt) => applyBind(port, { changes: CHANGES, guard: guard(2, attempt) }),
    );
  });

  it('is held when driverctl fails', async () => {
    make();
    host.model.programs.set('driverctl', {
      run: () => ({ code: 1, stdout: '', stderr: 'driverctl: failed to bind\n', changed: false }),
    });
    expect(await apply()).toMatchObject({
      kind: 'hold',
      code: 'bind.driverctl-failed',
      evidence: { stderr: 'driverctl: failed to bind' },
    });
  });
});
