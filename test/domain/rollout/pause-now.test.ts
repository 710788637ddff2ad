import { describe, expect, it } from 'vitest';
import { answerFor } from '../../../src/domain/rollout/answer.ts';
import { pack, unpack } from '../../../src/domain/rollout/pack.ts';
import { targetsOf } from '../../../src/domain/rollout/verbs.ts';
import type { RolloutVerb } from '../../../src/domain/status.ts';
import { Driver } from './driver.ts';
import { inputOf, uniform } from './fleet.ts';

/** The canary is done and three hosts of the fleet run; two wait. */
function threeRunning(): Driver {
  const limits = { parallel: 3, maxUnavailable: { kind: 'count', count: 6 } as const };
  const some = { kind: 'count', count: 6 } as const;
  const it = new Driver(inputOf(uniform(6), { limits: { ...limits, maxFailures: some } }));
  it.step();
  it.report(0, 'done');
  it.step();
  return it;
}

describe('pause --now', () => {
  it('tells the hosts that run to stop, once, and starts no other', () => {
    const it = threeRunning();
    expect(it.verb({ verb: 'pause', now: true })).toBeUndefined();
    expect(it.decision()).toMatchObject({ start: [], tell: { verb: 'pause', indices: [1, 2, 3] } });
    it.tell();
    expect(it.decision().tell).toBeNull();
    expect(it.status()).toMatchObject({ phase: 'paused', pausedBy: 'person' });
    expect(it.status().explanation).toContain(
      'Will stop before their next disruptive step: hv-2, hv-3, hv-4.',
    );
  });

  it('shows before which step a host has stopped, and expects no news of it', () => {
    const it = threeRunning();
    it.verb({ verb: 'pause', now: true });
    it.tell();
    for (const index of [1, 2, 3]) it.report(index, 'running', { pausedBefore: 'reboot' });
    it.pass(3_600_000);
    expect(it.decision()).toMatchObject({ reconcile: [], wakeAt: null });
    expect(it.status().hosts.filter((host) => host.pausedBefore === 'reboot')).toHaveLength(3);
    expect(it.status().explanation).toContain('Stopped before a disruptive step: hv-2');
  });

  it('is over with resume, with abort, and for a host whose verb came after it', () => {
    for (const end of [{ verb: 'resume' }, { verb: 'abort', rollback: false }] as const) {
      const it = threeRunning();
      it.verb({ verb: 'pause', now: true });
      it.tell();
      expect(it.verb(end)).toBeUndefined();
      expect(it.decision().tell).toEqual({ verb: 'resume', indices: [1, 2, 3] });
    }
    const it = threeRunning();
    it.verb({ verb: 'pause', now: true });
    it.tell();
    it.report(1, 'held');
    it.verb({ verb: 'retry', hosts: { names: ['hv-2'] } });
    it.step();
    it.verb({ verb: 'resume' });
    expect(it.decision().tell).toEqual({ verb: 'resume', indices: [2, 3] });
  });

  it('takes back what is still on its way to a host when resume comes at once', () => {
    const it = threeRunning();
    it.verb({ verb: 'pause', now: true });
    const sent = it.decision().tell;
    it.verb({ verb: 'resume' });
    if (sent !== null) it.event({ kind: 'told', ...sent });
    expect(it.decision().tell).toEqual({ verb: 'resume', indices: [1, 2, 3] });
  });

  it('makes a pause stricter, and is refused when it holds already', () => {
    const it = threeRunning();
    it.verb({ verb: 'pause' });
    expect(it.verb({ verb: 'pause' })).toContain('paused already');
    expect(it.verb({ verb: 'pause', now: true })).toBeUndefined();
    expect(it.verb({ verb: 'pause', now: true })).toContain('paused already');
  });

  it('stays when the budget is spent meanwhile', () => {
    const it = threeRunning();
    it.verb({ verb: 'pause', now: true });
    it.tell();
    for (const index of [1, 2, 3]) it.report(index, 'held');
    expect(it.state.paused).toMatchObject({ now: true });
    expect(it.state.cells[1]?.told).toBe(true);
  });

  it('tells again who did not confirm, and expects news of a stopped host that is to go on', () => {
    const it = threeRunning();
    it.verb({ verb: 'pause', now: true });
    it.event({ kind: 'told', verb: 'pause', indices: [1, 3] });
    expect(it.decision().tell).toEqual({ verb: 'pause', indices: [2] });
    it.tell();
    it.report(1, 'running', { pausedBefore: 'reboot' });
    it.verb({ verb: 'resume' });
    it.tell();
    it.pass(3_600_000);
    expect(it.decision().reconcile).toContain(1);
  });

  it('answers with the hosts that stop', () => {
    const it = threeRunning();
    const verb: RolloutVerb = { id: 'x', who: 'ops1', verb: 'pause', now: true };
    const answer = answerFor(it.rules, it.state, verb, targetsOf(it.rules, it.state, verb));
    expect(answer.count).toBe(3);
    expect(answer.next).toBe(
      'No new host starts; the 3 hosts that run now (hv-2, hv-3, hv-4) end the step they are at and stop before their ' +
        'next drain, cmdline, modules, reboot, vfs, bind, attach. "resume" goes on.',
    );
  });

  it('travels through continue-as-new', () => {
    const it = threeRunning();
    it.verb({ verb: 'pause', now: true });
    it.tell();
    it.report(1, 'running', { pausedBefore: 'drain', rebootMs: 90_400 });
    it.verb({ verb: 'resume' });
    expect(unpack(it.rules, pack(it.rules, it.state))).toEqual(it.state);
  });
});
