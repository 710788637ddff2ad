import { describe, expect, it } from 'vitest';
import type { HostRunInput } from '../../src/domain/host-run.ts';
import { fails, held } from './fake-hosts.ts';
import type { FakeHost } from './fake-hosts.ts';
import { hostsOn, useEngine } from './file-engine.ts';
import type { HostDriver } from './host-driver.ts';

const engine = useEngine();
const onHost = hostsOn(engine);
const withHost = (
  prepare: (host: FakeHost) => unknown,
  body: (run: HostDriver, host: FakeHost) => Promise<void>,
  change: Partial<HostRunInput> = {},
): Promise<void> => onHost(change, prepare, body);

const times = (host: FakeHost, name: string) => host.calls.filter((call) => call === name).length;
const away = () => ({ kind: 'away', code: 'ssh.timeout', sentence: 'no answer' });
const ok = () => ({ kind: 'ok', evidence: {} });
/** It was told, and nothing is heard of it: polls and looks find nobody. */
const vanishes = (host: FakeHost) =>
  host
    .script('reboot', ok)
    .always('awaitReboot', fails('reboot.not-back-yet', false))
    .script('probeBoot', away);

/** Each activity that may hold: where the hold stands, where a retry goes on, what is recommended. */
const HOLDS = [
  ['begin', 'host.busy', 'drain', 'inspect', 'retry'],
  ['checkGuests', 'drain.guests-running', 'drain', 'drain', 'retry'],
  ['applyCmdline', 'drift', 'cmdline', 'cmdline', 'retry'],
  ['applyCmdline', 'host.disk-full', 'cmdline', 'cmdline', 'retry'],
  ['reboot', 'drift', 'reboot', 'cmdline', 'retry'],
  ['reboot', 'reboot.refused', 'reboot', 'reboot', 'retry'],
  ['verifyBoot', 'reboot.unexpected-line', 'wait', 'reboot', 'rollback'],
  ['proveIommu', 'iommu.no-units', 'iommu', 'iommu', 'rollback'],
  ['makeDefault', 'host.disk-full', 'iommu', 'iommu', 'retry'],
  ['finish', 'host.read-only', 'undrain', 'undrain', 'retry'],
] as const;

describe('every hold', () => {
  it.each(HOLDS)('of %s with %s stands at %s and is retried at %s', async (...hold) => {
    const [activity, code, step, at, recommended] = hold;
    await withHost(
      (host) => host.script(activity, held(code)),
      async (run, host) => {
        const seen = await run.heldAs(engine.env);
        expect(seen).toMatchObject({ code, step });
        expect(seen.exits.find((exit) => exit.verb === 'retry')?.at).toBe(at);
        expect(seen.exits.filter((exit) => exit.recommended).map((exit) => exit.verb)).toEqual([
          recommended,
        ]);
        await run.verb('retry');
        expect(await run.handle.result()).toMatchObject({ state: 'done' });
        expect(host).toMatchObject({ changed: true, lease: undefined });
      },
    );
  });

  it.each(HOLDS.filter(([activity]) => activity !== 'begin'))(
    'of %s with %s is left by rollback, the host as it was',
    async (activity, code) => {
      await withHost(
        (host) => host.script(activity, held(code)),
        async (run, host) => {
          await run.heldAs(engine.env);
          await run.verb('rollback');
          expect(await run.handle.result()).toMatchObject({ state: 'rolled-back', code });
          expect(host).toMatchObject({ changed: false, running: 'old', lease: undefined });
        },
      );
    },
  );

  it('is left by skip as it stands, with the lease given up', async () => {
    await withHost(
      (host) => host.script('proveIommu', held('iommu.no-units')),
      async (run, host) => {
        await run.heldAs(engine.env);
        await run.verb('skip');
        expect(await run.handle.result()).toMatchObject({
          state: 'skipped',
          code: 'iommu.no-units',
          undoFailures: [],
        });
        expect(host).toMatchObject({ running: 'trial', outcome: 'skipped', lease: undefined });
      },
    );
  });

  it('leaves nothing in the way of others when it is skipped before its first change', async () => {
    await withHost(
      (host) => host.script('checkGuests', held('drain.guests-running')),
      async (run, host) => {
        await run.heldAs(engine.env);
        await run.verb('skip');
        expect(await run.handle.result()).toMatchObject({ state: 'skipped' });
        expect(host).toMatchObject({ running: 'old', outcome: 'unchanged', lease: undefined });
      },
    );
  });

  it('says when a skipped host could not be told to give its lease up', async () => {
    await withHost(
      (host) =>
        host.script('proveIommu', held('iommu.no-units')).always('finish', fails('ssh.auth')),
      async (run) => {
        await run.heldAs(engine.env);
        await run.verb('skip');
        const { state, undoFailures } = await run.handle.result();
        expect(state).toBe('skipped');
        expect(undoFailures).toEqual(['lease not given up: failed as ssh.auth']);
      },
    );
  });
});

