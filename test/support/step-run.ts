import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { cmdlineOf, type CmdlineChange, type HostPlan } from '../../src/domain/changes.ts';
import type { StepOutcome } from '../../src/domain/activities.ts';
import { NOTHING_ASKED, type Target } from '../../src/domain/spec.ts';
import type { Guard } from '../../src/host/port.ts';
import type { MemoryHost } from '../../src/simulator/memory-host.ts';
import { beginRun } from '../../activities/steps/begin.ts';
import { applyTrial } from '../../activities/steps/cmdline.ts';
import { inspectForward } from '../../activities/steps/inspect.ts';
import { rebootHost } from '../../activities/steps/reboot.ts';
import { lookForBoot } from '../../activities/steps/wait.ts';

/** The target of most tests. */
export const PASSTHROUGH: Target = {
  ...NOTHING_ASKED,
  iommu: 'enabled',
  hostDma: 'passthrough',
  kernelArgs: { present: [], absent: ['intel_iommu=off'] },
};

export const LEASE = {
  id: 'enable-iommu/hv1',
  rollout: 'enable-iommu#1',
  engine: 'test',
  who: 'ops@desk',
  since: '2026-11-22T17:00:00Z',
};

/** A guard of the run under test. */
export const guard = (seq: number, attempt = 1): Guard => ({ lease: LEASE.id, seq, attempt });

/** The plan of a host that must need changes. */
export async function planned(
  host: MemoryHost,
  target: Target = PASSTHROUGH,
): Promise<{ plan: Extract<HostPlan, { kind: 'changes' }>; change: CmdlineChange }> {
  const plan = await inspectForward(host, target, LEASE.id);
  if (plan.kind !== 'changes') throw new Error(`expected changes: ${JSON.stringify(plan)}`);
  const change = cmdlineOf(plan.changes);
  if (change === undefined) throw new Error('the plan changes no kernel line');
  return { plan, change };
}

/** Plans, takes the lease and writes the record: where every mutation starts. */
export async function begun(host: MemoryHost, target?: Target) {
  const { plan, change } = await planned(host, target);
  await beginRun(host, { guard: guard(1), lease: LEASE, changes: plan.changes });
  return { plan, change };
}

/** The host up to its trial entry. */
export async function withTrial(host: MemoryHost, target?: Target) {
  const start = await begun(host, target);
  const outcome = await applyTrial(host, { change: start.change, guard: guard(2), trialId: 't1' });
  if (outcome.kind !== 'ok') throw new Error(outcome.sentence);
  return start;
}

/** The host booted, on trial or plainly; resolves when it answers with a new boot id. */
export async function rebooted(
  host: MemoryHost,
  call: { readonly bootIdBefore: string; readonly trial: boolean; readonly seq: number },
): Promise<StepOutcome> {
  const outcome = await rebootHost(host, { ...call, guard: guard(call.seq) });
  if (outcome.kind === 'ok') await back(host, call.bootIdBefore);
  return outcome;
}

async function back(host: MemoryHost, bootIdBefore: string): Promise<void> {
  const until = Date.now() + HOST_DEADLINE_MS.look;
  while ((await lookForBoot(host, bootIdBefore)).kind !== 'back') {
    if (Date.now() > until) throw new Error('the model host did not come back');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
