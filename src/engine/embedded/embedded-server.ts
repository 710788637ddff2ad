import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { lockDatabase, type DatabaseLock } from './database-lock.ts';
import { freePort } from './free-port.ts';
import { startGuarded, type GuardedProcess } from './guarded-process.ts';

const PORT_ATTEMPTS = 5;
const DEFAULT_START_MS = 60_000;
const DEFAULT_RETENTION_DAYS = 90;

/** Types of search attributes as the server's command line names them. */
export type AttributeType =
  'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface EmbeddedOptions {
  /** Path of the Temporal CLI, from `findTemporal`. */
  readonly binary: string;
  /** SQLite file that keeps everything across restarts; absent: in memory, lost when it stops. */
  readonly dbFile?: string;
  /** Made at start when missing; default `default`. */
  readonly namespace?: string;
  /** How long closed workflows are kept; default 90 days, where the server's own default is 24 hours. */
  readonly retentionDays?: number;
  /** Registered at start when missing. */
  readonly searchAttributes?: Readonly<Record<string, AttributeType>>;
  /** Server settings by key, e.g. `limit.historyCount.suggestContinueAsNew`. */
  readonly dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
  /** Each line of the server's own log: JSON, warnings and errors only. */
  readonly onLine?: (line: string) => void;
  /** Default 60 s. */
  readonly startTimeoutMs?: number;
  /** Where ports come from; tests give one that is taken. */
  readonly freePort?: () => Promise<number>;
}

export interface EmbeddedServer {
  /** `127.0.0.1:PORT` of the gRPC front end. */
  readonly address: string;
  readonly namespace: string;
  /** Process id of the server itself. */
  readonly pid: number;
  /** Resolves when the server has ended, wanted or not, with its exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Ends the server gracefully and resolves when it is gone. Safe twice. */
  readonly stop: () => Promise<void>;
}

/** Thrown when the embedded server did not come up; carries its last lines of output. */
export class EmbeddedServerFailed extends Error {
  override readonly name = 'EmbeddedServerFailed';
}

/**
 * Starts `temporal server start-dev` on a free loopback port and resolves once it answers. It ends with this
 * process, also by kill -9. Throws `DatabaseInUse` when another server has the file open, else
 * `EmbeddedServerFailed`.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const dbFile = options.dbFile === undefined ? undefined : resolve(options.dbFile);
  if (dbFile !== undefined) await mkdir(dirname(dbFile), { recursive: true, mode: 0o700 });
  const lock = dbFile === undefined ? undefined : await lockDatabase(dbFile);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const started = await startOnce(options, dbFile, lock);
      if (started.kind === 'up') return await opened(started.server, options, lock);
      const clash = /address already in use/i.test(started.output);
      if (!clash || attempt === PORT_ATTEMPTS) throw new EmbeddedServerFailed(started.output);
    }
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

interface Running {
  readonly process: GuardedProcess;
  readonly address: string;
}

async function startOnce(
  options: EmbeddedOptions,
  dbFile: string | undefined,
  lock: DatabaseLock | undefined,
): Promise<{ kind: 'up'; server: Running } | { kind: 'down'; output: string }> {
  const port = await (options.freePort ?? freePort)();
  const address = `127.0.0.1:${port}`;
  const process = await startGuarded(commandLine(options, dbFile, port), options.onLine);
  await lock?.heldBy(process.pid);
  const failed = (why: string): { kind: 'down'; output: string } => ({
    kind: 'down',
    output: [`The embedded Temporal server ${why}.`, ...process.lastLines()].join('\n'),
  });
  const patience = after(options.startTimeoutMs ?? DEFAULT_START_MS);
  // The banner comes only after its own ports are bound: without it the answer on this port may be
  // from another server that took the port first.
  const banner = process.line(/^Temporal Server:/).then(() => 'up' as const);
  const outcome = await Promise.race([banner, process.ended, patience.passed]);
  patience.cancel();
  if (outcome === 'up') return { kind: 'up', server: { process, address } };
  await process.stop();
  return failed(outcome === 'late' ? 'did not start in time' : `ended (${outcome}) while starting`);
}

async function opened(
  running: Running,
  options: EmbeddedOptions,
  lock: DatabaseLock | undefined,
): Promise<EmbeddedServer> {
  const { process, address } = running;
  const namespace = options.namespace ?? 'default';
  try {
    await setRetention(address, namespace, options);
  } catch (error) {
    await process.stop();
    throw new EmbeddedServerFailed(
      ['The embedded Temporal server does not answer.', ...process.lastLines()].join('\n'),
      { cause: error },
    );
  }
  const stop = async (): Promise<void> => {
    await process.stop();
    await lock?.release();
  };
  return { address, namespace, pid: process.pid, ended: process.ended, stop };
}

/** Two real calls, so a server that comes back from here serves this namespace. */
async function setRetention(
  address: string,
  namespace: string,
  options: EmbeddedOptions,
): Promise<void> {
  const days = options.retentionDays ?? DEFAULT_RETENTION_DAYS;
  const timeoutMs = options.startTimeoutMs ?? DEFAULT_START_MS;
  const connection = await Connection.connect({ address, connectTimeout: timeoutMs });
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.updateNamespace({
        namespace,
        config: { workflowExecutionRetentionTtl: msToTs(days * 24 * 3_600_000) },
      }),
    );
  } finally {
    await connection.close();
  }
}

function commandLine(
  options: EmbeddedOptions,
  dbFile: string | undefined,
  port: number,
): readonly [string, ...string[]] {
  const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)];
  args.push('--log-format', 'json', '--log-level', 'warn');
  if (options.namespace !== undefined && options.namespace !== 'default')
    args.push('--namespace', options.namespace);
  if (dbFile !== undefined)
    // 3.5 times the throughput of the defaults, and nothing is lost when a process dies.
    args.push(
      ...['--db-filename', dbFile],
      ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    );
  for (const [key, type] of Object.entries(options.searchAttributes ?? {}))
    args.push('--search-attribute', `${key}=${type}`);
  for (const [key, value] of Object.entries(options.dynamicConfig ?? {}))
    args.push('--dynamic-config-value', `${key}=${JSON.stringify(value)}`);
  return [options.binary, ...args];
}

function after(ms: number): { passed: Promise<'late'>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  return { passed, cancel: () => clearTimeout(timer) };
}
