import { describe, expect, it } from 'vitest';
import {
  assumedHostTime,
  estimateTime,
  learntHostTime,
} from '../../../src/cli/plan/estimate-time.ts';
import type { Hook } from '../../../src/domain/spec.ts';

describe('the time of a rollout', () => {
  const minutes = (count: number): number => count * 60_000;
  const wave = (hosts: number, bakeMs = 0, promote: 'manual' | 'auto' = 'auto') => ({
    name: `of-${hosts}`,
    hosts,
    bakeMs,
    promote,
  });
  const cases: readonly [
    string,
    ReturnType<typeof wave>[],
    [parallel: number, unavailableMax: number, down: number],
    number | undefined,
  ][] = [
    ['one host', [wave(1)], [20, 20, 0], minutes(10)],
    ['as many as there are places', [wave(20)], [20, 20, 0], minutes(10)],
    ['one more than there are places', [wave(21)], [20, 20, 0], minutes(20)],
    ['a small parallel', [wave(10)], [2, 20, 0], minutes(50)],
    ['a small maxUnavailable', [wave(10)], [20, 5, 0], minutes(20)],
    ['hosts that are down take places', [wave(10)], [20, 5, 3], minutes(50)],
    ['no place is left', [wave(10)], [20, 5, 5], undefined],
    ['nothing to do', [wave(0)], [20, 20, 0], undefined],
    ['a bake', [wave(1, minutes(30)), wave(20)], [20, 20, 0], minutes(50)],
    [
      'the bake of a wave without hosts',
      [wave(1), wave(0, minutes(30)), wave(1)],
      [9, 9, 0],
      minutes(20),
    ],
    ['a bake after the last wave', [wave(1), wave(1, minutes(7))], [9, 9, 0], minutes(27)],
  ];

  it.each(cases)('%s', (_what, waves, [parallel, unavailableMax, down], expected) => {
    const hostTime = { ms: minutes(10), from: 'assumed' };
    const estimate = estimateTime({ waves, parallel, unavailableMax }, down, hostTime);
    expect(estimate?.totalMs).toBe(expected);
  });

  it('names the waves after which a person promotes, but not the last, after which nothing comes', () => {
    const waves = [wave(1, 0, 'manual'), wave(2), wave(3, 0, 'manual')];
    const rules = { waves, parallel: 5, unavailableMax: 5 };
    const estimate = estimateTime(rules, 0, { ms: 1, from: 'assumed' });
    expect(estimate?.promotedByPerson).toEqual(['of-1']);
  });
});

describe('the time of a host', () => {
  const minutes = (count: number): number => count * 60_000;
  const reboot = { timeoutMs: minutes(20) };
  const hook = (timeoutMs: number): Hook => ({ on: 'worker', run: ['x'], timeoutMs });

  it('is assumed from a reboot and half of the limits of the hooks, and says so', () => {
    const hooks = { drain: hook(minutes(30)), undrain: hook(minutes(10)) };
    expect(assumedHostTime({ hooks, reboot })).toEqual({
      ms: minutes(30),
      from: 'assumed: 8m for a reboot, 20m for hooks (half of their limits), 2m for the other steps',
    });
  });

  it('counts neither reboot nor drain where no host reboots', () => {
    const health: Hook = { on: 'host', run: ['true'], timeoutMs: minutes(2) };
    const drain: Hook = { on: 'worker', run: ['drain'], timeoutMs: minutes(30) };
    expect(assumedHostTime({ hooks: { health, drain }, reboot }, false)).toEqual({
      ms: minutes(3),
      from: 'assumed: 1m for hooks (half of their limits), 2m for all steps, with no reboot',
    });
  });

  it('never assumes a reboot that is longer than the spec allows', () => {
    const quick = { ...reboot, timeoutMs: minutes(3) };
    expect(assumedHostTime({ hooks: {}, reboot: quick }).ms).toBe(minutes(5));
  });

  it('is the median of the hosts that have told, and nothing where none has', () => {
    const host = (tookMs?: number) => ({
      name: 'h',
      state: 'done' as const,
      kind: 'A',
      ...(tookMs === undefined ? {} : { tookMs }),
    });
    const hosts = [host(9), host(), host(1), host(5)];
    expect(learntHostTime({ id: 'a#3', hosts })).toEqual({
      ms: 5,
      from: 'the median of 3 hosts of a#3',
    });
    expect(learntHostTime({ id: 'a#3', hosts: [host()] })).toBeUndefined();
  });
});
