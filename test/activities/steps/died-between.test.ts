import { afterEach, expect, it } from 'vitest';
import { debianChange } from '../../support/debian-change.ts';
import { beginRun } from '../../../activities/steps/begin.ts';
import { finishRun } from '../../../activities/steps/finish.ts';
import { applyModules } from '../../../activities/steps/modules.ts';
import { applyTrial, makeDefault, undoCmdline } from '../../../activities/steps/cmdline.ts';
import { inspectForward } from '../../../activities/steps/inspect.ts';
import { cmdlineOf } from '../../../src/domain/changes.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import type { HostRecord } from '../../../src/facts/record.ts';
import { lastStandingRun, parseRecord, withRun } from '../../../src/facts/record.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { bindChange, GPU } from '../../support/device-changes.ts';
import {
  begun,
  guard,
  LEASE,
  PASSTHROUGH,
  planned,
  rebooted,
  withTrial,
} from '../../support/step-run.ts';

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
  host.model.tree.put(DROP_IN, debianChange(change).dropIn.after);
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
  expect(debianChange(change).dropIn.before).toBeNull();
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
  const change = debianChange((await planned(host)).change);
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

/** A run that died after its proof: the new line runs, and is the default. */
async function diedAfterMakeDefault() {
  host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
  const { plan, change } = await withTrial(host);
  await rebooted(host, { bootIdBefore: plan.bootId, trial: true, seq: 3 });
  const made = await makeDefault(host, { change, guard: guard(4) });
  expect(made).toMatchObject({ kind: 'ok' });
  return change;
}

const recordNow = (): HostRecord => parseRecord(text('/var/lib/vfleet/record.json'))!;

it('takes its own new line along when that is the default already, without a second reboot', async () => {
  const change = await diedAfterMakeDefault();
  const undo = text('/var/lib/vfleet/UNDO.txt');
  const again = await inspectForward(host, PASSTHROUGH, LEASE.id);
  expect(again).toMatchObject({ kind: 'changes', changes: [change], reboots: 0 });
  if (again.kind !== 'changes') return;
  await beginRun(host, { guard: guard(1_001), lease: LEASE, changes: again.changes });
  expect(recordNow().runs.map(({ changes }) => changes)).toEqual([[change]]);
  expect(text('/var/lib/vfleet/UNDO.txt')).toBe(undo);
  const applied = await applyTrial(host, { change, guard: guard(1_002), trialId: 't2' });
  expect(applied).toMatchObject({ kind: 'ok', evidence: { cmdline: 'already the default' } });
  expect(await makeDefault(host, { change, guard: guard(1_003) })).toMatchObject({ kind: 'ok' });
});

it('comes to the plan of the first run again, so that nobody is asked about another one', async () => {
  host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
  const modules = { ...NOTHING_ASKED.modules, load: ['vfio-pci'], disableIdleD3: true };
  const target = { ...PASSTHROUGH, modules };
  const { plan } = await withTrial(host, target);
  const changes = plan.changes.filter((change) => change.kind === 'modules');
  expect(changes).toHaveLength(1);
  await applyModules(host, { changes, guard: guard(3) });
  const unbooted = await inspectForward(host, target, LEASE.id);
  expect(unbooted).toMatchObject({ reboots: 1, digest: plan.digest });
  await rebooted(host, { bootIdBefore: plan.bootId, trial: true, seq: 4 });
  await makeDefault(host, { change: cmdlineOf(plan.changes)!, guard: guard(5) });
  const again = await inspectForward(host, target, LEASE.id);
  expect(again).toMatchObject({ changes: plan.changes, reboots: 0, digest: plan.digest });
});

it('keeps one entry of a run that goes on with more than the first one had begun', async () => {
  const change = await diedAfterMakeDefault();
  const changes = [change, bindChange(GPU)];
  await beginRun(host, { guard: guard(1_001), lease: LEASE, changes });
  expect(recordNow().runs.map((run) => run.changes)).toEqual([changes]);
  const outcome = 'rolled-back';
  const end = { guard: guard(1_009), rollout: LEASE.rollout, outcome };
  expect(await finishRun(host, end)).toEqual({
    kind: 'ok',
    evidence: { lease: 'given up', outcome },
  });
  expect(lastStandingRun(recordNow())).toBeUndefined();
});

it('tells that an earlier run of the rollout stands when only the newer one was rolled back', async () => {
  const change = await diedAfterMakeDefault();
  await beginRun(host, { guard: guard(1_001), lease: LEASE, changes: [bindChange(GPU)] });
  expect(recordNow().runs).toHaveLength(2);
  const end = { guard: guard(1_009), rollout: LEASE.rollout, outcome: 'rolled-back' };
  const finished = await finishRun(host, end);
  expect(finished).toMatchObject({
    kind: 'ok',
    evidence: { standing: expect.any(String) as string },
  });
  expect(lastStandingRun(recordNow())?.changes).toEqual([change]);
  expect(text('/var/lib/vfleet/UNDO.txt')).toBeDefined();
});
