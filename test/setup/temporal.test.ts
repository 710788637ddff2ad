import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataConverter } from '../../src/engine/data-converter.ts';
import { localEnv, timeSkippingEnv } from './temporal.ts';
import type { nap } from './workflows/nap.ts';

const workflowsPath = fileURLToPath(new URL('workflows/nap.ts', import.meta.url));
const DAY_MS = 24 * 3_600_000;

async function napOn(env: TestWorkflowEnvironment, ms: number, text: string): Promise<string> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: 'nap',
    workflowsPath,
    dataConverter,
  });
  return worker.runUntil(
    env.client.workflow.execute<typeof nap>('nap', {
      taskQueue: 'nap',
      workflowId: `nap-${ms}`,
      args: [ms, text],
    }),
  );
}

describe('the time-skipping environment', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => (env = await timeSkippingEnv({ searchAttributes: { Napper: 'Keyword' } })));
  afterAll(() => env.teardown());

  it('sleeps ninety days at once', async () => {
    expect(await napOn(env, 90 * DAY_MS, 'awake')).toBe(`awake after ${90 * DAY_MS} ms`);
  });
});

describe('the local environment', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(
    async () =>
      (env = await localEnv({
        searchAttributes: { Napper: 'Keyword' },
        dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 },
      })),
  );
  afterAll(() => env.teardown());

  it('runs a workflow whose arguments and result are compressed', async () => {
    const long = 'zz'.repeat(600_000);
    expect(await napOn(env, 1, long)).toBe(`${long} after 1 ms`);
    const history = await env.client.workflow.getHandle('nap-1').fetchHistory();
    const stored = JSON.stringify(history.events?.[0]?.workflowExecutionStartedEventAttributes);
    expect(stored.length).toBeLessThan(100_000);
  });

  it('keeps closed workflows for 90 days', async () => {
    const { config } = await env.connection.workflowService.describeNamespace({
      namespace: 'default',
    });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe((90 * DAY_MS) / 1000);
  });

  it('registers the search attributes that were asked for', async () => {
    const { customAttributes } = await env.connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    expect(customAttributes).toHaveProperty('Napper');
  });
});
