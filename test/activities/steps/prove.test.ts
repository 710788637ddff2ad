import { afterEach, describe, expect, it } from 'vitest';
import { prove } from '../../../activities/steps/prove.ts';
import { inspectForward } from '../../../activities/steps/inspect.ts';
import type { Target } from '../../../src/domain/spec.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import { createMemoryHost, type MemoryHost } from '../../../src/simulator/memory-host.ts';
import { DEFAULT_DEVICES } from '../../../src/simulator/model/pci/default-devices.ts';
import { LEASE } from '../../support/step-run.ts';

const GPU: Target = {
  ...NOTHING_ASKED,
  iommu: 'enabled',
  devices: [
    {
      name: 'gpu',
      match: { id: '10de:2204' },
      guarded: 'refuse',
      functions: 'all',
      driver: 'vfio-pci',
      bind: 'override',
    },
  ],
};

let host: MemoryHost;
afterEach(() => host.model.dispose());

async function changesFor(target: Target) {
  const plan = await inspectForward(host, target, LEASE.id);
  if (plan.kind !== 'changes') throw new Error(JSON.stringify(plan));
  return plan.changes;
}

describe('the proof before a device is touched', () => {
  it('says what it saw of the IOMMU and of the devices', async () => {
    host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=on'] });
    const changes = await changesFor(GPU);
    const outcome = await prove(host, { target: GPU, changes });
    expect(outcome).toMatchObject({
      kind: 'ok',
      evidence: { units: 'dmar0', devices: '2 as planned' },
    });
    expect(host.model.log.changes()).toEqual([]);
  });

  it('holds when the IOMMU is not as asked, before it looks at a device', async () => {
    host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
    expect(await prove(host, { target: GPU, changes: [] })).toMatchObject({
      kind: 'hold',
      code: 'iommu.no-units',
    });
  });

  it('holds when the device is not where the plan saw it', async () => {
    host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=on'] });
    const changes = await changesFor(GPU);
    host.model.dispose();
    const others = DEFAULT_DEVICES.intel.filter(({ address }) => !address.startsWith('0000:65'));
    host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=on'], onlyDevices: others });
    const outcome = await prove(host, { target: GPU, changes });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'devices.moved' });
  });
});
