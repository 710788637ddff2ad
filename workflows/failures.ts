import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { StepEnd } from './host-context.ts';

/** What a failed activity means for the host: its code and sentence; `undefined` for anything else, which is rethrown. */
export function failureOf(
  error: unknown,
): { readonly code: string; readonly sentence: string } | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  if (error.cause instanceof ApplicationFailure) {
    return { code: error.cause.type ?? 'vfleet.bug', sentence: error.cause.message };
  }
  if (error.cause instanceof TimeoutFailure) {
    return {
      code: 'host.outcome-unknown',
      sentence: `${error.activityType} did not end in time, so what it did is unknown`,
    };
  }
  return undefined;
}

/** Runs a step; an activity that failed for good becomes a hold. */
export async function guarded(step: () => Promise<StepEnd>): Promise<StepEnd> {
  try {
    return await step();
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { kind: 'hold', ...failure, evidence: {} };
  }
}
