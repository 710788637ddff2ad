import { describe, expect, it } from 'vitest';
import type { HostRunInput } from '../../src/domain/host-run.ts';
import { fails, held, undoFails } from './fake-hosts.ts';
import type { FakeHost } from './fake-hosts.ts';
import { hostsOn, useEngine } from './file-engine.ts';

const engine = useEngine();
const withHost = hostsOn(engine);

const hook = (name: string) => ({ on: 'worker' as const, run: [name] as const, timeoutMs: 60_000 });
const nothing = () => undefined;

describe('a host run', () => {
  it('takes a bare host to the proven line: begun before it is changed, default only after proof', async () => {
    await withHost({ expectedDigest: 'digest-A' }, nothing, async (run, host) => {
      const result = await run.handle.result();
      expect(result).toMatchObject({ state: 'done', undoFailures: [] });
      expect(host.calls).toEqual([
        'inspect',
        'begin',
        'checkGuests',
        'applyCmdline',
        'reboot',
        'awaitReboot',
        'verifyBoot',
        'proveIommu',
        'makeDefault',
        'finish',
      ]);
      expect(host).toMatchObject({ boots: 1, changed: true, outcome: 'done', lease: undefined });
      expect(host.seqs).toEqual([1001, 1002, 1003, 1004, 1005]);
      expect(result.evidence.iommu).toEqual({ units: 'dmar0' });
    });
  });

  it('leaves a compliant host alone after one look', async () => {
    await withHost(
      {},
      (host) => (host.changed = true),
      async (run, host) => {
        expect(await run.handle.result()).toMatchObject({ state: 'compliant' });
        expect(host.calls).toEqual(['inspect']);
      },
    );
  });

  it('ends as blocked with the reason and without a write', async () => {
    const plan = { kind: 'blocked', code: 'firmware.no-dmar', sentence: 'turn on VT-d' };
    await withHost(
      {},
      (host) => host.script('inspect', () => plan),
      async (run, host) => {
        const { code, sentence } = plan;
        expect(await run.handle.result()).toMatchObject({ state: 'blocked', code, sentence });
        expect(host.calls).toEqual(['inspect']);
      },
    );
  });

  it('counts a host that does not answer as unreachable, but holds one with a changed key', async () => {
    await withHost(
      {},
      (host) => host.always('inspect', fails('ssh.timeout', false)),
      async (run) => {
        expect(await run.handle.result()).toMatchObject({
          state: 'unreachable',
          code: 'ssh.timeout',
        });
      },
    );
    await withHost(
      {},
      (host) => host.script('inspect', fails('ssh.host-key-changed')),
      async (run) => {
        expect(await run.heldAs(engine.env)).toMatchObject({
          code: 'ssh.host-key-changed',
          step: 'inspect',
        });
        await run.verb('skip');
        expect(await run.handle.result()).toMatchObject({ state: 'skipped' });
      },
    );
  });

  it('holds a plan that changed, and takes it as it is on retry', async () => {
    await withHost({ expectedDigest: 'digest-B' }, nothing, async (run, host) => {
      const hold = await run.heldAs(engine.env);
      expect(hold).toMatchObject({ code: 'plan.changed', step: 'inspect' });
      expect(hold.evidence).toMatchObject({ digest: 'digest-A', planned: 'digest-B' });
      expect(await run.refusal('rollback')).toContain('these do: retry, skip');
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'done' });
      expect(host.calls.filter((call) => call === 'inspect')).toHaveLength(2);
    });
  });

  it('runs the hooks around the change, and undrains only at the end', async () => {
    const hooks = { drain: hook('drain'), undrain: hook('undrain'), health: hook('health') };
    await withHost({ hooks }, nothing, async (run, host) => {
      await run.handle.result();
      expect(host.calls.filter((call) => !call.startsWith('await')).join(' ')).toBe(
        'inspect begin hook applyCmdline reboot verifyBoot proveIommu makeDefault hook hook finish',
      );
    });
  });

  it('refuses every verb while it is not held', async () => {
    let release = nothing as () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const drain = () => gate.then(() => ({ kind: 'ok', evidence: {} }));
    await withHost(
      {},
      (host) => host.script('checkGuests', drain),
      async (run, host) => {
        await expect.poll(() => host.calls.at(-1), { timeout: 10_000 }).toBe('checkGuests');
        expect(await run.refusal('retry')).toContain('is not held: it is at drain');
        release();
        expect(await run.handle.result()).toMatchObject({ state: 'done' });
      },
    );
  });

  it('is held before its next step by Temporal’s Cancel, and undoes nothing', async () => {
    let release = nothing as () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const guests = () => gate.then(() => ({ kind: 'ok', evidence: {} }));
    await withHost(
      {},
      (host) => host.script('checkGuests', guests),
      async (run, host) => {
        await expect.poll(() => host.calls.at(-1), { timeout: 10_000 }).toBe('checkGuests');
        await run.handle.cancel();
        release();
        expect(await run.heldAs(engine.env)).toMatchObject({
          code: 'run.cancelled',
          step: 'cmdline',
        });
        expect(host.calls).not.toContain('undo');
        await run.verb('retry');
        expect(await run.handle.result()).toMatchObject({ state: 'done' });
      },
    );
  });
});

describe('a rollback', () => {
  it('undoes by itself what a failed host began, when the spec wants that', async () => {
    const change: Partial<HostRunInput> = { onHostFailure: 'rollback' };
    await withHost(
      change,
      (host) => host.script('proveIommu', held('iommu.no-units')),
      async (run, host) => {
        expect(await run.handle.result()).toMatchObject({
          state: 'rolled-back',
          code: 'iommu.no-units',
          undoFailures: [],
        });
        expect(host).toMatchObject({ boots: 2, running: 'old', changed: false, lease: undefined });
      },
    );
  });

  it('is not claimed when an undo failed: the host is held, and retry takes back what is left', async () => {
    const change: Partial<HostRunInput> = { onHostFailure: 'rollback' };
    const prepare = (host: FakeHost) =>
      host.script('proveIommu', held('iommu.no-units')).script('undo', undoFails('drift'));
    await withHost(change, prepare, async (run, host) => {
      const hold = await run.heldAs(engine.env);
      expect(hold).toMatchObject({ code: 'undo.failed' });
      expect(hold.sentence).toContain('drift: held as drift');
      expect(hold.exits.map((exit) => exit.verb)).toEqual(['retry', 'skip']);
      await run.verb('retry');
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back', undoFailures: [] });
      expect(host.outcome).toBe('rolled-back');
    });
  });

  it('of its own takes back what the record says, drained, without a trial', async () => {
    const prepare = (host: FakeHost) => Object.assign(host, { changed: true, running: 'new' });
    await withHost({ direction: 'rollback' }, prepare, async (run, host) => {
      expect(await run.handle.result()).toMatchObject({ state: 'rolled-back' });
      expect(host.calls.join(' ')).toBe(
        'inspect begin checkGuests undo probeBoot reboot awaitReboot verifyBoot finish',
      );
      expect(host).toMatchObject({ running: 'old', changed: false, boots: 1 });
    });
  });
});
