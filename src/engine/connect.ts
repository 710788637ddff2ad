import { Client, Connection, isGrpcCancelledError, isGrpcDeadlineError } from '@temporalio/client';
import {
  loadClientConfigProfile,
  toClientOptions,
  type ClientConnectConfig,
} from '@temporalio/envconfig';
import { dataConverter } from './data-converter.ts';
import { stateDir, type DirectoryEnv } from './directories.ts';
import { addressSetting } from './temporal-profiles.ts';
import { readUpState } from './up-state.ts';

const CONNECT_MS = 3_000;
type ConnectOptions = ClientConnectConfig['connectionOptions'];

export interface EngineOptions {
  /** `HOST:PORT` that the user gave; before everything else. */
  readonly address?: string;
  readonly namespace?: string;
  /** Name of a profile in Temporal's own config file (`temporal config`). */
  readonly profile?: string;
  /** Folder with `up.json`; default from `env`. */
  readonly stateDir?: string;
  /** TEMPORAL_* and XDG_*; default `process.env`. */
  readonly env?: DirectoryEnv;
  /** Default 3 s. */
  readonly timeoutMs?: number;
}

/** Which engine, and who said so: an option, Temporal's variables or config file, or a running `vfleet up`. */
export interface EngineTarget {
  readonly address: string;
  readonly namespace: string;
  readonly source: 'option' | 'temporal-config' | 'up';
  /** For `Connection.connect` and for the worker's `NativeConnection.connect`. */
  readonly connectionOptions: Pick<ConnectOptions, 'apiKey' | 'tls' | 'metadata'> & {
    readonly address: string;
  };
}

/** An open connection; `close` it. */
export interface Engine extends EngineTarget {
  readonly client: Client;
  readonly connection: Connection;
  readonly close: () => Promise<void>;
}

/** Thrown when there is no engine, or none answers at the address; the message says what to do. Exit code 4. */
export class NoEngine extends Error {
  override readonly name = 'NoEngine';
  /** What to do where that depends on who named the address. */
  readonly next: string | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly next?: string }) {
    super(message, options);
    this.next = options?.next;
  }
}

/** Thrown when a call got no answer in time. It may still take effect: say so, never call it a failure. */
export class EngineTimeout extends Error {
  override readonly name = 'EngineTimeout';
}

/**
 * Decides which engine to use, without connecting: the option, else TEMPORAL_ADDRESS or a Temporal profile, else
 * the running `vfleet up`. Throws `NoEngine`.
 */
export async function resolveEngine(options: EngineOptions = {}): Promise<EngineTarget> {
  const env = options.env ?? process.env;
  const { connectionOptions, namespace } = temporalConfig(options, env);
  const { apiKey, tls, metadata, address: configured } = connectionOptions;
  const choose = (
    address: string,
    source: EngineTarget['source'],
    fallback = 'default',
  ): EngineTarget => ({
    address,
    source,
    namespace: options.namespace ?? namespace ?? fallback,
    connectionOptions: {
      address,
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(tls === undefined ? {} : { tls }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  });
  if (options.address !== undefined) return choose(options.address, 'option');
  if (configured !== undefined && configured !== '') return choose(configured, 'temporal-config');
  const up = await readUpState(options.stateDir ?? stateDir(env));
  if (up !== undefined) {
    // A key or TLS of Temporal's settings is meant for another server.
    const { address } = up;
    return { ...choose(address, 'up', up.namespace), connectionOptions: { address } };
  }
  throw new NoEngine(
    'No engine is running. Start one here with "vfleet up", or name a Temporal server with TEMPORAL_ADDRESS.',
  );
}

/** Connects to `target`, else to the engine of `resolveEngine`, and proves that it answers. Throws `NoEngine`, after 3 s at most. */
export async function connectEngine(
  options: EngineOptions & { readonly target?: EngineTarget } = {},
): Promise<Engine> {
  const target = options.target ?? (await resolveEngine(options));
  try {
    const connection = await Connection.connect({
      ...target.connectionOptions,
      connectTimeout: options.timeoutMs ?? CONNECT_MS,
    });
    const client = new Client({ connection, namespace: target.namespace, dataConverter });
    return { ...target, client, connection, close: () => connection.close() };
  } catch (error) {
    throw unreachable(target, options, error);
  }
}

/**
 * Runs client calls that must all answer within `timeoutMs`. Throws `EngineTimeout` when they do not. Every call
 * to the engine goes through here: with no worker, an update or query would wait for ever.
 */
export async function within<T>(
  client: Pick<Client, 'withDeadline'>,
  timeoutMs: number,
  calls: () => Promise<T>,
): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + timeoutMs, calls);
  } catch (error) {
    if (!isDeadline(error)) throw error;
    throw new EngineTimeout(
      `No answer from the engine within ${timeoutMs / 1000} s; what was asked may still happen.`,
      { cause: error },
    );
  }
}

/**
 * The SDK wraps an update's deadline in an error of its own, with the gRPC error as its cause. The server keeps the
 * deadline too: when its clock strikes first it answers CANCELLED, and nothing here cancels a call otherwise.
 */
function isDeadline(error: unknown): boolean {
  return (
    isGrpcDeadlineError(error) ||
    isGrpcCancelledError(error) ||
    (error instanceof Error && error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError')
  );
}

function temporalConfig(
  options: EngineOptions,
  env: DirectoryEnv,
): ReturnType<typeof toClientOptions> {
  const set = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  try {
    return toClientOptions(
      loadClientConfigProfile({
        overrideEnvVars: Object.fromEntries(set),
        ...(options.profile === undefined ? {} : { profile: options.profile }),
      }),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NoEngine(`Temporal's own settings cannot be used: ${reason}`, { cause: error });
  }
}

function unreachable(target: EngineTarget, options: EngineOptions, cause: unknown): NoEngine {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const text = `No engine answers at ${target.address} (${reason}).`;
  switch (target.source) {
    case 'option':
      return new NoEngine(
        `${text} Check the address, or leave it out to use a running "vfleet up".`,
        { cause },
      );
    case 'up':
      return new NoEngine(
        `${text} A "vfleet up" says it runs there: look at its output, or stop it and start it again.`,
        { cause },
      );
    case 'temporal-config': {
      const { name, undo } = addressSetting(options.env, options.profile);
      const next = `start that server, or ${undo} and run vfleet up`;
      return new NoEngine(`${text} The address comes from ${name}.`, { cause, next });
    }
  }
}
