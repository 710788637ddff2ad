import { describe, expect, it } from 'vitest';
import { fails, held } from './fake-hosts.ts';
import type { FakeHost } from './fake-hosts.ts';
import { hostsOn, useEngine } from './file-engine.ts';
import { hostInput, type HostDriver } from './host-driver.ts';

const engine = useEngine();
const withHost = hostsOn(engine);

const exitsOf = async (run: HostDriver) =>
  (await run.heldAs(engine.env)).exits.map((exit) => exit.verb);
const LEASE = hostInput('').lease;
const changed = (host: FakeHost) => Object.assign(host, { changed: true, running: 'new' });

/** The lease is written, the record is not: both ways in which `begin` can end half-way. */
const HALF_BEGUN = {
  'a hold': held('host.record-unreadable'),
  'a failure': fails('host.no-sudo'),
} as const;

describe.each(Object.entries(HALF_BEGUN))('a begin that ended half-way with %s', (_, ending) => {
  const prepare = (host: FakeHost) =>
    host.script('begin', () => {
      host.lease = LEASE;
      return ending();
    });

  it('is left by skip without its lease on the host', async () => {
    await withHost({}, prepare, async (run, host) => {
      expect(await exitsOf(run)).toEqual(['retry', 'skip']);
      await run.verb('skip');
      expect(await run.handle.result()).toMatchObject({ state: 'skipped', undoFailures: [] });
      expect(host.lease).toBeUndefined();
    });
  });

  it('is begun again by retry', async () => {
    await withHost({}, prepare, async (run, host) => {
      await run.heldAs(engine.env);
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(host.calls.filter((call) => call === 'begin')).toHaveLength(2);
    });
  });
});

describe('a run that is itself a rollback', () => {
  it('offers no rollback before it turned round: nothing would be taken back', async () => {
    const prepare = (host: FakeHost) =>
      changed(host).script('checkGuests', held('drain.guests-running'));
    await withHost({ direction: 'rollback' }, prepare, async (run, host) => {
      expect(await exitsOf(run)).toEqual(['retry', 'skip']);
      expect(await run.refusal('rollback')).toContain('these do: retry, skip');
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back' });
      expect(host).toMatchObject({ changed: false, running: 'old' });
    });
  });

  it.each([
    ['that never happened', 'reboot', () => ({ kind: 'ok', evidence: {} }), 1],
    ['onto a third line', 'verifyBoot', held('reboot.unexpected-line'), 2],
  ] as const)('tells a reboot %s again on retry', async (_, activity, behaviour, boots) => {
    const prepare = (host: FakeHost) => changed(host).script(activity, behaviour);
    await withHost({ direction: 'rollback' }, prepare, async (run, host) => {
      const hold = await run.heldAs(engine.env);
      expect(hold.exits.find((exit) => exit.verb === 'retry')?.at).toBe('reboot');
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back' });
      expect(host).toMatchObject({ boots, running: 'old', lease: undefined });
    });
  });
});

describe('a rollback of a host that does not answer', () => {
  it('is held as that, counts as unavailable, and goes on when it is back', async () => {
    const prepare = (host: FakeHost) =>
      host.script('proveIommu', held('iommu.no-units')).always('undo', fails('ssh.timeout', false));
    await withHost({}, prepare, async (run, host) => {
      await run.heldAs(engine.env);
      await run.verb('rollback');
      await expect
        .poll(async () => (await run.status()).hold?.code, { timeout: 20_000 })
        .toBe('ssh.timeout');
      expect((await run.status()).run.lastReport).toMatchObject({ unavailable: true });
      host.heal();
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back', undoFailures: [] });
    });
  });
});

describe('a drained host', () => {
  it('is brought back into service by rollback, also when the drain hook itself failed', async () => {
    const hooks = {
      drain: { on: 'worker', run: ['drain'], timeoutMs: 60_000 },
      undrain: { on: 'worker', run: ['undrain'], timeoutMs: 60_000 },
    } as const;
    const prepare = (host: FakeHost) => host.script('hook', held('drain.hook-failed'));
    await withHost({ hooks }, prepare, async (run, host) => {
      await run.heldAs(engine.env);
      expect((await run.status()).run.drained).toBe(true);
      await run.verb('rollback');
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back' });
      expect(host.calls).toEqual(['inspect', 'begin', 'hook', 'hook', 'finish']);
    });
  });
});

describe('a later run of a host whose earlier one was lost', () => {
  it('gives the lease of that one up, though it finds the host compliant', async () => {
    const prepare = (host: FakeHost) => Object.assign(changed(host), { lease: LEASE });
    await withHost({ run: 2 }, prepare, async (run, host) => {
      expect(await run.handle.result()).toMatchObject({ state: 'compliant' });
      expect(host.lease).toBeUndefined();
    });
  });
});
