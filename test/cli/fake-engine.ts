import type { Client } from '@temporalio/client';
import type { Engine } from '../../src/cli/engine.ts';

/** What a fake engine answers; what is not given fails when it is asked. */
export interface FakeAnswers {
  /** Methods of `client.workflow`. */
  readonly workflow?: Readonly<Record<string, unknown>>;
  /** Methods of `client.workflowService`. */
  readonly service?: Readonly<Record<string, unknown>>;
  readonly within?: Engine['within'];
}

/** An engine without a server: one live worker, and the given answers to calls that tests want to see fail. */
export function fakeEngine({ workflow, service, within }: FakeAnswers): Engine {
  const poller = { identity: 'worker', lastAccessTime: { seconds: Date.now() / 1000 } };
  const client = {
    workflow: { list: () => [], ...workflow },
    workflowService: {
      describeTaskQueue: () => Promise.resolve({ pollers: [poller] }),
      ...service,
    },
  };
  return {
    // Only the calls above are made of it.
    client: client as unknown as Client,
    address: 'fake:7233',
    namespace: 'default',
    taskQueue: 'vfleet',
    within: within ?? ((_ms, calls) => calls()),
    close: () => Promise.resolve(),
  };
}
