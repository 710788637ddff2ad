import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { rolloutWorkflowId } from '../domain/ids.ts';
import type { RolloutVerb, VerbAnswer } from '../domain/status.ts';
import { rolloutVerbUpdate } from '../../workflows/messages.ts';
import { DEADLINES, workersOf, type Engine } from './engine.ts';
import { CliError, sentenceOf } from './outcome.ts';
import { describeRollout, isNoAnswer, noWorker } from './rollouts.ts';

/**
 * Sends a verb as a Temporal update under the verb's own id, so that a repeat is the same verb. Throws a CliError:
 * `refused` with the workflow's reason; `no-engine` when no worker is there, or when the answer did not come in time.
 */
export async function sendVerb(
  engine: Engine,
  rollout: string,
  verb: RolloutVerb,
): Promise<VerbAnswer> {
  const { taskQueue } = await describeRollout(engine, rollout);
  const workers = await workersOf(engine, taskQueue);
  if (workers.alive === 0) throw await noWorker(engine, taskQueue, `${verb.verb} was not sent:`);
  try {
    return await engine.within(DEADLINES.verbMs, () =>
      engine.client.workflow
        .getHandle(rolloutWorkflowId(rollout))
        .executeUpdate(rolloutVerbUpdate, { args: [verb], updateId: verb.id }),
    );
  } catch (error) {
    throw verbError(error, rollout, verb);
  }
}

function verbError(error: unknown, rollout: string, verb: RolloutVerb): unknown {
  if (error instanceof WorkflowUpdateFailedError) {
    const reason = sentenceOf(error.cause ?? error);
    return new CliError(
      'refused',
      `${rollout} refused ${verb.verb}: ${reason}`,
      `vfleet status ${rollout}`,
      { code: 'verb.refused', cause: error },
    );
  }
  if (error instanceof WorkflowNotFoundError) {
    return new CliError('refused', `${rollout} has just ended.`, `vfleet status ${rollout}`, {
      code: 'rollout.ended',
      cause: error,
    });
  }
  const isLost = error instanceof CliError && error.code === 'engine.none';
  if (isLost || isNoAnswer(error)) {
    return new CliError(
      'no-engine',
      `${verb.verb} is not confirmed${isLost ? `: ${error.message}` : ` after ${DEADLINES.verbMs / 1000} s;`} it may still run.`,
      `repeat it with --id ${verb.id}: the same id never acts twice`,
      { code: 'verb.not-confirmed', cause: error },
    );
  }
  return error;
}
