import { afterEach, describe, expect, it } from 'vitest';
import { beginRun } from '../../../activities/steps/begin.ts';
import { finishRun } from '../../../activities/steps/finish.ts';
import { inspectRollback } from '../../../activities/steps/inspect.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard, LEASE, planned } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

/** A host that enable-iommu#1 changed and left well. */
async function changedBefore(): Promise<void> {
  host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
  await begun(host);
  await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
}

describe('a rollback of one rollout', () => {
  it('takes back what that rollout changed', async () => {
    await changedBefore();
    const found = await inspectRollback(host, 'enable-iommu#1', LEASE.id, 'enable-iommu#1');
    expect(found).toMatchObject({ kind: 'changes', reboots: 1 });
  });

  it('leaves what an earlier rollout of the same spec changed, when its own run never came that far', async () => {
    await changedBefore();
    const found = await inspectRollback(host, 'enable-iommu#2', 'l2', 'enable-iommu#2');
    expect(found).toEqual({ kind: 'compliant', evidence: { record: 'nothing stands' } });
  });

  it('is held when a later rollout changed the host since', async () => {
    await changedBefore();
    const later = { ...LEASE, id: 'l2', rollout: 'enable-iommu#2' };
    const { plan } = await planned(host);
    const call = { guard: { ...guard(1), lease: 'l2' }, lease: later, changes: plan.changes };
    await beginRun(host, call);
    const found = await inspectRollback(host, 'enable-iommu#1', 'l2', 'enable-iommu#1');
    expect(found).toMatchObject({ kind: 'held', code: 'rollback.not-latest' });
  });
});
