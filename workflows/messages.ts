import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { HostVerb } from '../src/domain/activities.ts';
import type { HostReport } from '../src/domain/host-run.ts';
import type { HostStatus, RolloutStatus, RolloutVerb, VerbAnswer } from '../src/domain/status.ts';

/** Names of the workflow functions in index.ts, as the client starts them. */
export const ROLLOUT_WORKFLOW = 'rollout';
export const HOST_WORKFLOW = 'hostRun';

/** Host to rollout: a state change. */
export const hostReportSignal = defineSignal<[HostReport]>('hostReport');

/** Person to rollout: one verb, for the rollout or for many of its hosts. Refused by validator with what to do instead. */
export const rolloutVerbUpdate = defineUpdate<VerbAnswer, [RolloutVerb]>('verb');
/** The whole rollout in one call; the workflow's result is the same shape when it has ended. */
export const rolloutStatusQuery = defineQuery<RolloutStatus>('status');

/** Rollout (through an activity) to a held host: leave the hold. */
export const hostVerbUpdate = defineUpdate<{ readonly next: string }, [HostVerb]>('hostVerb');
export const hostStatusQuery = defineQuery<HostStatus>('hostStatus');
