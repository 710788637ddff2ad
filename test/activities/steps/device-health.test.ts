import { afterEach, describe, expect, it } from 'vitest';
import { applyBind } from '../../../activities/steps/bind.ts';
import { compareDeviceHealth, readDeviceHealth } from '../../../activities/steps/device-health.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { GPU, GPU_CHANGES, PF } from '../../support/device-changes.ts';
import { deviceHost, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const read = (...addresses: string[]) => readDeviceHealth(host, { addresses });

describe('readDeviceHealth', () => {
  it('reads counters, link and temperatures of the devices that it is asked for', async () => {
    host = deviceHost();
    expect(await read(PF)).toEqual([
      {
        address: PF,
        aer: { correctable: 0, nonfatal: 0, fatal: 0 },
        link: { speed: '16.0 GT/s', width: 16, maxSpeed: '16.0 GT/s', maxWidth: 16 },
        temperatures: [{ label: 'temp1', celsius: 52, limit: 105 }],
      },
    ]);
    expect(await read('0000:7f:00.0')).toEqual([]);
  });
});

describe('compareDeviceHealth', () => {
  it('finds devices as well as before', async () => {
    host = deviceHost();
    const readings = await read(GPU);
    await well(applyBind(host, { changes: GPU_CHANGES, guard: guard(2) }));
    expect(await well(compareDeviceHealth(host, { readings, rebooted: false }))).toEqual({
      devices: '1 as well as before',
    });
  });

  it('holds with both readings when a device reports errors that it did not report before', async () => {
    host = deviceHost();
    const readings = await read(GPU);
    host.model.faults.add({ kind: 'aer-errors', address: GPU, nonfatal: 2 });
    await well(applyBind(host, { changes: GPU_CHANGES, guard: guard(2) }));
    expect(await compareDeviceHealth(host, { readings, rebooted: false })).toMatchObject({
      kind: 'hold',
      code: 'health.device-worse',
      evidence: { worse: `${GPU}: nonfatal errors: 0 before, 2 now` },
    });
  });

  it('holds when a link came back slower after a reboot', async () => {
    host = deviceHost();
    const readings = await read(PF);
    host.model.faults.add({ kind: 'link-degraded', address: PF, speed: '2.5 GT/s PCIe', width: 4 });
    await host.model.powerCycle();
    const outcome = await compareDeviceHealth(host, { readings, rebooted: true });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'health.device-worse' });
    expect(outcome.evidence['worse']).toContain('link speed 16.0 GT/s before, 2.5 GT/s now');
    expect(outcome.evidence['worse']).toContain('link width x16 before, x4 now');
  });

  it('reads nothing for a plan that touches no device', async () => {
    host = deviceHost();
    expect(await well(compareDeviceHealth(host, { readings: [], rebooted: true }))).toEqual({});
    expect(host.model.log.entries).toEqual([]);
  });
});
