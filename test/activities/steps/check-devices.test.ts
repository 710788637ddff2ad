import { afterEach, describe, expect, it } from 'vitest';
import { checkDevicesOnHost } from '../../../activities/steps/check-devices.ts';
import type { Change } from '../../../src/domain/changes.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { GPU_CHANGES, modulesChange, vfsChange } from '../../support/device-changes.ts';
import { deviceHost, well } from '../../support/device-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const check = (changes: readonly Change[]) =>
  checkDevicesOnHost(host, { target: NOTHING_ASKED, changes });

describe('checkDevicesOnHost', () => {
  it('finds the devices as planned, and changes nothing', async () => {
    host = deviceHost();
    expect(await well(check([...GPU_CHANGES, vfsChange({})]))).toEqual({
      devices: '3 as planned',
    });
    expect(host.model.log.changes()).toEqual([]);
  });

  it('does not read the devices of a plan that touches none', async () => {
    host = deviceHost();
    expect(await well(check([modulesChange()]))).toEqual({});
    expect(host.model.log.entries).toEqual([]);
  });

  it('holds before anything is touched where a group cannot go to a guest', async () => {
    host = deviceHost();
    expect(await check([GPU_CHANGES[0]])).toMatchObject({
      kind: 'hold',
      code: 'devices.group-not-viable',
    });
  });

  it('holds where this boot has no groups', async () => {
    host = deviceHost({ kernelArgs: ['intel_iommu=off'] });
    expect(await check(GPU_CHANGES)).toMatchObject({ kind: 'hold', code: 'bind.no-group' });
  });
});
