import type { DeviceStep } from '../src/domain/activities.ts';
import type { Change, HostPlan } from '../src/domain/changes.ts';
import { cmdlineOf } from '../src/domain/changes.ts';
import { compact } from '../src/domain/compact.ts';
import { isAway } from '../src/domain/holds.ts';
import type { HostRunResult, Step } from '../src/domain/host-run.ts';
import { STEP_OF_CHANGE } from '../src/domain/host-run.ts';
import { lengthy, quick, slow } from './activity-proxies.ts';
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
  modules: (run) => deviceStep(run, 'modules'),
  reboot: async (run, again) => {
    const trial = cmdlineOf(run.state.changes) !== undefined;
    return run.state.reboots === 0 ? GO_ON : rebootStep(run, { trial, again });
  },
  wait: async (run) => {
    const change = cmdlineOf(run.state.changes);
    return run.state.reboots === 0
      ? GO_ON
      : waitStep(run, { ...compact({ change }), expect: 'trial' });
  },
  iommu: iommuStep,
  vfs: (run) => deviceStep(run, 'vfs'),
  bind: (run) => deviceStep(run, 'bind'),
  attach: (run) => deviceStep(run, 'attach'),
  health: healthStep,
  undrain: async (run) => {
    // A run that reboots nothing has moved no guest away.
    const undrained = run.state.reboots === 0 ? GO_ON : await undrainStep(run);
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
        add: cmdlineOf(plan.changes)?.add.join(' ') ?? '',
        drop: cmdlineOf(plan.changes)?.drop.join(' ') ?? '',
        kinds: plan.changes.map((change) => change.kind).join(' '),
      },
    };
  }
  const { changes, reboots, bootId, readings } = plan;
  run.set({ changes, reboots, bootId, ...compact({ readings }) });
  const warnings = plan.warnings.length > 0 ? { warnings: plan.warnings.join('; ') } : {};
  return { kind: 'ok', evidence: { hardware: plan.hardware, bootId: plan.bootId, ...warnings } };
}

/** Registers the undo, then applies. The default stays the old line until the new one is proven (law 1). */
async function cmdlineStep(run: HostRun): Promise<StepEnd> {
  const change = cmdlineOf(run.state.changes);
  if (change === undefined) return GO_ON;
  pushUndo(run, [change]);
  return slow.applyCmdline({ ...run.mutation(), change, trialId: run.trialId });
}

/** Registers the undo of all changes of a step, then applies them; a step without changes asks the host nothing. */
async function deviceStep(run: HostRun, step: DeviceStep): Promise<StepEnd> {
  const changes = changesOf(run, step);
  if (changes.length === 0) return GO_ON;
  pushUndo(run, changes);
  const willReboot = step === 'modules' && run.state.reboots > 0;
  const { allow } = run.input.target;
  return lengthy.applyDevices({ ...run.mutation(), step, changes, willReboot, allow });
}

function changesOf(run: HostRun, step: Step): readonly Change[] {
  return run.state.changes.filter((change) => STEP_OF_CHANGE[change.kind] === step);
}

/** The devices first, since the operator's own check may take minutes. */
async function healthStep(run: HostRun): Promise<StepEnd> {
  const { readings = [], reboots } = run.state;
  if (readings.length > 0) {
    const compared = await quick.deviceHealth({ ...run.onHost, readings, rebooted: reboots > 0 });
    if (compared.kind === 'hold') return compared;
    run.saw('health', compared.evidence);
  }
  return runHook(run, 'health');
}

/** Proves the IOMMU as asked; only then is the line that was on trial made the default. */
async function iommuStep(run: HostRun): Promise<StepEnd> {
  const { changes } = run.state;
  const proven = await quick.proveIommu({ ...run.onHost, target: run.input.target, changes });
  if (proven.kind === 'hold') return proven;
  run.saw('iommu', proven.evidence);
  const change = cmdlineOf(changes);
  if (change === undefined) return GO_ON;
  return slow.makeDefault({ ...run.mutation(), change, rollout: run.input.rollout });
}
