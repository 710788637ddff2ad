import { CancellationScope, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import type { HostVerb } from '../src/domain/activities.ts';
import type { ChangeKind } from '../src/domain/changes.ts';
import { cmdlineOf } from '../src/domain/changes.ts';
import { isAway } from '../src/domain/holds.ts';
import type { HostExit, HostRunInput, HostRunResult, Step } from '../src/domain/host-run.ts';
import { STEPS } from '../src/domain/host-run.ts';
import { guarded } from './failures.ts';
import { FORWARD } from './forward-steps.ts';
import { HostRun } from './host-context.ts';
import type { StepEnd } from './host-context.ts';
import { hostStatusQuery, hostVerbUpdate } from './messages.ts';
import { finishRecord } from './service-steps.ts';
import { UNDO, UNDO_STEPS, startUndo } from './undo-stack.ts';

/** History at which a run continues as new at its next quiet moment, should the engine not have asked before. */
const EVENTS_MAX = 1_000;
/** Steps whose begin the rollout is told: the others show within them, and each report costs five events. */
function isReported(run: HostRun, step: Step): boolean {
  const { changes, reboots, undoReboot } = run.state;
  switch (step) {
    case 'drain':
      // A hook can take half an hour.
      return run.input.hooks.drain !== undefined && reboots > 0;
    case 'cmdline':
      return cmdlineOf(changes) !== undefined;
    case 'modules':
      return cmdlineOf(changes) === undefined && changes.some(({ kind }) => kind === 'modules');
    case 'reboot':
      return reboots > 0 || undoReboot;
    case 'iommu':
      return true;
    case 'vfs':
      return changes.some((change) => DEVICE_CHANGES.has(change.kind));
    default:
      return false;
  }
}

const DEVICE_CHANGES: ReadonlySet<ChangeKind> = new Set<ChangeKind>(['vfs', 'bind', 'attach']);

/**
 * One host's run: forward step by step, held when a person is needed, and back again when asked. Temporal's Cancel
 * holds it before its next step and undoes nothing; Terminate leaves the host's lease where it is.
 */
export async function hostRun(input: HostRunInput): Promise<HostRunResult> {
  const run = new HostRun(input);
  setHandler(hostStatusQuery, () => run.status());
  setHandler(hostVerbUpdate, (verb) => run.take(verb), {
    validator: (verb: HostVerb) => {
      run.refuse(verb);
    },
  });
  CancellationScope.current().cancelRequested.catch(() => {
    run.cancelRequested = true;
  });
  return CancellationScope.nonCancellable(() => drive(run));
}

async function drive(run: HostRun): Promise<HostRunResult> {
  for (;;) {
    if (run.state.hold === null) {
      const end = await walk(run);
      if (end.kind === 'end') return close(run, end.result);
      if (end.kind === 'hold') holdOrUndo(run, end);
    }
    const { hold } = run.state;
    if (hold === null) continue;
    await continueWhenLong(run);
    const result = await leaveHold(run, await run.chosenExit());
    if (result !== undefined) return close(run, result);
  }
}

/** Walks from the state's step to the end, or to the first step that does not let it go on. */
async function walk(run: HostRun): Promise<StepEnd> {
  for (;;) {
    await run.mayDisrupt(run.state.step);
    if (run.cancelRequested) return cancelled(run);
    const { step, undoing } = run.state;
    const again = run.state.stepsAt[step] !== undefined;
    run.enter(step);
    if (isReported(run, step)) run.report('running');
    const end = await guarded(() => (undoing ? UNDO : FORWARD)[step](run, again));
    if (end.kind !== 'ok') return end;
    run.saw(step, end.evidence);
    goOn(run, step);
    await continueWhenLong(run);
  }
}

/** A rollback of its own direction turns round after the drain: what the record says is then its undo stack. */
function goOn(run: HostRun, step: Step): void {
  if (!run.state.undoing && run.input.direction === 'rollback' && step === 'drain') {
    run.set({ undo: run.state.changes.map((change) => ({ change })) });
    startUndo(run);
    return;
  }
  const order: readonly Step[] = run.state.undoing ? UNDO_STEPS : STEPS;
  run.set({ step: order[order.indexOf(step) + 1] ?? step });
}

function cancelled(run: HostRun): StepEnd {
  run.cancelRequested = false;
  return {
    kind: 'hold',
    code: 'run.cancelled',
    sentence: `${run.input.connection.name} was stopped before ${run.state.step}; nothing was taken back.`,
    evidence: {},
  };
}

/** The spec may want failed hosts back as they were; not one that does not answer, nor one that was stopped by hand. */
function holdOrUndo(run: HostRun, why: Extract<StepEnd, { kind: 'hold' }>): void {
  run.hold(why);
  const { undoing, begun } = run.state;
  const undo = run.input.onHostFailure === 'rollback' && !undoing && begun;
  if (undo && !isAway(why.code) && why.code !== 'run.cancelled') startUndo(run);
  else run.report('held', why.code);
}

/** Leaves the hold as a person chose; a result when that ends the run. */
async function leaveHold(
  run: HostRun,
  exit: HostExit,
): Promise<Pick<HostRunResult, 'state'> | undefined> {
  const { hold } = run.state;
  // Whoever leaves the hold wants the run to go on, also when it was cancelled meanwhile.
  run.cancelRequested = false;
  switch (exit.verb) {
    case 'skip':
      return skip(run);
    case 'rollback':
      startUndo(run);
      break;
    case 'retry': {
      const digest = hold?.code === 'plan.changed' ? hold.evidence['digest'] : undefined;
      run.set({
        hold: null,
        step: exit.at ?? run.state.step,
        // Who asks for this host after a pause --now wants this host to go on.
        stopAsked: false,
        ...(digest === undefined ? {} : { acceptedDigest: digest }),
      });
    }
  }
  run.report('running');
  return undefined;
}

/** Leaves the host as it stands. A lease that cannot be given up now is told, since the host is then busy for others. */
async function skip(run: HostRun): Promise<Pick<HostRunResult, 'state'>> {
  const finished = await guarded(() => finishRecord(run, 'skipped'));
  if (finished.kind === 'hold') {
    run.set({
      undoFailures: [...run.state.undoFailures, `lease not given up: ${finished.sentence}`],
    });
  }
  return { state: 'skipped', ...(run.state.reason ?? {}) };
}

async function close(
  run: HostRun,
  end: Pick<HostRunResult, 'state'> & Partial<HostRunResult>,
): Promise<HostRunResult> {
  const { evidence, undoFailures } = run.state;
  const result: HostRunResult = { ...end, evidence, undoFailures };
  run.ended = result;
  run.set({ hold: null });
  run.report(result.state, result.code);
  await run.quiet();
  return result;
}

/** Continues as new between steps and in a hold, with everything the run needs in its input. */
async function continueWhenLong(run: HostRun): Promise<void> {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if (!continueAsNewSuggested && historyLength < EVENTS_MAX) return;
  await run.quiet();
  // A verb or a cancel that arrived meanwhile lives in this run only: it is looked at first.
  if (run.isBusy) return;
  await continueAsNew<typeof hostRun>({ ...run.input, resume: run.state });
}
