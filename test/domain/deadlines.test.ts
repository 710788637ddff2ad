import { afterEach, describe, expect, it } from 'vitest';
import { beginRun } from '../../activities/steps/begin.ts';
import { applyTrial, makeDefault, undoCmdline } from '../../activities/steps/cmdline.ts';
import { finishRun } from '../../activities/steps/finish.ts';
import { KILL_AFTER_MS } from '../../activities/steps/hook.ts';
import { rebootHost } from '../../activities/steps/reboot.ts';
import { ACTIVITY_TIME_MS, HOOK_MARGIN_MS, HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { HostPort } from '../../src/host/port.ts';
import { SSH_LIMITS } from '../../src/host/ssh/limits.ts';
import { encodeCall } from '../../src/host/wire.ts';
import type { Requests, Verb } from '../../src/host/wire.ts';
import type { MemoryHost } from '../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../src/simulator/memory-host.ts';
import { LEASE, begun, guard, planned, withTrial } from '../support/step-run.ts';

/** A port that adds up how long its commands might take at most, until their answers are given up. */
class Timed implements HostPort {
  readonly name: string;
  readonly #host: HostPort;
  /** The jump host's handshake, then the host's own. */
  longestMs = 2 * SSH_LIMITS.connectTimeoutMs;

  constructor(host: HostPort) {
    this.name = host.name;
    this.#host = host;
  }

  read: HostPort['read'] = (request) => this.#add('read', request).read(request);
  write: HostPort['write'] = (request) => this.#add('write', request).write(request);
  poke: HostPort['poke'] = (request) => this.#add('poke', request).poke(request);
  run: HostPort['run'] = (request) => this.#add('run', request).run(request);

  #add<V extends Verb>(verb: V, request: Requests[V]): HostPort {
    this.longestMs += longestOf(verb, request);
    return this.#host;
  }
}

function longestOf<V extends Verb>(verb: V, request: Requests[V]): number {
  const { hostLimitMs } = encodeCall(verb, request, { host: 'hv1', become: true });
  return hostLimitMs + SSH_LIMITS.graceMs;
}

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = () => (host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] }));

/** How long the longest way through a step might take. */
async function longest(step: (port: HostPort) => Promise<{ readonly kind: string }>) {
  const port = new Timed(host);
  expect(await step(port)).toMatchObject({ kind: 'ok' });
  return port.longestMs;
}

describe('an attempt has ended before the engine begins the next one', () => {
  it('of begin', async () => {
    const { plan } = await planned(make());
    const { changes } = plan;
    expect(
      await longest((port) => beginRun(port, { guard: guard(1), lease: LEASE, changes })),
    ).toBeLessThan(ACTIVITY_TIME_MS.quick);
  });

  it('of reboot, when it has to arm the trial', async () => {
    const { plan } = await withTrial(make());
    const call = { guard: guard(3), bootIdBefore: plan.bootId, trial: true };
    expect(await longest((port) => rebootHost(port, call))).toBeLessThan(ACTIVITY_TIME_MS.quick);
  });

  it('of finish', async () => {
    await begun(make());
    const call = { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' };
    expect(await longest((port) => finishRun(port, call))).toBeLessThan(ACTIVITY_TIME_MS.quick);
  });

  it('of applyCmdline and makeDefault', async () => {
    const { change } = await begun(make());
    const trial = { change, guard: guard(2), trialId: 't1' };
    expect(await longest((port) => applyTrial(port, trial))).toBeLessThan(ACTIVITY_TIME_MS.slow);
    const call = { change, guard: guard(3) };
    expect(await longest((port) => makeDefault(port, call))).toBeLessThan(ACTIVITY_TIME_MS.slow);
  });

  it('of undo, when it has to disarm the one-shot', async () => {
    const { change } = await withTrial(make());
    await host.run({ guard: guard(3), argv: ['grub-reboot', 'vfleet-trial'], deadlineMs: 5000 });
    const call = { change, guard: guard(4) };
    expect(await longest((port) => undoCmdline(port, call))).toBeLessThan(ACTIVITY_TIME_MS.slow);
  });

  it('of a hook, on the host and on the worker', () => {
    make();
    const deadlineMs = 1_800_000;
    const onHost = longestOf('run', { guard: guard(1), argv: ['hook'], deadlineMs }) - deadlineMs;
    expect(2 * SSH_LIMITS.connectTimeoutMs + onHost).toBeLessThan(HOOK_MARGIN_MS);
    expect(KILL_AFTER_MS).toBeLessThan(HOOK_MARGIN_MS);
  });

  it('of a look, which changes nothing, but for a jump host', () => {
    make();
    expect(SSH_LIMITS.connectTimeoutMs + HOST_DEADLINE_MS.look).toBeLessThan(ACTIVITY_TIME_MS.look);
  });
});
