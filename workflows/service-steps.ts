import type { StepOutcome } from '../src/domain/activities.ts';
import type { HostRunResult } from '../src/domain/host-run.ts';
import { hookPatience, quick } from './activity-proxies.ts';
import type { HostRun } from './host-context.ts';

const NOTHING: StepOutcome = { kind: 'ok', evidence: {} };

/** Runs one of the spec's hooks; a phase without a hook is nothing to do. */
export async function runHook(
  run: HostRun,
  phase: 'drain' | 'undrain' | 'health',
): Promise<StepOutcome> {
  const hook = run.input.hooks[phase];
  if (hook === undefined) return NOTHING;
  return hookPatience(hook.timeoutMs).hook({
    ...run.mutation(),
    hook,
    phase,
    rollout: run.input.rollout,
  });
}

/** Takes the lease and writes the record: just before the first thing that changes the host. */
export async function beginOnce(run: HostRun): Promise<StepOutcome> {
  if (run.state.begun) return NOTHING;
  // Before the attempt: should it fail half-way, whoever leaves the hold has to look for the lease.
  run.set({ leaseId: run.input.lease });
  const outcome = await quick.begin({
    ...run.mutation(),
    rollout: run.input.rollout,
    direction: run.input.direction,
    who: run.input.who,
    changes: run.state.changes,
    since: new Date().toISOString(),
  });
  if (outcome.kind === 'ok') run.set({ begun: true });
  else if (outcome.code === 'host.busy') run.set({ leaseId: null });
  return outcome;
}

/** Makes room: the drain hook, or a look that no guest runs. A hook that failed half-way has drained all the same. */
export async function drainStep(run: HostRun): Promise<StepOutcome> {
  const begun = await beginOnce(run);
  if (begun.kind === 'hold') return begun;
  // Without a reboot no guest notices anything, so that none has to move (law 13).
  if (run.state.reboots === 0) return NOTHING;
  if (run.input.hooks.drain === undefined) return quick.checkGuests(run.onHost);
  run.set({ drained: true });
  return runHook(run, 'drain');
}

/** Brings the host back into service. */
export async function undrainStep(run: HostRun): Promise<StepOutcome> {
  const outcome = await runHook(run, 'undrain');
  if (outcome.kind === 'ok') run.set({ drained: false });
  return outcome;
}

/** Whether the run has its record, and begun none of its changes: then nothing of it stands in the way of others. */
function leavesNothing({ input, state }: HostRun): boolean {
  return (
    input.direction === 'forward' && input.run === 1 && !state.undoing && state.undo.length === 0
  );
}

/** Closes the record and gives the lease up, when there may be one: also one of an earlier run that was lost. */
export async function finishRecord(
  run: HostRun,
  outcome: HostRunResult['state'],
): Promise<StepOutcome> {
  if (run.state.leaseId === null && run.input.run === 1) return NOTHING;
  const recorded = outcome === 'skipped' && leavesNothing(run) ? 'unchanged' : outcome;
  const finished = await quick.finish({
    ...run.mutation(),
    rollout: run.input.rollout,
    outcome: recorded,
  });
  if (finished.kind === 'ok') run.set({ leaseId: null, begun: false });
  return finished;
}
