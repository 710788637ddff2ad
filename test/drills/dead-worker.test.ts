import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTemporal } from '../../src/engine/embedded/binaries.ts';
import { startEmbedded, type EmbeddedServer } from '../../src/engine/embedded/embedded-server.ts';
import { startDrillGround, startReady, stopped, type DrillGround } from './drill-ground.ts';
import { Drill, unwrapped } from './drill.ts';

let server: EmbeddedServer;
let ground: DrillGround;
let worker: ChildProcessWithoutNullStreams;

/** The worker is killed in the middle of a host's run. */
beforeAll(async () => {
  server = await startEmbedded({ binary: await findTemporal({ env: process.env }) });
  ground = await startDrillGround({ hosts: 1, env: { TEMPORAL_ADDRESS: server.address } });
  worker = await startReady(['worker'], ground.cli);
  ground.fleet.host('hv01').addFault({ kind: 'slow', latencyMs: 500 });
  await ground.start(await ground.spec('orphan', 'hv01'));
  await ground.until('orphan', ({ hosts }) => hosts[0]?.state === 'running');
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}, 240_000);
afterAll(async () => {
  await stopped(worker);
  await ground.stop();
  await server.stop();
}, 60_000);

describe('from nothing but the words of the CLI', () => {
  it('a dead worker is told from a dead engine, another is started, and the rollout goes on', async () => {
    const drill = new Drill(ground.cli);
    const list = await drill.begin();
    expect(list.code).toBe(3);
    expect(unwrapped(list)).toMatch(
      /orphan#1 .*no worker answers on task queue vfleet of engine 127\.0\.0\.1:\d+: the last one was seen/,
    );
    worker = await drill.serve(
      list,
      /next {3}(vfleet worker), on a machine that reaches the hosts/,
    );
    const { counts } = await ground.until('orphan', ({ phase }) => phase === 'done');
    expect(counts.done).toBe(1);
    const after = await drill.begin();
    expect(after).toMatchObject({ code: 0 });
    expect(after.text).toContain('Nothing waits for a person.');
  }, 180_000);
});
