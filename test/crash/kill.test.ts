import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTemporal } from '../../src/engine/embedded/binaries.ts';
import { startEmbedded } from '../../src/engine/embedded/embedded-server.ts';
import type { HostLogEntry } from '../../src/simulator/model/host-log.ts';
import { CrashBench, kill } from './crash-bench.ts';

const SNIPPET = '/etc/grub.d/42_vfleet_trial';
const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';

type Moment = (entry: Omit<HostLogEntry, 'at'>) => boolean;
/** update-grub has just begun when the snippet has just been written. */
const inCmdline: Moment = ({ what, changed }) => what === SNIPPET && changed;
/** The one-shot is armed, and the host is not told to reboot yet. */
const inReboot: Moment = ({ what }) => what.startsWith('grub-reboot');
/** The host is on its way down, and vfleet waits for it. */
const inWait: Moment = ({ what, effect }) => what === 'reboot' && effect === 'going down';

let bench: CrashBench;
beforeEach(async () => {
  bench = await CrashBench.open();
}, 60_000);
afterEach(() => bench.close(), 60_000);

/** The host ended well, and its own log says that each thing was done to it once. */
function expectChangedOnce(): void {
  const { log, tree } = bench.host;
  expect(log.changesOf(SNIPPET)).toBe(2);
  expect(log.changesOf(DROP_IN)).toBe(1);
  expect(log.boots()).toBe(1);
  expect(tree.text('/proc/cmdline')).toContain('intel_iommu=on iommu=pt');
  expect(tree.text(SNIPPET)).toBeUndefined();
  expect(tree.text('/var/lib/vfleet/lease')).toBeUndefined();
}

describe('kill -9 of vfleet up, engine and worker at once', { timeout: 180_000 }, () => {
  it.each([
    ['cmdline', inCmdline],
    ['reboot', inReboot],
    ['wait', inWait],
  ])('in the middle of %s: the next up ends the rollout well', async (_step, moment) => {
    const first = await bench.start('up');
    const reached = bench.logged(moment);
    await bench.rollout();
    await reached;
    await kill(first);
    await bench.start('up');
    expect(await bench.ended()).toMatchObject({ phase: 'done', counts: { done: 1 } });
    expectChangedOnce();
  });
});

describe('kill -9 of one of the two', { timeout: 180_000 }, () => {
  it('the embedded server, in cmdline: up ends and says so, the next up goes on', async () => {
    const first = await bench.start('up');
    const reached = bench.logged(inCmdline);
    await bench.rollout();
    await reached;
    const exited = new Promise((resolve) => first.once('exit', resolve));
    process.kill(await bench.serverPid(), 'SIGKILL');
    expect(await exited).toBe(1);
    await bench.start('up');
    expect(await bench.ended()).toMatchObject({ phase: 'done', counts: { done: 1 } });
    expectChangedOnce();
  });

  it('the worker, in cmdline: another worker ends it, and the two never meet on the host', async () => {
    const server = await startEmbedded({ binary: await findTemporal({ env: process.env }) });
    const env = { TEMPORAL_ADDRESS: server.address };
    try {
      const first = await bench.start('worker', env);
      const reached = bench.logged(inCmdline);
      await bench.rollout(env);
      await reached;
      await kill(first);
      await bench.start('worker', env);
      expect(await bench.ended(env)).toMatchObject({ phase: 'done', counts: { done: 1 } });
      expectChangedOnce();
    } finally {
      await server.stop();
    }
  });
});
