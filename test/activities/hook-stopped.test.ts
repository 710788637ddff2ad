import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createHostActivities } from '../../activities/host-activities.ts';
import { createMemoryDirectory, createMemoryHost } from '../../src/simulator/memory-host.ts';

it('a hook that its worker stopped as it went down is run again, and holds nobody', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vfleet-hooks-'));
  const hosts = createMemoryDirectory([createMemoryHost({ name: 'hv1' })]);
  onTestFinished(async () => {
    await hosts.close();
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, 'drain'), '#!/bin/sh\nexec sleep 60\n');
  await chmod(join(folder, 'drain'), 0o755);
  const activities = createHostActivities({
    hosts,
    hooksFolder: folder,
    engine: 'test',
    log: pino({ level: 'silent' }),
  });
  const env = new MockActivityEnvironment();
  const call: Parameters<typeof activities.hook>[0] = {
    connection: { name: 'hv1', address: '192.0.2.1', port: 22, user: 'admin' },
    lease: 'l',
    seq: 1,
    hook: { on: 'worker', run: ['drain'], timeoutMs: 60_000 },
    phase: 'drain',
    rollout: 'enable-iommu#1',
  };
  const running = env.run(() => activities.hook(call));
  env.cancel('WORKER_SHUTDOWN');
  await expect(running).rejects.toMatchObject({
    type: 'host.outcome-unknown',
    nonRetryable: false,
  });
});
