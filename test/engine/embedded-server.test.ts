import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectEngine } from '../../src/engine/connect.ts';
import { findTemporal } from '../../src/engine/embedded/binaries.ts';
import { DatabaseInUse } from '../../src/engine/embedded/database-lock.ts';
import {
  EmbeddedServerFailed,
  startEmbedded,
  type EmbeddedServer,
} from '../../src/engine/embedded/embedded-server.ts';
import * as ports from '../../src/engine/embedded/free-port.ts';
import { isAlive } from '../../src/engine/embedded/process-info.ts';

let binary: string;
let folder: string;
beforeAll(async () => {
  binary = await findTemporal({ env: process.env });
  folder = await mkdtemp(join(tmpdir(), 'vfleet-embedded-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function start(
  options: Omit<Parameters<typeof startEmbedded>[0], 'binary'>,
): Promise<EmbeddedServer> {
  const server = await startEmbedded({ ...options, binary });
  onTestFinished(() => server.stop());
  return server;
}

async function startWorkflow(address: string, workflowId: string): Promise<void> {
  const engine = await connectEngine({ address, namespace: 'site', env: {} });
  await engine.client.workflow.start('nobody', { taskQueue: 'none', workflowId });
  await engine.close();
}

async function statusOf(address: string, workflowId: string): Promise<string> {
  const engine = await connectEngine({ address, namespace: 'site', env: {} });
  const { status } = await engine.client.workflow.getHandle(workflowId).describe();
  await engine.close();
  return status.name;
}

describe('the embedded server', () => {
  it('finds everything again after a stop and after kill -9, with its settings given again', async () => {
    const options = {
      dbFile: join(folder, 'again', 'vfleet.db'),
      namespace: 'site',
      searchAttributes: { VfleetState: 'Keyword' as const },
    };
    const first = await start(options);
    await startWorkflow(first.address, 'one');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await start(options);
    await startWorkflow(second.address, 'two');
    process.kill(second.pid, 'SIGKILL');
    expect(await second.ended).toBe('SIGKILL');

    const third = await start(options);
    expect(await statusOf(third.address, 'one')).toBe('RUNNING');
    expect(await statusOf(third.address, 'two')).toBe('RUNNING');
  });

  it('keeps its folder from other users and releases the file when it stops', async () => {
    const dbFile = join(folder, 'private', 'vfleet.db');
    const server = await start({ dbFile });
    expect((await stat(join(folder, 'private'))).mode & 0o077).toBe(0);
    expect(JSON.parse(await readFile(`${dbFile}.pid`, 'utf8'))).toEqual({
      owner: process.pid,
      server: server.pid,
    });
    await server.stop();
    await expect(stat(`${dbFile}.pid`)).rejects.toThrow(/ENOENT/);
  });

  it('refuses a database that another server has open, naming it', async () => {
    const dbFile = join(folder, 'shared.db');
    const server = await start({ dbFile });
    const refused = await start({ dbFile }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DatabaseInUse);
    expect(refused).toMatchObject({ pid: server.pid, file: dbFile });
  });

  it('passes over a lock whose process id now belongs to something else', async () => {
    const dbFile = join(folder, 'stale.db');
    await writeFile(`${dbFile}.pid`, JSON.stringify({ owner: process.pid, server: process.pid }));
    const server = await start({ dbFile });
    expect(isAlive(server.pid)).toBe(true);
  });

  it('takes another port when its own was taken meanwhile', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await vi.waitFor(() => expect(taken.address()).not.toBeNull());
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const free = vi.fn(ports.freePort).mockResolvedValueOnce(port);
    const server = await start({ freePort: free });
    expect(free).toHaveBeenCalledTimes(2);
    expect(server.address).not.toBe(`127.0.0.1:${port}`);
  });

  it('says why it could not start, and leaves no lock behind', async () => {
    const dbFile = join(folder, 'not-a-database.db');
    await writeFile(dbFile, 'this is no SQLite file, but long enough to look at'.repeat(100));
    const failed = await start({ dbFile }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(EmbeddedServerFailed);
    expect(String(failed)).toMatch(/not a database/);
    await expect(stat(`${dbFile}.pid`)).rejects.toThrow(/ENOENT/);
  });
});
