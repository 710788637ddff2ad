import { readFile, readdir } from 'node:fs/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataConverter } from '../../src/engine/data-converter.ts';
import { localEnv } from '../setup/temporal.ts';
import { bundle } from './host-driver.ts';
import { historyFromJson, sampleHistories } from './sample-histories.ts';

const folder = new URL('../histories/', import.meta.url);
let workflows: WorkflowBundle;

beforeAll(async () => {
  workflows = await bundle();
});

describe('the workflows', () => {
  it('replay every recorded history, so that rollouts under way survive an upgrade', async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    expect(names).toEqual(
      expect.arrayContaining(['host-run-rolled-back.json', 'host-run.json', 'rollout.json']),
    );
    for (const name of names) {
      const text = await readFile(new URL(name, folder), 'utf8');
      const history = historyFromJson(JSON.parse(text) as Record<string, unknown>);
      await Worker.runReplayHistory({ workflowBundle: workflows, dataConverter }, history);
    }
  });
});

describe('histories on the real server', { timeout: 60_000 }, () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => {
    env = await localEnv();
  }, 60_000);
  afterAll(() => env.teardown());

  it('stay small: a host run without holds is under 150 events, with all hooks', async () => {
    const sizes = Object.fromEntries(
      (await sampleHistories(env, workflows)).map(({ name, history }) => [
        name,
        history.events?.length,
      ]),
    );
    expect(sizes['host-run']).toBeLessThan(125);
    expect(sizes['host-run-devices']).toBeLessThan(150);
    expect(sizes['host-run-rolled-back']).toBeLessThan(250);
    expect(sizes['rollout']).toBeLessThan(150);
  });
});
