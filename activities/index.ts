import type { Client } from '@temporalio/client';
import type { Activities } from '../src/domain/activities.ts';
import type { HostActivityDependencies } from './host-activities.ts';
import { createHostActivities } from './host-activities.ts';
import { createRolloutActivities } from './rollout-activities.ts';

export interface ActivityDependencies extends HostActivityDependencies {
  /** Client of the engine that the worker works for: a rollout starts and tells its hosts through it. */
  readonly client: Client;
  readonly taskQueue: string;
}

/** All activities of a worker, from what its composition root gives. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  return {
    ...createHostActivities(dependencies),
    ...createRolloutActivities(dependencies),
  };
}
