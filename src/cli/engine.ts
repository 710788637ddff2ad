import { isGrpcServiceError, type Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { RolloutStatus } from '../domain/status.ts';
import { NoEngine, connectEngine, within } from '../engine/connect.ts';
import { temporalProfiles } from '../engine/temporal-profiles.ts';
import type { CommandContext } from './context.ts';
import { rememberNames } from './known-names.ts';
import { CliError } from './outcome.ts';

/** How long each kind of call may take, in milliseconds. No call to the engine is without one. */
export const DEADLINES = {
  listMs: 15_000,
  queryMs: 12_000,
  verbMs: 30_000,
  startMs: 30_000,
} as const;

/**
 * A worker's long poll lasts 60 s (Temporal's default), so a live worker was seen within that time and a little; the
 * server itself forgets pollers only after 5 minutes.
 */
const ALIVE_MS = 75_000;

/** A connection to an engine, for one command. */
export interface Engine {
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Runs calls with a common deadline in milliseconds. Throws `EngineTimeout`, or a CliError when nobody listens there. */
  readonly within: <T>(ms: number, calls: () => Promise<T>) => Promise<T>;
  /** Keeps the names of a rollout and its hosts for completions; absent for the demo's. */
  readonly remember?: (status: RolloutStatus) => Promise<void>;
  /** Looks for the engine again, wherever it is now; absent for one that somebody else connected to. */
  readonly reconnect?: () => Promise<Engine>;
  readonly close: () => Promise<void>;
}

/** Connects to the engine of TEMPORAL_ADDRESS, of a Temporal profile, or of `vfleet up`; else a CliError `no-engine`. */
export async function withEngine<T>(
  context: CommandContext,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine(context);
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

async function openEngine(context: CommandContext): Promise<Engine> {
  try {
    const { client, address, namespace, close } = await connectEngine();
    const engine = createEngine({ client, address, namespace, close }, context.config.taskQueue);
    return {
      ...engine,
      remember: (status) => rememberNames(context.config.stateFolder, status),
      reconnect: () => openEngine(context),
    };
  } catch (error) {
    if (!(error instanceof NoEngine)) throw error;
    context.log.debug({ err: error }, 'no engine');
    throw noEngine(error.message, error, error.next);
  }
}

/** A connection that somebody else made, e.g. the one of the demo's own engine. */
export function createEngine(
  connected: Pick<Engine, 'client' | 'address' | 'namespace' | 'close'>,
  taskQueue: string,
): Engine {
  return {
    ...connected,
    taskQueue,
    within: async (ms, calls) => {
      try {
        return await within(connected.client, ms, calls);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        throw noEngine(`Engine ${connected.address} does not answer any more.`, error);
      }
    },
  };
}

/** gRPC's own word for a server that cannot be reached, also as the cause of an error of the SDK. */
function isUnavailable(error: unknown): boolean {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  if (!isGrpcServiceError(cause)) return false;
  const code: number = cause.code;
  return code === UNAVAILABLE;
}

/** grpc.io: status code 14. */
const UNAVAILABLE = 14;

function noEngine(message: string, cause: unknown, next = nextWithout()): CliError {
  return new CliError('no-engine', message, next, { code: 'engine.none', cause });
}

/** What to do where no engine is named. */
function nextWithout(): string {
  const profiles = temporalProfiles();
  const choose =
    profiles.length === 0
      ? ''
      : `; or use one that is set up: TEMPORAL_PROFILE=${profiles[0] ?? ''} vfleet ... (profiles: ${profiles.join(', ')})`;
  return `run vfleet up for an engine on this machine${choose}; vfleet demo needs none`;
}

/** What workers poll a task queue. */
export interface Workers {
  readonly alive: number;
  readonly lastSeen?: Date;
}

/** Asks the engine who polls a queue for workflow tasks. */
export async function workersOf(engine: Engine, queue: string): Promise<Workers> {
  const answer = await engine.within(DEADLINES.listMs, () =>
    engine.client.workflowService.describeTaskQueue({
      namespace: engine.namespace,
      taskQueue: { name: queue },
      taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    }),
  );
  const seen = answer.pollers.flatMap(({ identity, lastAccessTime }) => {
    const seconds = lastAccessTime?.seconds;
    return seconds === undefined || seconds === null
      ? []
      : [{ identity: identity ?? '', at: Number(seconds) * 1000 }];
  });
  const alive = new Set(
    seen.filter(({ at }) => Date.now() - at < ALIVE_MS).map(({ identity }) => identity),
  );
  const last = Math.max(...seen.map(({ at }) => at));
  return { alive: alive.size, ...(Number.isFinite(last) ? { lastSeen: new Date(last) } : {}) };
}
