import { afterEach, expect, it } from 'vitest';
import { beginRun } from '../../../activities/steps/begin.ts';
import { applyTrial, undoCmdline } from '../../../activities/steps/cmdline.ts';
import { inspectForward } from '../../../activities/steps/inspect.ts';
import type { HostRecord } from '../../../src/facts/record.ts';
import { lastStandingRun, parseRecord, withRun } from '../../../src/facts/record.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard, LEASE, PASSTHROUGH, planned } from '../../support/step-run.ts';

const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const text = (path: string): string | undefined => host.model.tree.text(path);

/** A run that wrote the drop-in and died before update-grub; then the host booted its old line. */
async function diedBeforeUpdateGrub() {
  host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
  const { change } = await begun(host);
  host.model.tree.mkdir('/etc/default/grub.d');
  host.model.tree.put(DROP_IN, change.dropIn.after);
  return change;
}

it('plans from the state before the first of its runs, not from what that one left half-way', async () => {
  const change = await diedBeforeUpdateGrub();
  const again = await inspectForward(host, PASSTHROUGH, LEASE.id);
  expect(again).toMatchObject({ kind: 'changes', changes: [change] });
  if (again.kind !== 'changes') return;
  await beginRun(host, { guard: guard(1_001), lease: LEASE, changes: again.changes });
  const record = parseRecord(text('/var/lib/vfleet/record.json'))!;
  expect(record.runs).toHaveLength(1);
  expect(lastStandingRun(record)?.changes).toEqual([change]);
  expect(change.dropIn.before).toBeNull();
});

it('takes the unproven drop-in away before the line is tried, and undoes all of it', async () => {
  const change = await diedBeforeUpdateGrub();
  const grubCfg = text('/boot/grub/grub.cfg');
  const applied = await applyTrial(host, { change, guard: guard(1_002), trialId: 't2' });
  expect(applied).toMatchObject({ kind: 'ok', evidence: { default: 'unchanged' } });
  expect(text(DROP_IN)).toBeUndefined();
  expect(await undoCmdline(host, { change, guard: guard(1_003) })).toMatchObject({ kind: 'ok' });
  expect(text(DROP_IN)).toBeUndefined();
  expect(text('/boot/grub/grub.cfg')).toBe(grubCfg);
});

it('does not look behind the drop-in of another lease', async () => {
  await diedBeforeUpdateGrub();
  const found = await inspectForward(host, PASSTHROUGH, 'another/hv1');
  expect(found).toMatchObject({ kind: 'held', code: 'host.busy' });
});

it('keeps the state before of an open run when the next one found another', async () => {
  host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
  const { change } = await planned(host);
  const run = { rollout: LEASE.rollout, who: LEASE.who, since: LEASE.since };
  const other = { ...change, dropIn: { before: change.dropIn.after, after: 'x' } };
  const empty: HostRecord = { version: 1, runs: [] };
  const first = withRun(empty, { ...run, changes: [change] });
  expect(withRun(first, { ...run, changes: [change] }).runs).toHaveLength(1);
  expect(withRun(first, { ...run, changes: [other] }).runs.map((one) => one.changes)).toEqual([
    [change],
    [other],
  ]);
});
