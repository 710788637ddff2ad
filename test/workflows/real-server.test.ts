import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolloutActivities } from '../../src/domain/activities.ts';
import { hostWorkflowId, rolloutWorkflowId } from '../../src/domain/ids.ts';
import type { Spec } from '../../src/domain/spec.ts';
import type { RolloutInput } from '../../src/domain/status.ts';
import { inputOf, specOf, uniform } from '../domain/rollout/fleet.ts';
import { localEnv } from '../setup/temporal.ts';
import { FakeWorld, held } from './fake-hosts.ts';
import { HostDriver, bundle, hostInput, workerOf } from './host-driver.ts';
import { RolloutDriver, allActivities } from './rollout-driver.ts';

/** Continue-as-new, cancel, lost starts and lost reports: the time-skipping server differs in these. */
let env: TestWorkflowEnvironment;
let workflows: WorkflowBundle;

beforeAll(async () => {
  [env, workflows] = await Promise.all([
    localEnv({ dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 } }),
    bundle(),
  ]);
}, 120_000);
afterAll(() => env.teardown());

function rolloutOf(name: string, count: number, change: Partial<Spec> = {}): RolloutInput {
  const limits = { ...specOf().limits, parallel: 12 };
  const hosts = uniform(count).map((host) => ({
    ...host,
    connection: { ...host.connection, name: `${name}-${host.connection.name}` },
  }));
  return { ...inputOf(hosts, { limits, ...change }), id: `${name}#1` };
}

/** How many runs each workflow of an id had: one more than it continued as new. */
async function runsOf(workflowId: string): Promise<number> {
  let runs = 0;
  for await (const run of env.client.workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
    if (run.workflowId === workflowId) runs += 1;
  }
  return runs;
}

