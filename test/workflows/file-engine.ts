import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll } from 'vitest';
import type { HostRunInput } from '../../src/domain/host-run.ts';
import { timeSkippingEnv } from '../setup/temporal.ts';
import { FakeWorld, type FakeHost } from './fake-hosts.ts';
import { HostDriver, bundle, hostInput, workerOf } from './host-driver.ts';

/** What all tests of one file share: starting it takes longer than most of them. */
export interface FileEngine {
  readonly env: TestWorkflowEnvironment;
  readonly workflows: WorkflowBundle;
}

/** A time-skipping engine from the first test of the calling file to its last; its fields are there within tests only. */
export function useEngine(): FileEngine {
  let engine: FileEngine | undefined;
  const started = (): FileEngine => {
    if (engine === undefined) throw new Error('the engine is there within tests only');
    return engine;
  };
  beforeAll(async () => {
    const [env, workflows] = await Promise.all([timeSkippingEnv(), bundle()]);
    engine = { env, workflows };
  });
  afterAll(() => engine?.env.teardown());
  return {
    get env() {
      return started().env;
    },
    get workflows() {
      return started().workflows;
    },
  };
}

/** Runs a test's body with one fresh host that has a worker of its own for as long as the body takes. */
export type WithHost = (
  change: Partial<HostRunInput>,
  prepare: (host: FakeHost) => unknown,
  body: (run: HostDriver, host: FakeHost) => Promise<void>,
) => Promise<void>;

/** Fresh hosts on an engine, each with a name of its own. */
export function hostsOn(engine: FileEngine): WithHost {
  let hosts = 0;
  return async (change, prepare, body) => {
    const { env, workflows } = engine;
    const name = `hv-${(hosts += 1)}`;
    const world = new FakeWorld();
    const host = world.host(name);
    prepare(host);
    const worker = await workerOf(env, workflows, name, world.activities());
    await worker.runUntil(async () => {
      await body(await HostDriver.start(env, name, hostInput(name, change)), host);
    });
  };
}
