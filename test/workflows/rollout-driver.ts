import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createRolloutActivities } from '../../activities/rollout-activities.ts';
import { rolloutWorkflowId } from '../../src/domain/ids.ts';
import type {
  RolloutInput,
  RolloutStatus,
  RolloutVerb,
  VerbAnswer,
} from '../../src/domain/status.ts';
import { ROLLOUT_WORKFLOW } from '../../workflows/messages.ts';
import type { rollout } from '../../workflows/rollout.ts';
import type { Ask } from '../domain/rollout/driver.ts';
import type { FakeWorld } from './fake-hosts.ts';

/** The whole set of activities: fake hosts, and the real calls to the engine. */
export function allActivities(client: Client, taskQueue: string, world: FakeWorld) {
  return { ...world.activities(), ...createRolloutActivities({ client, taskQueue }) };
}

/** A started rollout, spoken to as a person would. */
export class RolloutDriver {
  readonly handle: WorkflowHandle<typeof rollout>;
  #verbs = 0;

  constructor(handle: WorkflowHandle<typeof rollout>) {
    this.handle = handle;
  }

  static async start(
    env: TestWorkflowEnvironment,
    taskQueue: string,
    input: RolloutInput,
  ): Promise<RolloutDriver> {
    return new RolloutDriver(
      await env.client.workflow.start<typeof rollout>(ROLLOUT_WORKFLOW, {
        taskQueue,
        workflowId: rolloutWorkflowId(input.id),
        args: [input],
      }),
    );
  }

  status(): Promise<RolloutStatus> {
    return this.handle.query<RolloutStatus>('status');
  }

  /** Asks until the rollout is as wanted; fails with what it was last. */
  async until(
    env: TestWorkflowEnvironment,
    wanted: (status: RolloutStatus) => boolean,
  ): Promise<RolloutStatus> {
    let last: RolloutStatus | undefined;
    for (let asked = 0; asked < 1_200; asked++) {
      last = await this.status();
      if (wanted(last)) return last;
      await env.sleep(env.supportsTimeSkipping ? 10_000 : 50);
    }
    throw new Error(
      `it never came to that: ${last?.phase ?? ''} ${JSON.stringify(last?.counts)} ${last?.explanation ?? ''}`,
    );
  }

  phase(env: TestWorkflowEnvironment, phase: RolloutStatus['phase']): Promise<RolloutStatus> {
    return this.until(env, (status) => status.phase === phase);
  }

  verb(ask: Ask, id = `v${(this.#verbs += 1)}`): Promise<VerbAnswer> {
    const verb = { ...ask, id, who: 'ops1' } as RolloutVerb;
    return this.handle.executeUpdate<VerbAnswer, [RolloutVerb]>('verb', {
      args: [verb],
      updateId: id,
    });
  }

  /** The sentence with which a verb was refused. */
  async refusal(ask: Ask): Promise<string> {
    try {
      await this.verb(ask);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) return error.cause?.message ?? '';
      throw error;
    }
    throw new Error(`"${ask.verb}" was not refused`);
  }
}
