import { describe, expect, it } from 'vitest';
import type { HostPlan } from '../../src/domain/changes.ts';
import { ATTACH, BIND, CHANGE, MODULES, VFS, held, planOf, undoFails } from './fake-hosts.ts';
import type { FakeHost } from './fake-hosts.ts';
import { hostsOn, useEngine } from './file-engine.ts';

const engine = useEngine();
const withHost = hostsOn(engine);

const hook = (name: string) => ({ on: 'worker' as const, run: [name] as const, timeoutMs: 60_000 });
const HOOKS = { drain: hook('drain'), undrain: hook('undrain') };
const ALL = planOf([CHANGE, MODULES, VFS, BIND, ATTACH]);

const addressOf = (at: number): string => `0000:${(at + 16).toString(16)}:00.0`;
const fine = () => ({ kind: 'ok', evidence: {} });

/** A host that plans this, whenever it is asked. */
const planning = (plan: HostPlan) => (host: FakeHost) => host.always('inspect', () => plan);

describe('a run with devices', () => {
  it('does it all in one drain and one reboot, each step in one activity', async () => {
    await withHost({ hooks: HOOKS }, planning(ALL), async (run, host) => {
      expect(await run.handle.result()).toMatchObject({ state: 'done', undoFailures: [] });
      expect(host.calls).toEqual([
        'inspect',
        'begin',
        'hook',
        'applyCmdline',
        'applyDevices',
        'reboot',
        'awaitReboot',
        'verifyBoot',
        'proveIommu',
        'makeDefault',
        'applyDevices',
        'applyDevices',
        'applyDevices',
        'hook',
        'finish',
      ]);
      expect(host.applied).toEqual(['modules', 'vfs', 'bind', 'attach']);
    });
  });

  it('drains and reboots nothing when only devices change, and runs no hook for that', async () => {
    const plan = planOf([VFS, BIND, ATTACH]);
    await withHost({ hooks: HOOKS }, planning(plan), async (run, host) => {
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(host.calls).toEqual([
        'inspect',
        'begin',
        'proveIommu',
        'applyDevices',
        'applyDevices',
        'applyDevices',
        'finish',
      ]);
      expect(host.boots).toBe(0);
    });
  });

  it('reboots plainly, without a trial, when modules change and the line does not', async () => {
    await withHost({}, planning(planOf([MODULES])), async (run, host) => {
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(host).toMatchObject({ boots: 1, running: 'old' });
      expect(host.calls).not.toContain('verifyBoot');
      expect(host.calls).not.toContain('applyCmdline');
    });
  });

  it('takes back what was begun in reverse order, and nothing that was not', async () => {
    const prepare = (host: FakeHost) => {
      planning(ALL)(host);
      host.script('applyDevices', fine, fine, held('bind.nothing-bound'));
    };
    await withHost({ onHostFailure: 'rollback' }, prepare, async (run, host) => {
      const result = await run.handle.result();
      expect(result).toMatchObject({ state: 'rolled-back', code: 'bind.nothing-bound' });
      expect(host.undone).toEqual(['bind', 'vfs', 'modules', 'cmdline']);
      expect(host.boots).toBe(2);
    });
  });

  it('is held at the step whose undo fails, and goes on from there', async () => {
    const prepare = (host: FakeHost) => {
      planning(ALL)(host);
      host.script('undo', undoFails('attach.detach-failed'));
      host.script('applyDevices', fine, fine, fine, held('attach.refused'));
    };
    await withHost({ onHostFailure: 'rollback' }, prepare, async (run, host) => {
      const why = await run.heldAs(engine.env);
      expect(why).toMatchObject({ code: 'undo.failed', step: 'attach' });
      expect(host.undone).toEqual([]);
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back' });
      expect(host.undone).toEqual(['attach', 'bind', 'vfs', 'modules', 'cmdline']);
    });
  });

  it('takes 200 bindings back in one activity, and tells of those that stay in a few words', async () => {
    const binds = Array.from({ length: 200 }, (_, at) => ({ ...BIND, address: addressOf(at) }));
    const prepare = (host: FakeHost) => {
      planning(planOf(binds))(host);
      host.script('applyDevices', held('bind.nothing-bound'));
      host.script('undo', undoFails('drift', 200, [...binds.keys()].slice(0, 20)));
    };
    await withHost({ onHostFailure: 'rollback' }, prepare, async (run, host) => {
      const why = await run.heldAs(engine.env);
      expect(why).toMatchObject({ code: 'undo.failed', step: 'bind' });
      expect(why.sentence).toContain(
        '20 of its changes could not be taken back: drift: held as drift',
      );
      expect(Object.keys(why.evidence)).toHaveLength(8);
      expect(why.evidence['undo 8']).toBe('and 13 more');
      const status = await run.status();
      // The newest go first, so those that stay are the last of the plan.
      expect(status.run.undo.map(({ change }) => change)).toEqual(binds.slice(-20));
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back', undoFailures: [] });
      expect(host.undone).toHaveLength(20);
      const { events } = await run.handle.fetchHistory();
      expect(events?.length).toBeLessThan(110);
    });
  });

  it('asks again for what one activity had no time to take back, and needs the reboot of either', async () => {
    const prepare = (host: FakeHost) => {
      planning(
        planOf([BIND, { ...BIND, address: addressOf(1) }, { ...BIND, address: addressOf(2) }]),
      )(host);
      host.script('applyDevices', held('bind.nothing-bound'));
      host.script('undo', () => ({ tried: 1, failures: [], evidence: { reboot: 'needed' } }));
    };
    await withHost({ onHostFailure: 'rollback' }, prepare, async (run, host) => {
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back' });
      expect(host.calls.filter((call) => call === 'undo')).toHaveLength(2);
      expect(host.undone).toHaveLength(2);
      expect(host.boots).toBe(1);
    });
  });

  it('compares the devices with how they did before, and holds when one does worse', async () => {
    const readings = [{ address: VFS.pf, aer: { correctable: 0, nonfatal: 0, fatal: 0 } }];
    const prepare = (host: FakeHost) => {
      planning({ ...planOf([VFS]), readings })(host);
      host.script('deviceHealth', held('health.device-worse'));
    };
    await withHost({}, prepare, async (run) => {
      const why = await run.heldAs(engine.env);
      expect(why).toMatchObject({ code: 'health.device-worse', step: 'health' });
      const exits = why.exits.map(({ verb, recommended, reboots }) => [verb, recommended, reboots]);
      expect(exits).toContainEqual(['rollback', true, '0']);
    });
  });
});
