import type { StepOutcome } from '../src/domain/activities.ts';
import type { CmdlineChange } from '../src/domain/changes.ts';
import { compact } from '../src/domain/compact.ts';
import { duration } from '../src/domain/duration.ts';
import { isAway } from '../src/domain/holds.ts';
import { look, poll, quick } from './activity-proxies.ts';
import { failureOf } from './failures.ts';
import type { HostRun } from './host-context.ts';

type Look = Awaited<ReturnType<typeof look.probeBoot>>;

/**
 * Tells the host to reboot out of the boot it was last seen in. When it was told before (a retry, or the undo of
 * a boot), a fresh look comes first: it may have booted meanwhile, by itself or by somebody's hand (law 8).
 */
export async function rebootStep(
  run: HostRun,
  how: { readonly trial: boolean; readonly again: boolean },
): Promise<StepOutcome> {
  if (how.again) {
    const seen = await lookAt(
      run,
      (run.state.rebootSent ? run.state.bootIdBefore : run.state.bootId) ?? '',
    );
    if (seen.kind === 'away') return { ...seen, kind: 'hold', evidence: {} };
    if (seen.kind === 'back' && run.state.rebootSent) {
      return { kind: 'ok', evidence: { reboot: 'has happened already' } };
    }
    if (seen.kind === 'back') run.set({ bootId: seen.bootId });
  }
  const bootIdBefore = run.state.bootId ?? '';
  run.set({ bootIdBefore, rebootSent: true });
  const outcome = await quick.reboot({ ...run.mutation(), bootIdBefore, trial: how.trial });
  // A hold here says that the host was not told; only a failure leaves that open.
  if (outcome.kind === 'hold') run.set({ rebootSent: false });
  return outcome;
}

/**
 * Waits until the host is back with another boot id, then reads which line it runs; without a change of the line there is
 * nothing to tell apart.
 */
export async function waitStep(
  run: HostRun,
  how: { readonly change?: CmdlineChange; readonly expect: 'trial' | 'before' },
): Promise<StepOutcome> {
  const seen = await awaitBoot(run);
  if (seen.kind === 'same-boot') {
    return {
      kind: 'hold',
      code: 'reboot.did-not-happen',
      sentence: `${run.input.connection.name} answers and still runs the boot it was told to leave.`,
      evidence: { bootId: run.state.bootIdBefore ?? '' },
    };
  }
  if (seen.kind === 'away') return noReturn(run, seen);
  const told = run.state.stepsAt.reboot;
  const rebootMs = told === undefined ? undefined : Date.now() - Date.parse(told);
  run.set({ bootId: seen.bootId, rebootSent: false, ...compact({ rebootMs }) });
  const { change, expect } = how;
  if (change === undefined) return { kind: 'ok', evidence: { bootId: seen.bootId } };
  return quick.verifyBoot({ ...run.onHost, change, expect, trialId: run.trialId });
}

/** Any end of the polling without an answer is followed by one fresh look: the worker may have been down, not the host. */
async function awaitBoot(run: HostRun): Promise<Look> {
  const bootIdBefore = run.state.bootIdBefore ?? '';
  try {
    const { awaitReboot } = poll(run.input.reboot.timeoutMs);
    return { kind: 'back', ...(await awaitReboot({ ...run.onHost, bootIdBefore })) };
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
    return lookAt(run, bootIdBefore);
  }
}

/** One look; a failure that may not pass by itself (a changed host key) is thrown on and held as what it is. */
async function lookAt(run: HostRun, bootIdBefore: string): Promise<Look> {
  try {
    return await look.probeBoot({ ...run.onHost, bootIdBefore });
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined || !isAway(failure.code)) throw error;
    return { kind: 'away', ...failure };
  }
}

function noReturn(run: HostRun, seen: Extract<Look, { kind: 'away' }>): StepOutcome {
  return {
    kind: 'hold',
    code: 'reboot.no-return',
    sentence: `${run.input.connection.name} was told to reboot and has not answered within ${duration(run.input.reboot.timeoutMs)}.`,
    evidence: { last: seen.code, seen: seen.sentence, bootIdBefore: run.state.bootIdBefore ?? '' },
  };
}
