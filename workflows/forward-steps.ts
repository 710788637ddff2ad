import type { HostPlan } from '../src/domain/changes.ts';
import { compact } from '../src/domain/compact.ts';
import { isAway } from '../src/domain/holds.ts';
import type { HostRunResult, Step } from '../src/domain/host-run.ts';
import { quick, slow } from './activity-proxies.ts';
import { rebootStep, waitStep } from './boot-steps.ts';
import { guarded } from './failures.ts';
import type { HostRun, StepEnd } from './host-context.ts';
import { drainStep, finishRecord, runHook, undrainStep } from './service-steps.ts';
import { pushUndo } from './undo-stack.ts';

/** One step: `again` when this run was at it before, so that what it did then is looked at first. */
export type StepFunction = (run: HostRun, again: boolean) => Promise<StepEnd>;

const GO_ON: StepEnd = { kind: 'ok', evidence: {} };

/** The way forward, step by step; the order is that of STEPS. */
export const FORWARD: Readonly<Record<Step, StepFunction>> = {
  inspect: inspectStep,
  // The planner has blocked a host whose firmware is not ready; the step stands in the record for people.
  firmware: () => Promise.resolve({ kind: 'ok', evidence: { firmware: 'as planned' } }),
  drain: drainStep,
  cmdline: cmdlineStep,
  reboot: async (run, again) =>
    run.state.reboots === 0 ? GO_ON : rebootStep(run, { trial: true, again }),
  wait: async (run) => {
    const change = run.state.changes[0];
    if (run.state.reboots === 0 || change === undefined) return GO_ON;
    return waitStep(run, { change, expect: 'trial' });
  },
  iommu: iommuStep,
  health: (run) => runHook(run, 'health'),
  undrain: async (run) => {
    const undrained = await undrainStep(run);
    return undrained.kind === 'ok' ? ended(run, 'done') : undrained;
  },
};

/** Ends the run: closes the record and gives the lease up first, when it was taken. */
export async function ended(
  run: HostRun,
  state: HostRunResult['state'],
  why: { readonly code?: string; readonly sentence?: string } = {},
): Promise<StepEnd> {
  const finished = await finishRecord(run, state);
  return finished.kind === 'ok' ? { kind: 'end', result: { state, ...why } } : finished;
}

/** Reads and plans. A host that does not answer before anything was begun is only counted as unreachable. */
async function inspectStep(run: HostRun): Promise<StepEnd> {
  const { target, direction, rollout, lease, undoOf } = run.input;
  let plan: HostPlan | undefined;
  const end = await guarded(async () => {
    const what = { target, direction, rollout, lease, ...compact({ undoOf }) };
    plan = await quick.inspect({ ...run.onHost, ...what });
    return GO_ON;
  });
  if (plan !== undefined) return planned(run, plan);
  if (end.kind === 'hold' && run.state.leaseId === null && isAway(end.code)) {
    const { code, sentence } = end;
    return { kind: 'end', result: { state: 'unreachable', code, sentence } };
  }
  return end;
}

async function planned(run: HostRun, plan: HostPlan): Promise<StepEnd> {
  switch (plan.kind) {
    case 'compliant':
      run.saw('inspect', plan.evidence);
      return ended(run, 'compliant');
    case 'blocked':
      return ended(run, 'blocked', { code: plan.code, sentence: plan.sentence });
    case 'held':
      return { ...plan, kind: 'hold', evidence: {} };
    case 'changes':
      return takePlan(run, plan);
  }
}

function takePlan(run: HostRun, plan: Extract<HostPlan, { kind: 'changes' }>): StepEnd {
  const expected = run.state.acceptedDigest ?? run.input.expectedDigest;
  if (expected !== undefined && expected !== plan.digest) {
    return {
      kind: 'hold',
      code: 'plan.changed',
      sentence: `${run.input.connection.name} needs other changes than those that were planned.`,
      evidence: {
        digest: plan.digest,
        planned: expected,
        add: plan.changes.flatMap((change) => change.add).join(' '),
        drop: plan.changes.flatMap((change) => change.drop).join(' '),
      },
    };
  }
  run.set({ changes: plan.changes, reboots: plan.reboots, bootId: plan.bootId });
  const warnings = plan.warnings.length > 0 ? { warnings: plan.warnings.join('; ') } : {};
  return { kind: 'ok', evidence: { hardware: plan.hardware, bootId: plan.bootId, ...warnings } };
}

/** Registers the undo, then applies. The default stays the old line until the new one is proven (law 1). */
async function cmdlineStep(run: HostRun): Promise<StepEnd> {
  for (const change of run.state.changes) {
    pushUndo(run, change);
    const applied = await slow.applyCmdline({ ...run.mutation(), change, trialId: run.trialId });
    if (applied.kind === 'hold') return applied;
    run.saw('cmdline', applied.evidence);
  }
  return GO_ON;
}

/** Proves the IOMMU as asked; only then is the line that was on trial made the default. */
async function iommuStep(run: HostRun): Promise<StepEnd> {
  const proven = await quick.proveIommu({ ...run.onHost, target: run.input.target });
  if (proven.kind === 'hold') return proven;
  run.saw('iommu', proven.evidence);
  return makeDefaults(run);
}

async function makeDefaults(run: HostRun): Promise<StepEnd> {
  for (const change of run.state.changes) {
    const made = await slow.makeDefault({
      ...run.mutation(),
      change,
      rollout: run.input.rollout,
    });
    if (made.kind === 'hold') return made;
    run.saw('iommu', made.evidence);
  }
  return GO_ON;
}