describe('on the real server', { timeout: 120_000 }, () => {
  it('continues as new with 64 hosts, none lost and none doubled', async () => {
    const world = new FakeWorld();
    const input = rolloutOf('many', 64);
    const worker = await workerOf(env, workflows, 'many', allActivities(env.client, 'many', world));
    await worker.runUntil(async () => {
      const run = await RolloutDriver.start(env, 'many', input);
      expect(await run.handle.result()).toMatchObject({ phase: 'done', counts: { done: 64 } });
    });
    expect(world.hosts.size).toBe(64);
    for (const host of world.hosts.values()) {
      expect(host).toMatchObject({ boots: 1, outcome: 'done', lease: undefined });
      expect(host.calls.filter((call) => call === 'inspect')).toHaveLength(1);
    }
    await expect
      .poll(() => runsOf(rolloutWorkflowId('many#1')), { timeout: 10_000 })
      .toBeGreaterThan(2);
  });

  it('starts each host once though the first attempt died half-way', async () => {
    const world = new FakeWorld();
    const input = rolloutOf('starts', 9);
    const activities = allActivities(env.client, 'starts', world);
    const startHosts: RolloutActivities['startHosts'] = async (batch) => {
      if (Context.current().info.attempt > 1 || batch.hosts.length < 2)
        return activities.startHosts(batch);
      await activities.startHosts({ ...batch, hosts: batch.hosts.slice(0, 4) });
      throw new Error('the worker died here');
    };
    const worker = await workerOf(env, workflows, 'starts', { ...activities, startHosts });
    await worker.runUntil(async () => {
      const run = await RolloutDriver.start(env, 'starts', input);
      expect(await run.handle.result()).toMatchObject({ phase: 'done', counts: { done: 9 } });
    });
    for (const host of world.hosts.values()) {
      expect(host.calls.filter((call) => call === 'inspect')).toHaveLength(1);
    }
  });

  it('finds the hosts whose reports were lost, by looking them up after it continued as new', async () => {
    const world = new FakeWorld();
    const input = rolloutOf('reports', 24);
    const activities = allActivities(env.client, 'reports', world);
    // The reports of the first host of the fleet go to a rollout that does not exist; its memo is right.
    const startHosts: RolloutActivities['startHosts'] = async (batch) => {
      const lost = batch.hosts.find((host) => host.index === 1);
      const others = batch.hosts.filter((host) => host !== lost);
      const answers = await activities.startHosts({ ...batch, hosts: others });
      if (lost === undefined) return answers;
      const misled = { ...lost, rollout: 'nowhere#1' };
      return [...answers, ...(await activities.startHosts({ ...batch, hosts: [misled] }))];
    };
    const worker = await workerOf(env, workflows, 'reports', { ...activities, startHosts });
    await worker.runUntil(async () => {
      const run = await RolloutDriver.start(env, 'reports', input);
      const status = await run.handle.result();
      expect(status).toMatchObject({ phase: 'done', counts: { done: 24 } });
    });
  });

  it('takes Temporal’s Cancel as an abort without rollback: what runs comes to its end', async () => {
    const world = new FakeWorld();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const input = rolloutOf('cancel', 4);
    world
      .host('cancel-hv-1')
      .script('checkGuests', () => gate.then(() => ({ kind: 'ok', evidence: {} })));
    const worker = await workerOf(
      env,
      workflows,
      'cancel',
      allActivities(env.client, 'cancel', world),
    );
    await worker.runUntil(async () => {
      const run = await RolloutDriver.start(env, 'cancel', input);
      await expect.poll(() => world.host('cancel-hv-1').calls.at(-1)).toBe('checkGuests');
      await run.handle.cancel();
      await run.phase(env, 'aborting');
      release();
      expect(await run.handle.result()).toMatchObject({
        phase: 'aborted',
        counts: { done: 1, queued: 3 },
      });
    });
    expect(world.host('cancel-hv-1').calls).not.toContain('undo');
  });

  it('holds a host that another rollout has, names the holder, and never ends the other run', async () => {
    const world = new FakeWorld();
    world.host('busy-hv-1').script('proveIommu', held('iommu.no-units'));
    const worker = await workerOf(env, workflows, 'busy', allActivities(env.client, 'busy', world));
    await worker.runUntil(async () => {
      const other = await HostDriver.start(
        env,
        'busy',
        hostInput('busy-hv-1', { rollout: 'other#7' }),
      );
      await other.heldAs(env);
      const run = await RolloutDriver.start(env, 'busy', rolloutOf('busy', 1));
      const paused = await run.phase(env, 'paused');
      expect(paused.hosts[0]).toMatchObject({ state: 'held', code: 'host.busy' });
      expect(paused.hosts[0]?.note).toContain('other#7 holds it');
      await other.verb('rollback');
      await other.handle.result();
      await run.verb({ verb: 'retry', hosts: { all: 'held' } });
      await run.until(env, (status) => status.counts.done === 1);
      await run.verb({ verb: 'resume', newBudget: 0 });
      expect(await run.handle.result()).toMatchObject({ phase: 'done' });
    });
  });

  it('carries a host’s hold, undo stack and evidence through continue-as-new', async () => {
    const world = new FakeWorld();
    const host = world.host('long');
    host.script('makeDefault', held('host.disk-full'), held('host.disk-full'));
    const worker = await workerOf(env, workflows, 'long', world.activities());
    await worker.runUntil(async () => {
      const run = await HostDriver.start(env, 'long', hostInput('long'));
      await run.heldAs(env);
      await run.verb('retry', 'same');
      await expect.poll(() => host.calls.filter((call) => call === 'makeDefault').length).toBe(2);
      await run.heldAs(env);
      // The engine forgets update ids when a run continues as new; the run does not.
      expect(await run.verb('retry', 'same')).toBeDefined();
      await run.heldAs(env);
      await run.verb('rollback');
      const latest = env.client.workflow.getHandle(hostWorkflowId('long'));
      const result: unknown = await latest.result();
      expect(result).toMatchObject({
        state: 'rolled-back',
        code: 'host.disk-full',
        undoFailures: [],
      });
    });
    expect(host).toMatchObject({ running: 'old', changed: false, outcome: 'rolled-back' });
    await expect.poll(() => runsOf(hostWorkflowId('long')), { timeout: 10_000 }).toBeGreaterThan(1);
  });
});
