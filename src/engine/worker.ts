import {
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type Logger,
  type LogLevel,
  type LogMetadata,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Logger as Pino } from 'pino';
import type { EngineTarget } from './connect.ts';
import { dataConverter } from './data-converter.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** Steps wait for SSH, not for this machine's processor: a fixed number, not one from its load. */
const ACTIVITY_SLOTS = 200;
/** How long steps may go on after a shutdown was asked for, before they are told to stop. */
const GRACE_MS = 10_000;
/** After this `run()` rejects, so that a step that ignores its cancellation cannot keep the process. */
const FORCE_MS = 30_000;

export interface WorkerSetup {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** What `createActivities` returned. */
  readonly activities: object;
  /** Built code of the workflows; default: this checkout's own, from its cache. Tests may give another. */
  readonly bundle?: NonNullable<WorkerOptions['workflowBundle']>;
}

/**
 * A worker for rollouts and hosts, not yet running: call `run()`, and `shutdown()` to end it. It takes no signal
 * itself, since only its process knows what must end in which order.
 */
export async function createVfleetWorker(setup: WorkerSetup): Promise<Worker> {
  return Worker.create({
    connection: setup.connection,
    namespace: setup.namespace,
    taskQueue: setup.taskQueue,
    activities: setup.activities,
    workflowBundle: setup.bundle ?? (await workflowBundle()),
    dataConverter,
    maxConcurrentActivityTaskExecutions: ACTIVITY_SLOTS,
    workflowTaskPollerBehavior: { type: 'autoscaling', maximum: 20 },
    activityTaskPollerBehavior: { type: 'autoscaling', maximum: 40 },
    shutdownGraceTime: GRACE_MS,
    shutdownForceTime: FORCE_MS,
  });
}

/** The worker's own kind of connection to the engine of `resolveEngine`; close it after the worker has ended. */
export function connectWorker(target: EngineTarget): Promise<NativeConnection> {
  return NativeConnection.connect(target.connectionOptions);
}

/**
 * Sends the SDK's warnings and errors, TypeScript's and the native core's, to `log`. Only the first call in a process
 * counts, before any worker or native connection.
 */
export function installRuntime(log: Pino): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: pinoLogger(log.child({ name: 'temporal' }, { level: 'warn' })),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'WARN' }) },
    },
  });
}
/** The SDK's Runtime is one per process, too. */
let installed = false;

/** A host that is not back yet is asked again: that attempt failed as it should. */
function isPoll(meta: LogMetadata): boolean {
  const { error } = meta as { readonly error?: { readonly type?: unknown } | null };
  return error?.type === 'reboot.not-back-yet';
}

function pinoLogger(log: Pino): Logger {
  const put = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => {
    return (message: string, meta: LogMetadata = {}) =>
      log[isPoll(meta) ? 'debug' : level](meta, message);
  };
  const byLevel = {
    TRACE: put('trace'),
    DEBUG: put('debug'),
    INFO: put('info'),
    WARN: put('warn'),
    ERROR: put('error'),
  };
  return {
    log: (level: LogLevel, message: string, meta?: LogMetadata) => byLevel[level](message, meta),
    trace: byLevel.TRACE,
    debug: byLevel.DEBUG,
    info: byLevel.INFO,
    warn: byLevel.WARN,
    error: byLevel.ERROR,
  };
}
