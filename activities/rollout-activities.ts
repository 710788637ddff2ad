import { Context } from '@temporalio/activity';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { HostVerb, RolloutActivities } from '../src/domain/activities.ts';
import type { HostReport, HostRunInput, HostRunResult } from '../src/domain/host-run.ts';
import { hostWorkflowId } from '../src/domain/ids.ts';
import type { HostStatus } from '../src/domain/status.ts';
import { HOST_WORKFLOW, hostStatusQuery, hostVerbUpdate } from '../workflows/messages.ts';
import { inParallel } from './in-parallel.ts';

/** What the rollout's activities act through. */
export interface RolloutActivityDependencies {
  readonly client: Client;
  /** Queue of the host runs. */
  readonly taskQueue: string;
}

/** How many calls to the engine at once: more only queue there (reference/temporal.md). */
const WIDTH = 16;
/** Longest time of one call to the engine, in milliseconds; queries and updates need a live worker. */
const CALL_MS = 10_000;

type Started = Awaited<ReturnType<RolloutActivities['startHosts']>>[number];
type Described = Awaited<ReturnType<RolloutActivities['describeHosts']>>[number];
type FannedOut = Awaited<ReturnType<RolloutActivities['fanOut']>>[number];

/** The activities of a rollout: calls to the engine about many hosts, each safe to repeat. */
export function createRolloutActivities(
  dependencies: RolloutActivityDependencies,
): RolloutActivities {
  const { client } = dependencies;
  return {
    startHosts: ({ rollout, hosts }) =>
      inParallel(WIDTH, hosts, (host) => startHost(dependencies, rollout, host)),
    describeHosts: ({ rollout, hosts }) =>
      inParallel(WIDTH, hosts, async ({ index, name, run }) => ({
        index,
        ...(await describeHost(client, { rollout, name, run })),
      })),
    fanOut: ({ ticket, verb, hosts }) =>
      inParallel(WIDTH, hosts, async ({ index, name }) => ({
        index,
        ...(await sendVerb(client, { ticket, verb, name })),
      })),
  };
}

/**
 * Starts one host's run. An attempt after the first looks first, since the one before may have started it, and it
 * may even have ended: starting it again would be a second run.
 */
async function startHost(
  { client, taskQueue }: RolloutActivityDependencies,
  rollout: string,
  input: HostRunInput,
): Promise<Started> {
  const { index, run } = input;
  const workflowId = hostWorkflowId(input.connection.name);
  if (Context.current().info.attempt > 1) {
    const known = await describe(client, workflowId);
    if (known !== undefined && isRun(known, rollout, run)) return { index, outcome: 'ours' };
  }
  try {
    await deadline(client, () =>
      client.workflow.start(HOST_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [input],
        memo: { rollout, run, who: input.who },
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      }),
    );
    return { index, outcome: 'started' };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const known = await describe(client, workflowId);
    if (known !== undefined && isRun(known, rollout, run)) return { index, outcome: 'ours' };
    return { index, outcome: 'busy', detail: holderOf(known) };
  }
}

function isRun(known: WorkflowExecutionDescription, rollout: string, run: number): boolean {
  return known.memo?.['rollout'] === rollout && known.memo['run'] === run;
}

function holderOf(known: WorkflowExecutionDescription | undefined): string {
  const word = (key: string) => {
    const value = known?.memo?.[key];
    return typeof value === 'string' ? value : 'somebody';
  };
  const since = known?.startTime.toISOString() ?? '';
  return `${word('rollout')} holds it, started by ${word('who')}, since ${since}`;
}

async function describeHost(
  client: Client,
  host: { readonly rollout: string; readonly name: string; readonly run: number },
): Promise<Omit<Described, 'index'>> {
  const workflowId = hostWorkflowId(host.name);
  const known = await describe(client, workflowId);
  if (known === undefined || !isRun(known, host.rollout, host.run)) return { status: 'gone' };
  const handle = client.workflow.getHandle(workflowId, known.runId);
  switch (known.status.name) {
    case 'RUNNING':
    case 'PAUSED':
      return { status: 'running', ...(await lastReport(client, workflowId)) };
    case 'COMPLETED': {
      const result = (await deadline(client, () => handle.result())) as HostRunResult;
      return { status: 'closed', result };
    }
    default:
      return { status: 'failed' };
  }
}

/** What the run told last, from a query; nothing when no worker answers. */
async function lastReport(
  client: Client,
  workflowId: string,
): Promise<{ readonly report?: HostReport }> {
  try {
    const handle = client.workflow.getHandle(workflowId);
    const status: HostStatus = await deadline(client, () => handle.query(hostStatusQuery));
    return status.run.lastReport === null ? {} : { report: status.run.lastReport };
  } catch {
    return {};
  }
}

async function sendVerb(
  client: Client,
  call: { readonly ticket: string; readonly verb: HostVerb; readonly name: string },
): Promise<Omit<FannedOut, 'index'>> {
  try {
    const handle = client.workflow.getHandle(hostWorkflowId(call.name));
    await deadline(client, () =>
      handle.executeUpdate(hostVerbUpdate, {
        args: [call.verb],
        updateId: `${call.ticket}/${call.name}`,
      }),
    );
    return {};
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      return { refused: error.cause?.message ?? error.message };
    }
    if (error instanceof WorkflowNotFoundError) return { refused: 'its run has ended meanwhile' };
    // Not confirmed is not refused: the update may still run, and the host then reports.
    return { unconfirmed: true };
  }
}

async function describe(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await deadline(client, () => client.workflow.getHandle(workflowId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function deadline<T>(client: Client, call: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + CALL_MS, call);
}