describe('a failure to reach the host', () => {
  it('is tried a few times, then held with its own code, and retried at the step', async () => {
    await withHost(
      (host) =>
        host.script('applyCmdline', ...Array.from({ length: 4 }, () => fails('ssh.closed', false))),
      async (run, host) => {
        expect(await run.heldAs(engine.env)).toMatchObject({ code: 'ssh.closed', step: 'cmdline' });
        expect(times(host, 'applyCmdline')).toBe(4);
        await run.verb('retry');
        expect(await run.handle.result()).toMatchObject({ state: 'done' });
      },
    );
  });

  it('is not undone by itself though the spec wants failed hosts back: nobody knows what it does', async () => {
    await withHost(
      (host) => host.always('applyCmdline', fails('ssh.timeout', false)),
      async (run, host) => {
        await run.heldAs(engine.env);
        expect(host.calls).not.toContain('undo');
        host.heal();
        await run.verb('rollback');
        expect(await run.handle.result()).toMatchObject({ state: 'rolled-back' });
      },
      { onHostFailure: 'rollback' },
    );
  });
});

describe('a reboot', () => {
  it('without return is held after one last look, and goes on from wait when the host is back', async () => {
    await withHost(vanishes, async (run, host) => {
      const hold = await run.heldAs(engine.env);
      expect(hold).toMatchObject({ code: 'reboot.no-return', step: 'wait' });
      expect(hold.evidence).toMatchObject({ last: 'ssh.timeout', bootIdBefore: 'boot-0' });
      expect(hold.exits.map(({ verb, at, reboots }) => [verb, at, reboots])).toEqual([
        ['retry', 'wait', '0 or 1'],
        ['rollback', undefined, '0 or 1'],
        ['skip', undefined, '0'],
      ]);
      expect((await run.status()).run.lastReport).toMatchObject({
        state: 'held',
        unavailable: true,
      });
      host.heal();
      host.armed = true;
      host.boot();
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(times(host, 'reboot')).toBe(1);
    });
  });

  it('counts as returned when the poll ran out but the last look finds the host', async () => {
    const late = (host: FakeHost) =>
      host.always('awaitReboot', fails('reboot.not-back-yet', false));
    await withHost(late, async (run, host) => {
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(times(host, 'probeBoot')).toBe(1);
    });
  });

  it('that never happened is told again on retry', async () => {
    await withHost(
      (host) => host.script('reboot', ok),
      async (run, host) => {
        const hold = await run.heldAs(engine.env);
        expect(hold).toMatchObject({ code: 'reboot.did-not-happen', step: 'wait' });
        await run.verb('retry');
        expect(await run.handle.result()).toMatchObject({ state: 'done' });
        expect(host).toMatchObject({ boots: 1 });
      },
    );
  });

  it('whose answer was lost is not sent again when a fresh look finds another boot', async () => {
    const lost = (host: FakeHost) =>
      host.script('reboot', ...Array.from({ length: 4 }, () => fails('ssh.closed', false)));
    await withHost(lost, async (run, host) => {
      expect(await run.heldAs(engine.env)).toMatchObject({ code: 'ssh.closed', step: 'reboot' });
      host.armed = true;
      host.boot();
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(host).toMatchObject({ boots: 1 });
    });
  });

  it('on trial that failed recommends rollback without a reboot; a retry boots it once more', async () => {
    const crash = (host: FakeHost) =>
      host.script('reboot', () => {
        host.boot();
        return ok();
      });
    await withHost(crash, async (run, host) => {
      const hold = await run.heldAs(engine.env);
      expect(hold).toMatchObject({ code: 'reboot.trial-failed', step: 'wait' });
      expect(hold.exits.find((exit) => exit.recommended)).toMatchObject({
        verb: 'rollback',
        reboots: '0',
      });
      expect((await run.status()).run.lastReport).toMatchObject({ unavailable: false });
      // Somebody power-cycled it meanwhile: the boot to leave is the one it runs now.
      host.boot();
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(host).toMatchObject({ boots: 3, running: 'trial', changed: true });
    });
  });
});
