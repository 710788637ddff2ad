import { describe, expect, it } from 'vitest';
import { Driver } from './driver.ts';
import { inputOf, specOf, uniform } from './fleet.ts';

const MINUTE = 60_000;

/** `parallel` hosts at once; each takes `minutes`; the canary bakes for an hour. */
function fleet(hosts: number, parallel: number): Driver {
  const [canary, rest] = specOf().waves;
  return new Driver(
    inputOf(uniform(hosts), {
      waves: [{ ...canary!, bakeMs: 60 * MINUTE }, rest!],
      limits: { ...specOf().limits, parallel },
    }),
  );
}

function minutesLeft(it: Driver): number | undefined {
  const { estimate } = it.status();
  return estimate === undefined ? undefined : (Date.parse(estimate.endsAt) - it.now) / MINUTE;
}

describe('the estimate', () => {
  it('is absent until a host is done', () => {
    const it = fleet(4, 2);
    it.step();
    it.pass(10 * MINUTE);
    expect(it.status().estimate).toBeUndefined();
  });

  it('counts the bake, and the rest of the hosts in rounds of as many as may run', () => {
    const it = fleet(6, 2);
    it.step();
    it.pass(10 * MINUTE);
    it.report(0, 'done');
    // The bake, then 5 hosts by 2: three rounds of 10 minutes.
    expect(minutesLeft(it)).toBe(60 + 30);
    expect(it.status().estimate).toMatchObject({ hostMs: 10 * MINUTE, samples: 1 });
    expect(it.status().hosts[0]).toMatchObject({ tookMs: 10 * MINUTE });
  });

  it('knows how far the running hosts are, and learns from them', () => {
    const it = fleet(4, 3);
    it.step();
    it.pass(10 * MINUTE);
    it.report(0, 'done');
    it.pass(60 * MINUTE);
    it.step();
    it.pass(4 * MINUTE);
    it.report(1, 'running', { step: 'reboot' });
    expect(minutesLeft(it)).toBe(6);
    it.report(1, 'done');
    expect(it.status().estimate).toMatchObject({ samples: 2 });
  });

  it('does not learn from a host that waited for a person', () => {
    const it = fleet(3, 3);
    it.step();
    it.report(0, 'held');
    it.verb({ verb: 'resume', newBudget: 3 });
    it.pass(600 * MINUTE);
    it.verb({ verb: 'retry', hosts: { names: ['hv-1'] } });
    it.step();
    it.report(0, 'done');
    expect(it.status().estimate).toBeUndefined();
  });

  it('is silent while only a person can go on', () => {
    const it = fleet(3, 3);
    it.step();
    it.report(0, 'done');
    it.verb({ verb: 'pause' });
    expect(it.status().estimate).toBeUndefined();
  });

  it('of 10,000 hosts costs little', () => {
    const it = fleet(10_000, 500);
    it.step();
    it.pass(10 * MINUTE);
    it.report(0, 'done');
    const began = performance.now();
    expect(minutesLeft(it)).toBe(60 + 20 * 10);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
