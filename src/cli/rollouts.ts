import {
  QueryNotRegisteredError,
  WorkflowNotFoundError,
  isGrpcServiceError,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { parseRolloutId, rolloutId, rolloutWorkflowId } from '../domain/ids.ts';
import type { RolloutStatus } from '../domain/status.ts';
import { ROLLOUT_WORKFLOW, rolloutStatusQuery } from '../../workflows/messages.ts';
import { DEADLINES, workersOf, type Engine } from './engine.ts';
import { EngineTimeout } from '../engine/connect.ts';
import { CliError } from './outcome.ts';

/** One rollout as the engine lists it, without asking its workflow. */
export interface ListedRollout {
  readonly id: string;
  readonly name: string;
  readonly number: number;
  /** Temporal's own word: `RUNNING`, `COMPLETED`, `TERMINATED`, ... */
  readonly engineStatus: string;
  readonly startedAt: Date;
  readonly closedAt?: Date;
}

/** Rollouts of one spec, or all, newest first; a rollout that continued as new is one entry. */
export async function listRollouts(
  engine: Engine,
  options: { readonly name?: string; readonly limit: number; readonly open?: boolean },
): Promise<readonly ListedRollout[]> {
  const prefix = rolloutWorkflowId(options.name === undefined ? '' : `${options.name}#`);
  const open = options.open === true ? " AND ExecutionStatus = 'Running'" : '';
  const query = `WorkflowType = '${ROLLOUT_WORKFLOW}' AND WorkflowId STARTS_WITH '${quoted(prefix)}'${open}`;
  const found = new Map<string, ListedRollout>();
  await engine.within(DEADLINES.listMs, async () => {
    for await (const info of engine.client.workflow.list({ query })) {
      const listed = listedOf(info);
      if (listed === undefined) continue;
      const known = found.get(listed.id);
      // Runs of one rollout come newest first; the oldest one says when it started.
      found.set(
        listed.id,
        known === undefined ? listed : { ...known, startedAt: listed.startedAt },
      );
      if (found.size > options.limit) break;
    }
  });
  return [...found.values()]
    .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || b.number - a.number)
    .slice(0, options.limit);
}

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}

function listedOf(info: WorkflowExecutionInfo): ListedRollout | undefined {
  const id = info.workflowId.slice(rolloutWorkflowId('').length);
  const parsed = parseRolloutId(id);
  if (parsed === undefined) return undefined;
  return {
    id,
    ...parsed,
    engineStatus: info.status.name,
    startedAt: info.startTime,
    ...(info.closeTime === undefined ? {} : { closedAt: info.closeTime }),
  };
}

/** The highest number that a rollout of this spec has; 0 when there is none. */
export async function newestNumber(engine: Engine, name: string): Promise<number> {
  const listed = await listRollouts(engine, { name, limit: 1000 });
  let newest = Math.max(0, ...listed.filter((one) => one.name === name).map((one) => one.number));
  // The list lags behind a little: a rollout that has just been started is found by asking for it.
  while (await exists(engine, rolloutId(name, newest + 1))) newest += 1;
  return newest;
}

async function exists(engine: Engine, id: string): Promise<boolean> {
  try {
    await describeRollout(engine, id);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** What the engine says of a rollout's workflow. Throws WorkflowNotFoundError. */
export function describeRollout(engine: Engine, id: string): Promise<WorkflowExecutionDescription> {
  return engine.within(DEADLINES.listMs, () =>
    engine.client.workflow.getHandle(rolloutWorkflowId(id)).describe(),
  );
}

/** A rollout's status, and whether it was read from its result, which needs no worker. */
export interface ReadStatus {
  readonly status: RolloutStatus;
  readonly from: 'query' | 'result';
}

/**
 * The status of one rollout. An ended one is read from its result; an open one is asked through a worker, and when none
 * answers a CliError says which queue has none since when.
 */
export async function readStatus(engine: Engine, id: string): Promise<ReadStatus> {
  const read = await askStatus(engine, id);
  await engine.remember?.(read.status);
  return read;
}

async function askStatus(engine: Engine, id: string): Promise<ReadStatus> {
  const info = await described(engine, id);
  const handle = engine.client.workflow.getHandle(rolloutWorkflowId(id));
  if (info.status.name === 'RUNNING') {
    const status = await askWorker(engine, info, () => handle.query(rolloutStatusQuery));
    return { status, from: 'query' };
  }
  if (info.status.name === 'COMPLETED') {
    const result: unknown = await engine.within(DEADLINES.queryMs, () => handle.result());
    // The workflow returns the same shape that its query answers (workflows/messages.ts).
    return { status: result as RolloutStatus, from: 'result' };
  }
  throw new CliError(
    'failed',
    `${id} was ended from outside vfleet: ${info.status.name.toLowerCase()} at ${info.closeTime?.toISOString() ?? 'an unknown time'}. Hosts that it worked on may still carry its lease.`,
    'see its hosts with `vfleet facts HOST`; start the spec again to bring them to the target',
    { code: 'rollout.ended-outside' },
  );
}

/** The error for an id with a number that the spec does not have. */
async function noSuchRollout(engine: Engine, id: string): Promise<CliError> {
  const name = parseRolloutId(id)?.name ?? id;
  const newest = await newestNumber(engine, name);
  return new CliError(
    'usage',
    `There is no rollout ${id} in engine ${engine.address}.`,
    newest > 0
      ? `the newest of ${name} is ${rolloutId(name, newest)}`
      : 'vfleet list shows what there is',
  );
}

async function described(engine: Engine, id: string): Promise<WorkflowExecutionDescription> {
  try {
    return await describeRollout(engine, id);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw await noSuchRollout(engine, id);
  }
}

/** Runs a call that only a worker can answer. Throws a CliError `no-engine` when none does in time. */
export async function askWorker<T>(
  engine: Engine,
  info: Pick<WorkflowExecutionInfo, 'taskQueue' | 'workflowId'>,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await engine.within(DEADLINES.queryMs, call);
  } catch (error) {
    if (error instanceof QueryNotRegisteredError || !isNoAnswer(error)) throw error;
    throw await noWorker(engine, info.taskQueue, `${info.workflowId} is open but`);
  }
}

/** Whether a call failed because nobody answered it, and not because of what was asked. */
export function isNoAnswer(error: unknown): boolean {
  if (error instanceof EngineTimeout) return true;
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  // The server's own words when no worker has polled for a while (FAILED_PRECONDITION), or when its patience ended.
  return isGrpcServiceError(cause) && /no poller|worker may be down|deadline/i.test(cause.message);
}

/** The error for a task queue that nobody serves. */
export async function noWorker(engine: Engine, queue: string, what: string): Promise<CliError> {
  const workers = await workersOf(engine, queue);
  const since =
    workers.lastSeen === undefined
      ? 'none was seen in the last minutes'
      : `the last one was seen ${workers.lastSeen.toISOString()}`;
  return new CliError(
    'no-engine',
    `${what} no worker answers on task queue ${queue} of engine ${engine.address}: ${since}.`,
    'start one on a machine that reaches the hosts: vfleet worker',
    { code: 'worker.none' },
  );
}
