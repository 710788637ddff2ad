import { describe, expect, it } from 'vitest';
import type { Spec } from '../../src/domain/spec.ts';
import type { PlannedHost } from '../../src/domain/status.ts';
import { inputOf, specOf, uniform } from '../domain/rollout/fleet.ts';
import { FakeWorld, held } from './fake-hosts.ts';
import { useEngine } from './file-engine.ts';
import { workerOf } from './host-driver.ts';
import { RolloutDriver, allActivities } from './rollout-driver.ts';

const engine = useEngine();
let runs = 0;

/** A rollout over `count` hosts of its own, with a worker for as long as the test's body takes. */
async function withRollout(
  count: number,
  change: Partial<Spec>,
  prepare: (world: FakeWorld, names: readonly string[]) => unknown,
  body: (run: RolloutDriver, world: FakeWorld, names: readonly string[]) => Promise<void>,
): Promise<void> {
  const name = `r${(runs += 1)}`;
  const hosts = uniform(count).map((host): PlannedHost => ({
    ...host,
    connection: { ...host.connection, name: `${name}-${host.connection.name}` },
  }));
  const names = hosts.map((host) => host.connection.name);
  const world = new FakeWorld();
  prepare(world, names);
  const input = { ...inputOf(hosts, change), id: `${name}#1` };
  const worker = await workerOf(
    engine.env,
    engine.workflows,
    name,
    allActivities(engine.env.client, name, world),
  );
  await worker.runUntil(async () => {
    await body(await RolloutDriver.start(engine.env, name, input), world, names);
  });
}

const nothing = () => undefined;
const canary = (change: Partial<Spec['waves'][number]>): Partial<Spec> => ({
  waves: specOf().waves.map((wave, at) => (at === 0 ? { ...wave, ...change } : wave)),
});
const fails = (world: FakeWorld, name: string | undefined) =>
  world.host(name ?? '').always('proveIommu', held('iommu.no-units'));

describe('a rollout', () => {
  it('brings canary and fleet to their end, each host changed and booted once', async () => {
    await withRollout(6, {}, nothing, async (run, world) => {
      const status = await run.handle.result();
      expect(status).toMatchObject({ phase: 'done', counts: { done: 6 }, budget: { failures: 0 } });
      for (const host of world.hosts.values()) {
        expect(host).toMatchObject({ boots: 1, changed: true, outcome: 'done' });
      }
      expect(status.hosts.map((host) => host.wave)).toEqual([0, 1, 1, 1, 1, 1]);
    });
  });

  it('pauses when the canary fails; a retry after the repair and a new budget bring it on', async () => {
    await withRollout(
      3,
      {},
      (world, [first]) => fails(world, first),
      async (run, world, names) => {
        const paused = await run.phase(engine.env, 'paused');
        expect(paused.explanation).toContain('1 host has failed in wave canary; it allows 0.');
        expect(paused.counts).toMatchObject({ held: 1, queued: 2 });
        expect(await run.refusal({ verb: 'resume' })).toContain('Give "resume" a new budget');
        expect(await run.refusal({ verb: 'promote' })).toContain('is paused');
        world.host(names[0]!).heal();
        const answer = await run.verb({ verb: 'retry', hosts: { all: 'held' } });
        expect(answer).toMatchObject({ count: 1, refused: [] });
        await run.until(engine.env, (status) => status.counts.done === 1);
        await run.verb({ verb: 'resume', newBudget: 0 });
        expect(await run.handle.result()).toMatchObject({
          phase: 'done',
          counts: { done: 3 },
          budget: { failures: 1 },
        });
        expect(world.host(names[0]!).boots).toBe(1);
      },
    );
  });

  it('bakes the canary, then waits for a person to promote it', async () => {
    const change = canary({ bakeMs: 1_800_000, promote: 'manual' });
    await withRollout(3, change, nothing, async (run) => {
      const baking = await run.phase(engine.env, 'baking');
      expect(baking.waves[0]).toMatchObject({ phase: 'baking', promote: 'manual' });
      expect(await run.refusal({ verb: 'promote' })).toContain('still bakes until');
      await engine.env.sleep('31 minutes');
      await run.phase(engine.env, 'awaiting-promotion');
      await run.verb({ verb: 'promote' });
      expect(await run.handle.result()).toMatchObject({ phase: 'done', counts: { done: 3 } });
    });
  });

  it('starts nobody while it is paused, and answers a repeated verb with the same words', async () => {
    const change = canary({ bakeMs: 60_000 });
    await withRollout(3, change, nothing, async (run, world) => {
      await run.phase(engine.env, 'baking');
      const first = await run.verb({ verb: 'pause' }, 'same');
      expect(await run.verb({ verb: 'pause' }, 'same')).toEqual(first);
      await engine.env.sleep('10 minutes');
      expect(await run.status()).toMatchObject({ phase: 'paused', counts: { done: 1, queued: 2 } });
      expect(world.hosts.size).toBe(1);
      await run.verb({ verb: 'resume' });
      const done = await run.handle.result();
      expect(done.audit.map((entry) => entry.verb)).toEqual(['start', 'pause', 'resume']);
    });
  });

  it('stays open while a host is held, and ends when it is rolled back', async () => {
    const change = canary({ maxFailures: { kind: 'count', count: 1 } });
    await withRollout(
      3,
      change,
      (world, [first]) => fails(world, first),
      async (run, world, names) => {
        const waiting = await run.phase(engine.env, 'waiting');
        expect(waiting.explanation).toContain(names[0]);
        expect(waiting.hosts[0]).toMatchObject({
          state: 'held',
          code: 'iommu.no-units',
          step: 'iommu',
        });
        await run.verb({ verb: 'rollback', hosts: { names: [names[0]!] } });
        expect(await run.handle.result()).toMatchObject({
          phase: 'done',
          counts: { done: 2, 'rolled-back': 1 },
        });
        expect(world.host(names[0]!)).toMatchObject({ running: 'old', outcome: 'rolled-back' });
      },
    );
  });

  it('takes back all that is done when aborted with rollback', async () => {
    const change = canary({ promote: 'manual' });
    await withRollout(3, change, nothing, async (run, world, names) => {
      await run.phase(engine.env, 'awaiting-promotion');
      await run.verb({ verb: 'abort', rollback: true });
      expect(await run.handle.result()).toMatchObject({
        phase: 'aborted',
        counts: { 'rolled-back': 1, queued: 2 },
      });
      expect(world.host(names[0]!)).toMatchObject({ changed: false, running: 'old', boots: 2 });
    });
  });

  it('takes all back by itself when the budget is spent and the spec says so', async () => {
    const change = { onBudgetSpent: 'rollback' as const };
    await withRollout(
      3,
      change,
      (world, [first]) => fails(world, first),
      async (run) => {
        expect(await run.handle.result()).toMatchObject({
          phase: 'failed',
          counts: { 'rolled-back': 1, queued: 2 },
        });
      },
    );
  });
});
