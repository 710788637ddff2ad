import { describe, expect, it } from 'vitest';
import { inputOf, uniform } from '../domain/rollout/fleet.ts';
import { FakeWorld } from './fake-hosts.ts';
import { useEngine } from './file-engine.ts';
import { workerOf } from './host-driver.ts';
import { RolloutDriver, allActivities } from './rollout-driver.ts';

const engine = useEngine();

/** A moment that a test waits for or brings about. */
function moment() {
  let happen: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => (happen = resolve));
  return { happened, happen };
}

describe('pause --now', () => {
  it('lets a host end its step, keeps it before the reboot though a message is lost, and resume goes on', async () => {
    const world = new FakeWorld();
    const [installing, installed] = [moment(), moment()];
    const canary = world.host('hv-1');
    canary.script('applyCmdline', async () => {
      installing.happen();
      await installed.happened;
      canary.trial = true;
      return { kind: 'ok', evidence: {} };
    });
    const queue = 'pause-now';
    const activities = allActivities(engine.env.client, queue, world);
    let pauses = 0;
    const losesTheFirst: typeof activities.fanOut = async (input) => {
      if (input.verb.verb !== 'pause' || pauses++ > 0) return activities.fanOut(input);
      return input.hosts.map(({ index }) => ({ index, unconfirmed: true }));
    };
    const given = { ...activities, fanOut: losesTheFirst };
    const worker = await workerOf(engine.env, engine.workflows, queue, given);
    await worker.runUntil(async () => {
      const run = await RolloutDriver.start(engine.env, queue, {
        ...inputOf(uniform(2)),
        id: 'pause-now#1',
      });
      await installing.happened;
      const answer = await run.verb({ verb: 'pause', now: true });
      expect(answer).toMatchObject({ count: 1, refused: [] });
      expect(answer.next).toContain('(hv-1) end the step they are at and stop before their next');
      await run.until(engine.env, (status) => status.explanation.includes('Will stop before'));
      installed.happen();
      const stopped = await run.until(
        engine.env,
        (status) => status.hosts[0]?.pausedBefore !== undefined,
      );
      expect(stopped.hosts[0]).toMatchObject({ state: 'running', pausedBefore: 'reboot' });
      expect(stopped.explanation).toContain('Stopped before a disruptive step: hv-1.');
      expect(pauses).toBe(2);
      await engine.env.sleep('8 hours');
      expect(canary).toMatchObject({ boots: 0, trial: true });
      await run.verb({ verb: 'resume' });
      const done = await run.handle.result();
      expect(done).toMatchObject({ phase: 'done', counts: { done: 2 }, budget: { failures: 0 } });
      expect(canary).toMatchObject({ boots: 1, changed: true, outcome: 'done' });
    });
  });
});
