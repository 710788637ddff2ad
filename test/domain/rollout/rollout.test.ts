import { describe, expect, it } from 'vitest';
import type { WaveSpec } from '../../../src/domain/spec.ts';
import { pack, unpack } from '../../../src/domain/rollout/pack.ts';
import { Driver } from './driver.ts';
import { hostsOf, inputOf, specOf, uniform } from './fleet.ts';

const count = (number: number) => ({ kind: 'count' as const, count: number });
const limits = (parallel: number, maxUnavailable: number, maxFailures: number) => ({
  limits: {
    parallel,
    maxUnavailable: count(maxUnavailable),
    maxFailures: count(maxFailures),
  },
});
const canary = (change: Partial<WaveSpec>) => {
  const [first, fleet] = specOf().waves;
  return { waves: [{ ...first!, ...change }, fleet!] };
};

describe('a rollout', () => {
  it('is done at once when every host complies', () => {
    const it = new Driver(inputOf(hostsOf('compliant', 'compliant')));
    expect(it.status().phase).toBe('done');
  });

  it('starts the canary alone and the fleet after it', () => {
    const it = new Driver(inputOf(uniform(4)));
    expect(it.step()).toEqual([0]);
    expect(it.step()).toEqual([]);
    it.report(0, 'done');
    expect(it.step()).toEqual([1, 2, 3]);
    for (const index of [1, 2, 3]) it.report(index, 'done');
    expect(it.status()).toMatchObject({ phase: 'done', verbs: [], counts: { done: 4 } });
  });

  it('pauses when the canary is held, and goes on only with a new budget', () => {
    const it = new Driver(inputOf(uniform(4)));
    it.step();
    it.report(0, 'held');
    expect(it.status()).toMatchObject({ phase: 'paused', pausedBy: 'budget' });
    expect(it.status().explanation).toContain('1 host has failed in wave canary; it allows 0.');
    expect(it.verb({ verb: 'resume' })).toContain('Give "resume" a new budget');
    expect(it.verb({ verb: 'resume', newBudget: 0 })).toBeUndefined();
    expect(it.step()).toEqual([1, 2, 3]);
  });

  it('keeps a failure spent after the host ended well, but gives its availability back', () => {
    const it = new Driver(inputOf(uniform(4)));
    it.step();
    it.report(0, 'held', { unavailable: true });
    expect(it.status().budget).toMatchObject({ failures: 1, unavailable: 1 });
    it.verb({ verb: 'retry', hosts: { names: ['hv-1'] } });
    it.step();
    it.report(0, 'done');
    expect(it.status().budget).toMatchObject({ failures: 1, unavailable: 0 });
    expect(it.status().phase).toBe('paused');
  });

  it('bakes, then waits for a person, then goes on', () => {
    const it = new Driver(inputOf(uniform(2), canary({ bakeMs: 60_000, promote: 'manual' })));
    it.step();
    it.report(0, 'done');
    expect(it.status().phase).toBe('baking');
    expect(it.decision().wakeAt).toBe(it.now + 60_000);
    expect(it.verb({ verb: 'promote' })).toContain('still bakes until');
    it.pass(60_000);
    expect(it.status().phase).toBe('awaiting-promotion');
    expect(it.step()).toEqual([]);
    expect(it.verb({ verb: 'promote' })).toBeUndefined();
    expect(it.step()).toEqual([1]);
  });

  it('begins a bake after the pause, so that the repaired state is what bakes', () => {
    const it = new Driver(inputOf(uniform(2), canary({ bakeMs: 60_000 })));
    it.step();
    it.verb({ verb: 'pause' });
    it.report(0, 'done');
    it.pass(120_000);
    expect(it.verb({ verb: 'resume' })).toBeUndefined();
    expect(it.status()).toMatchObject({ phase: 'baking' });
    expect(it.step()).toEqual([]);
  });

  it('never has more hosts unavailable than allowed, counting those down before and held while down', () => {
    const it = new Driver(
      inputOf(hostsOf('A', 'A', 'A', 'A', 'unreachable'), {
        ...limits(10, 3, 9),
        ...canary({ size: { kind: 'add', hosts: 0, each: null } }),
      }),
    );
    expect(it.step()).toEqual([0, 1]);
    it.report(0, 'held', { unavailable: true });
    expect(it.step()).toEqual([]);
    it.report(1, 'done');
    expect(it.step()).toEqual([2]);
  });

  it('waits and names the hosts when held ones use up availability', () => {
    const it = new Driver(
      inputOf(uniform(3), { ...limits(9, 1, 9), ...canary({ maxFailures: count(9) }) }),
    );
    it.step();
    it.report(0, 'held', { unavailable: true });
    expect(it.step()).toEqual([]);
    expect(it.status()).toMatchObject({
      phase: 'waiting',
      verbs: ['pause', 'abort', 'retry', 'skip', 'rollback'],
    });
    expect(it.status().explanation).toContain('hv-1');
    it.verb({ verb: 'retry', hosts: { all: 'held' } });
    expect(it.decision().send).toEqual({ verb: 'retry', indices: [0] });
  });

  it('works on a host that was down without counting it twice', () => {
    const it = new Driver(inputOf(hostsOf('unreachable', 'A'), limits(9, 1, 9)));
    expect(it.status().phase).toBe('waiting');
    expect(it.verb({ verb: 'retry', hosts: { names: ['hv-1'] } })).toBeUndefined();
    expect(it.step()).toEqual([0]);
    it.report(0, 'done');
    expect(it.step()).toEqual([1]);
  });

  it('stays open while hosts are held, and ends when all have left', () => {
    const it = new Driver(inputOf(uniform(2), canary({ maxFailures: count(1) })));
    it.step();
    it.report(0, 'held');
    it.step();
    it.report(1, 'done');
    expect(it.status().phase).toBe('waiting');
    it.verb({ verb: 'skip', hosts: { all: 'held' } });
    expect(it.decision().send).toEqual({ verb: 'skip', indices: [0] });
    it.step();
    it.report(0, 'skipped');
    expect(it.status().phase).toBe('done');
  });

  it('takes back every host that is done when aborted with rollback, last wave first', () => {
    const it = new Driver(inputOf(uniform(4)));
    it.step();
    it.report(0, 'done');
    it.step();
    it.report(1, 'done');
    expect(it.verb({ verb: 'abort', rollback: true })).toBeUndefined();
    expect(it.step()).toEqual([1, 0]);
    it.report(1, 'rolled-back');
    it.report(0, 'rolled-back');
    it.report(2, 'done');
    expect(it.step()).toEqual([2]);
    it.report(2, 'rolled-back');
    it.report(3, 'rolled-back');
    expect(it.status()).toMatchObject({ phase: 'aborted', budget: { failures: 0 } });
  });

  it('lets running hosts come to their end when aborted without rollback, and waits for held ones', () => {
    const it = new Driver(inputOf(uniform(3), canary({ maxFailures: count(1) })));
    it.step();
    it.report(0, 'held');
    it.step();
    it.verb({ verb: 'abort', rollback: false });
    it.report(1, 'done');
    it.report(2, 'done');
    expect(it.status().phase).toBe('aborting');
    expect(it.status().explanation).toContain('hv-1');
    it.verb({ verb: 'skip', hosts: { all: 'held' } });
    it.step();
    it.report(0, 'skipped');
    expect(it.status().phase).toBe('aborted');
  });

  it('takes all back by itself when the budget is spent and the spec says so', () => {
    const it = new Driver(inputOf(uniform(3), { onBudgetSpent: 'rollback' }));
    it.step();
    it.report(0, 'held');
    expect(it.status().phase).toBe('aborting');
    expect(it.decision().send).toEqual({ verb: 'rollback', indices: [0] });
    it.step();
    it.report(0, 'rolled-back');
    expect(it.status()).toMatchObject({ phase: 'failed', counts: { queued: 2 } });
  });

  it('holds a busy host without a run, naming its holder, and starts it again on retry', () => {
    const it = new Driver(inputOf(uniform(1)));
    it.step();
    const detail = 'enable-sriov#2 (ops2) holds it';
    it.event({ kind: 'start-answered', outcomes: [{ index: 0, outcome: 'busy', detail }] });
    expect(it.status().hosts[0]).toMatchObject({ state: 'held', code: 'host.busy', note: detail });
    expect(it.verb({ verb: 'rollback', hosts: { all: 'held' } })).toContain('No host would take');
    it.verb({ verb: 'retry', hosts: { all: 'held' } });
    expect(it.step()).toEqual([0]);
    expect(it.state.cells[0]?.run).toBe(2);
  });

  it('ignores repeated, late and foreign reports', () => {
    const it = new Driver(inputOf(uniform(1), canary({ maxFailures: count(5) })));
    it.step();
    it.report(0, 'held', { seq: 3 });
    const before = it.state;
    it.report(0, 'running', { seq: 3 });
    it.report(0, 'done', { seq: 2 });
    it.report(0, 'done', { run: 7 });
    it.report(99, 'done');
    expect(it.state.cells).toEqual(before.cells);
  });

  it('looks up a host that is silent, and takes its result when it closed without a report', () => {
    const it = new Driver(inputOf(uniform(1)));
    it.step();
    expect(it.decision().reconcile).toEqual([]);
    it.pass(300_000);
    expect(it.decision().reconcile).toEqual([0]);
    const result = { state: 'done' as const, evidence: {}, undoFailures: [] };
    it.event({ kind: 'described', hosts: [{ index: 0, status: 'closed', result }] });
    expect(it.status().phase).toBe('done');
  });

  it('holds a host whose run is gone as lost and counts it as unavailable', () => {
    const it = new Driver(inputOf(uniform(1)));
    it.step();
    it.event({ kind: 'described', hosts: [{ index: 0, status: 'gone' }] });
    expect(it.status()).toMatchObject({
      hosts: [{ state: 'held', code: 'run.lost' }],
      budget: { unavailable: 1, failures: 1 },
    });
  });

  it('puts a host back into its hold when its run refused the verb', () => {
    const it = new Driver(inputOf(uniform(1)));
    it.step();
    it.report(0, 'held');
    it.verb({ verb: 'rollback', hosts: { all: 'held' } });
    it.step();
    it.event({ kind: 'send-answered', outcomes: [{ index: 0, refused: 'not now' }] });
    expect(it.status().hosts[0]).toMatchObject({
      state: 'held',
      note: 'not now',
      code: 'health.failed',
    });
  });

  it('answers a repeated verb once, and shows the trail', () => {
    const it = new Driver(inputOf(uniform(2)));
    expect(it.verb({ verb: 'pause' }, 'same')).toBeUndefined();
    expect(it.verb({ verb: 'pause' })).toContain('paused already');
    expect(it.status().audit.map((entry) => entry.verb)).toEqual(['start', 'pause']);
  });

  it('packs 10,000 hosts into fewer than 300 kB and back', () => {
    const it = new Driver(inputOf(uniform(10_000)));
    it.step();
    it.report(0, 'done');
    it.step();
    const packed = pack(it.rules, it.state);
    const text = JSON.stringify(packed);
    expect(text.length).toBeLessThan(300_000);
    expect(unpack(it.rules, JSON.parse(text) as typeof packed)).toEqual(it.state);
  });
});
