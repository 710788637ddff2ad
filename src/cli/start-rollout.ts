import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/data-converter-helpers.js';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import { rolloutId, rolloutWorkflowId } from '../domain/ids.ts';
import type { RolloutInput } from '../domain/status.ts';
import { dataConverter } from '../engine/data-converter.ts';
import { ROLLOUT_WORKFLOW } from '../../workflows/messages.ts';
import { DEADLINES, workersOf, type Engine } from './engine.ts';
import { CliError } from './outcome.ts';
import { describeRollout, newestNumber, noWorker } from './rollouts.ts';

/** Most numbers tried when others start rollouts of the same spec at the same time. */
const CLASHES_MAX = 20;

/**
 * Throws a CliError unless a rollout of this spec could be started now: a worker is there, and none of the spec is
 * under way. Called before the hosts are probed, so that nobody waits for nothing.
 */
export async function checkStartable(engine: Engine, name: string): Promise<void> {
  const workers = await workersOf(engine, engine.taskQueue);
  if (workers.alive === 0) throw await noWorker(engine, engine.taskQueue, 'Nothing was started:');
  const newest = await newestNumber(engine, name);
  if (newest > 0) await refuseWhileRunning(engine, rolloutId(name, newest));
}

async function refuseWhileRunning(engine: Engine, id: string): Promise<void> {
  const { status } = await describeRollout(engine, id);
  if (status.name !== 'RUNNING') return;
  throw new CliError(
    'refused',
    `${id} is under way; one rollout of a spec runs at a time.`,
    `vfleet status ${id}; end it with vfleet abort ${id}`,
    { code: 'rollout.under-way' },
  );
}

/** Starts the rollout workflow under the next free number and returns its id. Numbers are never used again. */
export async function startRollout(
  engine: Engine,
  input: Omit<RolloutInput, 'id'>,
): Promise<string> {
  const { name } = input.spec;
  let number = (await newestNumber(engine, name)) + 1;
  for (let attempt = 0; attempt < CLASHES_MAX; attempt += 1, number += 1) {
    const id = rolloutId(name, number);
    try {
      await engine.within(DEADLINES.startMs, () =>
        engine.client.workflow.start(ROLLOUT_WORKFLOW, {
          workflowId: rolloutWorkflowId(id),
          taskQueue: engine.taskQueue,
          args: [{ ...input, id }],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          memo: { who: input.who, hosts: input.hosts.length, direction: input.direction },
        }),
      );
      return id;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // Somebody was faster: their rollout runs, and ours must not run beside it.
      await refuseWhileRunning(engine, id);
    }
  }
  throw new CliError('failed', `No free number for ${name} was found.`, 'try again', {
    code: 'start.no-number',
  });
}

/** What a rollout was started with, from the first event of its newest run. */
export async function readStartInput(engine: Engine, id: string): Promise<RolloutInput> {
  const { history } = await engine.within(DEADLINES.queryMs, () =>
    engine.client.workflowService.getWorkflowExecutionHistory({
      namespace: engine.namespace,
      execution: { workflowId: rolloutWorkflowId(id) },
      maximumPageSize: 1,
    }),
  );
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const [input] = await decodeArrayFromPayloads(
    loadDataConverter(dataConverter),
    started?.input?.payloads,
  );
  if (input === undefined) {
    throw new CliError('failed', `The start of ${id} cannot be read from the engine.`, '', {
      code: 'rollout.unreadable',
    });
  }
  // startRollout and the workflow's own continue-as-new are the only ones that start this workflow.
  return input as RolloutInput;
}
