import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHook } from '../../../activities/steps/hook.ts';
import type { HookPhase } from '../../../activities/steps/hook.ts';
import type { Hook } from '../../../src/domain/spec.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard } from '../../support/step-run.ts';

let folder: string;
let host: MemoryHost;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-hooks-'));
  host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
});
afterEach(async () => {
  host.model.dispose();
  await rm(folder, { recursive: true });
});

async function script(name: string, body: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`);
  await chmod(join(folder, name), 0o755);
}

const run = (hook: Partial<Hook>, phase: HookPhase = 'drain', signal?: AbortSignal) =>
  runHook(host, {
    hook: { on: 'worker', run: ['hook'], timeoutMs: 20_000, ...hook },
    guard: guard(2),
    context: { phase, host: 'hv1', address: '192.0.2.1', rollout: 'enable-iommu#1', folder },
    ...(signal === undefined ? {} : { signal }),
  });

describe('a hook on the worker', () => {
  it('is told which host, and gets its arguments, and no secret of the worker', async () => {
    process.env['VFLEET_TEST_SECRET'] = 'hunter2';
    await script(
      'hook',
      'echo "$VFLEET_HOST $VFLEET_ADDRESS $VFLEET_ROLLOUT $VFLEET_PHASE $1"; env',
    );
    const outcome = await run({ run: ['hook', '--all'] });
    delete process.env['VFLEET_TEST_SECRET'];
    expect(outcome.kind).toBe('ok');
    expect(outcome.evidence['output']).toMatch(/^hv1 192\.0\.2\.1 enable-iommu#1 drain --all\n/);
    expect(outcome.evidence['output']).not.toContain('hunter2');
  });

  it.each([
    ['drain', 'drain.hook-failed'],
    ['health', 'health.failed'],
    ['undrain', 'undrain.hook-failed'],
  ] as const)('that fails at %s holds as %s, with the end of what it said', async (phase, code) => {
    await script('hook', 'echo no room >&2; exit 3');
    expect(await run({}, phase)).toMatchObject({
      kind: 'hold',
      code,
      sentence: `the ${phase} hook hook on the worker exited with 3`,
      evidence: { stderr: 'no room' },
    });
  });

  it('is stopped at its time', async () => {
    await script('hook', 'exec sleep 60');
    const outcome = await run({ timeoutMs: 50 });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'drain.hook-failed' });
    expect(outcome.kind === 'hold' && outcome.sentence).toContain('did not end in time');
  });

  it('is stopped at its time though a child of its own keeps the output open', async () => {
    await script('hook', 'sleep 30 & wait');
    const started = Date.now();
    const outcome = await run({ timeoutMs: 50 });
    expect(outcome.kind === 'hold' && outcome.sentence).toContain('did not end in time');
    expect(Date.now() - started).toBeLessThan(4_000);
  });

  it('is stopped although it does not want to', async () => {
    await script('hook', "trap '' TERM; while :; do sleep 0.1; done");
    const outcome = await run({ timeoutMs: 50 });
    expect(outcome.kind === 'hold' && outcome.sentence).toContain('did not end in time');
  });

  it('is stopped when the activity is', async () => {
    await script('hook', 'exec sleep 60');
    const outcome = await run({}, 'drain', AbortSignal.timeout(50));
    expect(outcome.kind).toBe('hold');
  });

  it.each(['../hook', '/bin/true', '-x', ''])('%j is not the name of a hook', async (name) => {
    const outcome = await run({ run: [name] });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'drain.hook-failed' });
  });

  it('that is missing, or not executable, is said so', async () => {
    const missing = await run({ run: ['none'] });
    expect(missing.evidence['stderr']).toContain('none');
    await writeFile(join(folder, 'plain'), 'text');
    const plain = await run({ run: ['plain'] });
    expect(plain.evidence['stderr']).toContain('EACCES');
  });
});

describe('a hook on the host', () => {
  it('is run there under the guard', async () => {
    await begun(host);
    const outcome = await run(
      { on: 'host', run: ['systemctl', 'is-active', 'libvirtd'] },
      'health',
    );
    expect(outcome).toMatchObject({ kind: 'ok', evidence: { health: 'exit 0' } });
    host.model.units.set('libvirtd', 'failed');
    expect(
      await run({ on: 'host', run: ['systemctl', 'is-active', 'libvirtd'] }, 'health'),
    ).toMatchObject({ kind: 'hold', code: 'health.failed' });
  });
});
