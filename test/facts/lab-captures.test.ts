import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NOTHING_ASKED, type Target } from '../../src/domain/spec.ts';
import { loadCapture } from '../../src/facts/capture.ts';
import { makeHostPlan } from '../../src/facts/host-plan.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';

/** Captures that `vfleet capture` made of the lab's machines: Debian 12 under QEMU, Intel IOMMU, an AMD processor's name. */
const facts = async (name: string) =>
  parseFacts(
    await loadCapture(fileURLToPath(new URL(`../fixtures/captures/${name}`, import.meta.url))),
  );
const passthrough: Target = {
  ...NOTHING_ASKED,
  iommu: 'enabled',
  hostDma: 'passthrough',
  kernelArgs: { present: [], absent: ['intel_iommu=off'] },
};

describe('a capture of a real machine with its IOMMU off', () => {
  it('gives the facts as they stood there', async () => {
    expect(await facts('debian-12-iommu-off')).toMatchObject({
      os: { id: 'debian', versionId: '12' },
      cpu: { vendor: 'amd', virtualization: true },
      firmware: { dmar: true, ivrs: false },
      iommu: { units: [], groups: [] },
      root: true,
      kvm: true,
      qemu: true,
      crashKernel: false,
      bootLoader: { supported: true, dropInFolder: true, oneShot: { safe: true } },
    });
  });

  it('is planned by its ACPI table, not by its processor: Intel arguments', async () => {
    const plan = makeHostPlan(await facts('debian-12-iommu-off'), passthrough);
    expect(plan).toMatchObject({
      kind: 'changes',
      changes: [{ add: ['intel_iommu=on', 'iommu=pt'], drop: ['intel_iommu=off'] }],
    });
  });
});

describe('a capture of the same kind of machine after a rollout', () => {
  it('shows the IOMMU in use, every group as asked, and interrupts remapped', async () => {
    const { iommu } = await facts('debian-12-passthrough');
    expect(iommu.units).toEqual(['dmar0']);
    expect(iommu.groups).toHaveLength(11);
    expect(new Set(iommu.groups.map(({ type }) => type))).toEqual(new Set(['identity']));
    expect(iommu.interruptRemapping).toBe(true);
  });

  it('complies, and no longer when the target is translated DMA', async () => {
    const found = await facts('debian-12-passthrough');
    expect(makeHostPlan(found, passthrough).kind).toBe('compliant');
    const translated = makeHostPlan(found, { ...passthrough, hostDma: 'translated' });
    expect(translated).toMatchObject({ kind: 'changes', changes: [{ add: ['iommu=nopt'] }] });
  });
});
