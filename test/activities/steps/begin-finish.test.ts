import { afterEach, describe, expect, it } from 'vitest';
import { beginRun } from '../../../activities/steps/begin.ts';
import { finishRun } from '../../../activities/steps/finish.ts';
import { inspectForward, inspectRollback } from '../../../activities/steps/inspect.ts';
import { lastStandingRun, parseRecord } from '../../../src/facts/record.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard, LEASE, PASSTHROUGH, planned } from '../../support/step-run.ts';

const LEASE_FILE = '/var/lib/vfleet/lease';
const RECORD_FILE = '/var/lib/vfleet/record.json';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = () => (host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] }));
const text = (path: string): string | undefined => host.model.tree.text(path);
const other = { ...LEASE, id: 'sriov/hv1', rollout: 'sriov#2', who: 'eve' };

describe('beginRun', () => {
  it('writes the lease and then what was found, before anything else is changed', async () => {
    const { change } = await begun(make());
    expect(text(LEASE_FILE)).toMatch(/^id=enable-iommu\/hv1\n/);
    const run = lastStandingRun(parseRecord(text(RECORD_FILE))!);
    expect(run?.rollout).toBe('enable-iommu#1');
    expect(run?.changes).toEqual([change]);
    const paths = host.model.log.changes().map((entry) => entry.what);
    expect(paths).toEqual([LEASE_FILE, RECORD_FILE]);
  });

  it('is safe twice', async () => {
    const { plan } = await begun(make());
    const again = await beginRun(host, {
      guard: guard(1, 2),
      lease: LEASE,
      changes: plan.changes,
    });
    expect(again.kind).toBe('ok');
    expect(parseRecord(text(RECORD_FILE))?.runs).toHaveLength(1);
  });

  it('holds a busy host, naming rollout, person, engine and time, and writes nothing', async () => {
    const { plan } = await planned(make());
    await beginRun(host, {
      guard: { ...guard(1), lease: other.id },
      lease: other,
      changes: plan.changes,
    });
    const count = host.model.log.changes().length;
    const outcome = await beginRun(host, { guard: guard(1), lease: LEASE, changes: plan.changes });
    expect(outcome).toMatchObject({
      kind: 'hold',
      code: 'host.busy',
      sentence: 'sriov#2 of eve holds this host since 2026-11-22T17:00:00Z (engine test)',
    });
    expect(host.model.log.changes()).toHaveLength(count);
  });

  it('lets one of two that begin at once through', async () => {
    const { plan } = await planned(make());
    const outcomes = await Promise.all(
      [LEASE, other].map((lease) =>
        beginRun(host, { guard: { ...guard(1), lease: lease.id }, lease, changes: plan.changes }),
      ),
    );
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(['hold', 'ok']);
  });

  it('holds rather than overwrite a record that it cannot read', async () => {
    const { plan } = await planned(make());
    host.model.tree.put(RECORD_FILE, 'not json');
    const outcome = await beginRun(host, { guard: guard(1), lease: LEASE, changes: plan.changes });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'host.record-unreadable' });
    expect(text(RECORD_FILE)).toBe('not json');
  });
});

describe('finishRun', () => {
  it('closes the record and gives the lease up', async () => {
    await begun(make());
    const call = { rollout: LEASE.rollout, outcome: 'done' };
    expect((await finishRun(host, { ...call, guard: guard(2) })).kind).toBe('ok');
    expect(text(LEASE_FILE)).toBeUndefined();
    expect(parseRecord(text(RECORD_FILE))?.runs[0]?.outcome).toBe('done');
    expect((await finishRun(host, { ...call, guard: guard(2, 2) })).kind).toBe('ok');
  });

  it("leaves another rollout's lease alone", async () => {
    await begun(make());
    host.model.tree.put(LEASE_FILE, 'id=someone\n');
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    expect(text(LEASE_FILE)).toBe('id=someone\n');
  });
});

describe('inspect', () => {
  it('says busy before a host that someone else works on is planned for', async () => {
    const { plan } = await planned(make());
    await beginRun(host, {
      guard: { ...guard(1), lease: other.id },
      lease: other,
      changes: plan.changes,
    });
    const found = await inspectForward(host, PASSTHROUGH, LEASE.id);
    expect(found).toMatchObject({ kind: 'held', code: 'host.busy' });
  });

  it('finds for a rollback what the record says, and only of the same spec', async () => {
    const { change } = await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toMatchObject({
      kind: 'changes',
      changes: [change],
    });
    expect(await inspectRollback(host, 'sriov#1', LEASE.id)).toMatchObject({
      code: 'rollback.not-latest',
    });
  });

  it('finds nothing to take back twice', async () => {
    await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'rolled-back' });
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toMatchObject({
      kind: 'compliant',
    });
  });
});
