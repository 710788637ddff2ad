import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveEngine } from '../../src/engine/connect.ts';
import { findTemporal } from '../../src/engine/embedded/binaries.ts';
import { startEmbedded, type EmbeddedServer } from '../../src/engine/embedded/embedded-server.ts';
import { connectWorker, createVfleetWorker, installRuntime } from '../../src/engine/worker.ts';
import { workflowBundle } from '../../src/engine/workflow-bundle.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-worker-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the workflow bundle', () => {
  it('is built once and then found, and takes the place of older ones', async () => {
    const cache = join(folder, 'cache');
    const first = await workflowBundle(cache);
    if (!('codePath' in first)) throw new Error('the bundle was not kept');
    const built = await stat(first.codePath);
    expect(await readFile(first.codePath, 'utf8')).toContain('rollout');
    await writeFile(join(cache, 'workflow-bundle-0123456789abcdef.js'), 'older');
    expect(await workflowBundle(cache)).toEqual(first);
    expect((await stat(first.codePath)).mtimeMs).toBe(built.mtimeMs);
    await rm(first.codePath);
    await workflowBundle(cache);
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('is handed over in memory where nothing can be kept', async () => {
    const file = join(folder, 'a-file-not-a-folder');
    await writeFile(file, '');
    expect(await workflowBundle(file)).toMatchObject({ code: expect.any(String) as string });
  });
});

describe('the worker', () => {
  let server: EmbeddedServer;
  beforeAll(async () => {
    server = await startEmbedded({ binary: await findTemporal({ env: process.env }) });
  });
  afterAll(() => server.stop());

  it('starts on the bundle, logs only warnings to the given log, and shuts down when asked', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    installRuntime(log);
    installRuntime(log); // A second call is harmless.
    const target = await resolveEngine({ address: server.address, env: { HOME: folder } });
    const connection = await connectWorker(target);
    const worker = await createVfleetWorker({
      connection,
      namespace: target.namespace,
      taskQueue: 'site',
      activities: {},
      bundle: await workflowBundle(join(folder, 'cache')),
    });
    expect(worker.options).toMatchObject({
      shutdownGraceTimeMs: 10_000,
      shutdownForceTimeMs: 30_000,
    });
    await worker.runUntil(Promise.resolve());
    await connection.close();
    const levels = lines.map((line) => (JSON.parse(line) as { level: number }).level);
    expect(levels.every((level) => level >= 40)).toBe(true);
    expect(lines.join()).toContain('No activities registered');
  });
});
