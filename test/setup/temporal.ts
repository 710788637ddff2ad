import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import {
  InternalConnectionOptionsSymbol,
  type InternalConnectionOptions,
} from '@temporalio/client/lib/connection.js';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { dataConverter } from '../../src/engine/data-converter.ts';
import { findTemporal, findTestServer } from '../../src/engine/embedded/binaries.ts';
import {
  startEmbedded,
  type AttributeType,
  type EmbeddedOptions,
} from '../../src/engine/embedded/embedded-server.ts';
import { freePort } from '../../src/engine/embedded/free-port.ts';
import { startGuarded, type GuardedProcess } from '../../src/engine/embedded/guarded-process.ts';
import { isAlive } from '../../src/engine/embedded/process-info.ts';

const START_MS = 30_000;
const POLL_MS = 50;
const PORT_ATTEMPTS = 5;
const NAMESPACE = 'default';
/** IndexedValueType of temporal.api.enums.v1, by the name that the command line uses. */
const ATTRIBUTE_TYPES: Readonly<Record<AttributeType, number>> = {
  Text: 1,
  Keyword: 2,
  Int: 3,
  Double: 4,
  Bool: 5,
  Datetime: 6,
  KeywordList: 7,
};

/** What both environments take. */
export interface EnvOptions {
  /** Registered before the environment is given out; an unknown one makes the workflow task loop for ever. */
  readonly searchAttributes?: Readonly<Record<string, AttributeType>>;
}

/**
 * A test environment whose server ends with the test process, however that ends. Its `client` has vfleet's data
 * converter; give `dataConverter` to the worker too. Call `teardown()` in `afterAll`.
 */
class GuardedEnvironment extends TestWorkflowEnvironment {
  #stop: () => Promise<void> = () => Promise.resolve();

  static async over(
    server: { readonly address: string; readonly stop: () => Promise<void> },
    supportsTestService: boolean,
  ): Promise<GuardedEnvironment> {
    const { address } = server;
    const internal: InternalConnectionOptions = {
      address,
      connectTimeout: START_MS,
      [InternalConnectionOptionsSymbol]: { supportsTestService },
    };
    const env = new this(
      quietRuntime(),
      { server: { type: 'existing' }, client: { dataConverter }, plugins: [] },
      supportsTestService,
      'existing',
      await Connection.connect(internal),
      await NativeConnection.connect({
        address,
        [InternalConnectionOptionsSymbol]: { supportsTestService },
      } as Parameters<typeof NativeConnection.connect>[0]),
      NAMESPACE,
      address,
    );
    env.#stop = server.stop;
    return env;
  }

  override async teardown(): Promise<void> {
    await super.teardown();
    await this.#stop();
  }
}

/**
 * The time-skipping server with a client: for logic with timers. It differs from the real one: no List, Count or
 * Schedules; an update does not skip time by itself, so await `result()` or `env.sleep()` too. It listens on all
 * addresses, since it has no option for that.
 */
export async function timeSkippingEnv(options: EnvOptions = {}): Promise<TestWorkflowEnvironment> {
  const binary = await findTestServer({ env: process.env });
  const { port, server } = await startTestServer(binary);
  try {
    const env = await GuardedEnvironment.over(
      { address: `127.0.0.1:${port}`, stop: () => server.stop() },
      true,
    );
    await register(env, options.searchAttributes);
    return env;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * A real server of its own in memory, or on `dbFile`: for continue-as-new, cancel, visibility and restarts. E.g.
 * `dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 }`.
 */
export async function localEnv(
  options: EnvOptions & Pick<EmbeddedOptions, 'dynamicConfig' | 'dbFile'> = {},
): Promise<TestWorkflowEnvironment> {
  const binary = await findTemporal({ env: process.env });
  const server = await startEmbedded({ ...options, binary, namespace: NAMESPACE });
  return GuardedEnvironment.over(server, false);
}

/** The Runtime is one per process and says INFO lines by default; a second install throws, so only the first counts. */
function quietRuntime(): Runtime {
  try {
    return Runtime.install({ logger: new DefaultLogger('WARN') });
  } catch {
    return Runtime.instance();
  }
}

async function register(
  env: TestWorkflowEnvironment,
  attributes: EnvOptions['searchAttributes'] = {},
): Promise<void> {
  const searchAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, type]) => [name, ATTRIBUTE_TYPES[type]]),
  );
  if (Object.keys(searchAttributes).length === 0) return;
  await env.connection.operatorService.addSearchAttributes({
    namespace: NAMESPACE,
    searchAttributes,
  });
}

async function startTestServer(
  binary: string,
): Promise<{ readonly port: number; readonly server: GuardedProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = await startGuarded([binary, String(port)]);
    const problem = await listening(port, server);
    if (problem === undefined) return { port, server };
    await server.stop();
    const output = [problem, ...server.lastLines()].join('\n');
    if (!/already in use/i.test(output) || attempt === PORT_ATTEMPTS)
      throw new Error(`The test server did not start: ${output}`);
  }
}

/** The server says nothing when it is ready, and gRPC waits a second before it tries again: ask the port. */
async function listening(port: number, server: GuardedProcess): Promise<string | undefined> {
  const ended = server.ended.then((how) => `it ended (${how})`);
  const late = Date.now() + START_MS;
  while (Date.now() < late) {
    // A server that lost the race for the port ends; the answer is then somebody else's.
    const poll = sleep(POLL_MS).then(async () => (await accepts(port)) && isAlive(server.pid));
    const outcome = await Promise.race([ended, poll]);
    if (typeof outcome === 'string') return outcome;
    if (outcome) return undefined;
  }
  return 'it does not listen';
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
