import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  onTestFinished,
  vi,
} from 'vitest';
import {
  connectEngine,
  EngineTimeout,
  NoEngine,
  resolveEngine,
  within,
} from '../../src/engine/connect.ts';
import { freePort } from '../../src/engine/embedded/free-port.ts';
import { readUpState, removeUpState, writeUpState } from '../../src/engine/up-state.ts';
import { localEnv } from '../setup/temporal.ts';

const since = '2026-11-22T20:00:00Z';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-connect-'));
});
afterEach(() => rm(folder, { recursive: true }));
/** An environment that says nothing: no variable, no config file, no `vfleet up`. */
const bare = () => ({ HOME: folder, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder });
const up = (pid = process.pid) =>
  writeUpState(join(folder, 'vfleet'), { address: '127.0.0.1:7', namespace: 'site', pid, since });

describe('which engine is meant', () => {
  it('is the option before the variables, and these before a running up', async () => {
    await up();
    const env = { ...bare(), TEMPORAL_ADDRESS: 'cluster:7233', TEMPORAL_NAMESPACE: 'prod' };
    expect(await resolveEngine({ env, address: 'other:1' })).toMatchObject({
      address: 'other:1',
      namespace: 'prod',
      source: 'option',
    });
    expect(await resolveEngine({ env })).toMatchObject({
      address: 'cluster:7233',
      namespace: 'prod',
      source: 'temporal-config',
    });
    expect(await resolveEngine({ env: bare() })).toMatchObject({
      address: '127.0.0.1:7',
      namespace: 'site',
      source: 'up',
    });
  });

  it('comes from a profile of Temporal with its key and TLS', async () => {
    const file = join(folder, 'temporal.toml');
    await writeFile(file, '[profile.prod]\naddress = "cloud:7233"\napi_key = "secret"\n');
    const env = { ...bare(), TEMPORAL_CONFIG_FILE: file };
    const { address, connectionOptions } = await resolveEngine({ env, profile: 'prod' });
    expect(address).toBe('cloud:7233');
    expect(connectionOptions).toMatchObject({ apiKey: 'secret', tls: true });
    await expect(resolveEngine({ env, profile: 'absent' })).rejects.toThrow(NoEngine);
  });

  it('is a running up without the key that a profile has for another server', async () => {
    await up();
    const env = { ...bare(), TEMPORAL_API_KEY: 'secret' };
    const { source, connectionOptions } = await resolveEngine({ env });
    expect(source).toBe('up');
    expect(connectionOptions).toEqual({ address: '127.0.0.1:7' });
  });

  it('is none when nobody says so, or when the up that said so is gone', async () => {
    await expect(resolveEngine({ env: bare() })).rejects.toThrow(/vfleet up/);
    await up(2 ** 22 + 1); // above the largest process id of Linux
    await expect(resolveEngine({ env: bare() })).rejects.toThrow(NoEngine);
  });
});

describe('the file of a running up', () => {
  it('is nobody when damaged, and is removed only by its own process', async () => {
    await up();
    const state = join(folder, 'vfleet');
    await removeUpState(state, process.pid + 1);
    expect(await readUpState(state)).toMatchObject({ pid: process.pid, since });
    await removeUpState(state, process.pid);
    expect(await readUpState(state)).toBeUndefined();
    await writeFile(join(state, 'up.json'), '{"address": "127.0.0.1:7"}');
    expect(await readUpState(state)).toBeUndefined();
    await writeFile(join(state, 'up.json'), 'null');
    expect(await readUpState(state)).toBeUndefined();
  });
});

describe('an engine that does not answer', () => {
  it.each([
    ['refuses', async () => `127.0.0.1:${await freePort()}`],
    [
      'accepts and stays silent',
      async () => {
        const silent = createServer().listen(0, '127.0.0.1');
        onTestFinished(() => void silent.close());
        await vi.waitFor(() => expect(silent.listening).toBe(true));
        return `127.0.0.1:${(silent.address() as { port: number }).port}`;
      },
    ],
  ])('is reported in time when it %s', async (_how, start) => {
    const address = await start();
    const started = Date.now();
    const failed = await connectEngine({ address, env: bare(), timeoutMs: 500 }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(NoEngine);
    expect(String(failed)).toContain(address);
    expect(Date.now() - started).toBeLessThan(3_000);
  });
});

describe('calls with a deadline', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => {
    env = await localEnv();
  });
  afterAll(() => env.teardown());

  it('end in time when there is no worker: query, update and result', async () => {
    const handle = await env.client.workflow.start('nobody', {
      taskQueue: 'none',
      workflowId: 'lonely',
    });
    const calls = [
      () => handle.query('status'),
      () => handle.executeUpdate('pause'),
      () => handle.result(),
    ];
    for (const call of calls) {
      await expect(within(env.client, 300, call)).rejects.toThrow(EngineTimeout);
    }
  });

  it("end as timeouts also when the server's clock strikes first and answers CANCELLED", async () => {
    const cancelled = Object.assign(new Error('1 CANCELLED: Call cancelled'), {
      code: 1,
      details: 'Call cancelled',
      metadata: {},
    });
    const wrapped = new ServiceError('Failed to query Workflow', { cause: cancelled });
    const call = () => Promise.reject(wrapped);
    await expect(within(env.client, 5_000, call)).rejects.toThrow(EngineTimeout);
  });

  it('pass on results and failures as they are', async () => {
    const { client } = env;
    expect(await within(client, 5_000, () => client.workflow.count())).toMatchObject({
      count: expect.any(Number) as number,
    });
    const missing = within(client, 5_000, () => client.workflow.getHandle('absent').describe());
    await expect(missing).rejects.toThrow(/not found/);
  });
});
