import { describe, expect, it } from 'vitest';
import { rulesOf } from '../../../src/domain/rollout/rules.ts';
import { limitOf, sizeOf } from '../../../src/domain/rollout/share.ts';
import { assignWaves } from '../../../src/domain/rollout/waves.ts';
import type { WaveSpec } from '../../../src/domain/spec.ts';
import { hostsOf, inputOf, uniform } from './fleet.ts';

const wave = (size: WaveSpec['size']): WaveSpec => ({
  name: 'w',
  size,
  bakeMs: 0,
  promote: 'auto',
});
const upTo = (percent: number) => wave({ kind: 'upTo', share: { kind: 'percent', percent } });
const add = (hosts: number, each: 'kind' | null = null) => wave({ kind: 'add', hosts, each });

describe('waves', () => {
  it('take one host of each kind, then the rest in order', () => {
    const hosts = hostsOf('A', 'A', 'B', 'A', 'B', 'C');
    expect(assignWaves(hosts, [add(1, 'kind'), upTo(100)])).toEqual([0, 1, 0, 1, 1, 0]);
  });

  it('count only hosts that have changes', () => {
    const hosts = hostsOf('compliant', 'A', 'blocked', 'A', 'unreachable', 'A');
    expect(assignWaves(hosts, [add(1), upTo(100)])).toEqual([-1, 0, -1, 1, -1, 1]);
  });

  it('read upTo as cumulative, so that a wave already passed takes nothing', () => {
    expect(assignWaves(uniform(10), [add(3), upTo(20), upTo(50), upTo(100)])).toEqual([
      0, 0, 0, 2, 2, 3, 3, 3, 3, 3,
    ]);
  });

  it('leave out what no wave reaches', () => {
    expect(assignWaves(uniform(4), [upTo(50)])).toEqual([0, 0, -1, -1]);
  });

  it.each([
    [10, 386, 39],
    [10, 38, 4],
    [10, 14, 1],
    [10, 3, 1],
    [1, 1, 1],
    [0, 50, 0],
    [100, 7, 7],
    [50, 5, 3],
  ])('round %d %% of %d hosts to %d', (percent, total, expected) => {
    expect(sizeOf({ kind: 'percent', percent }, total)).toBe(expected);
  });

  it('never promise more hosts than there are', () => {
    expect(sizeOf({ kind: 'count', count: 9 }, 4)).toBe(4);
  });
});

describe('limits', () => {
  it('round shares down', () => {
    expect(limitOf({ kind: 'percent', percent: 2 }, 386)).toBe(7);
    expect(limitOf({ kind: 'percent', percent: 2 }, 49)).toBe(0);
  });

  it('let at least one host be unavailable, else nothing could start', () => {
    const limits = {
      parallel: 900,
      maxUnavailable: { kind: 'percent' as const, percent: 1 },
      maxFailures: { kind: 'percent' as const, percent: 0 },
    };
    const rules = rulesOf(inputOf(uniform(10), { limits }));
    expect(rules).toMatchObject({ unavailableMax: 1, failuresMax: 0, parallel: 500 });
  });

  it('turn the waves round for a rollback, which neither bakes nor asks', () => {
    const waves = [
      { ...add(1), name: 'canary', bakeMs: 5, promote: 'manual' as const },
      { ...upTo(100), name: 'fleet' },
    ];
    const rules = rulesOf(inputOf(uniform(3), { waves }, 'rollback'));
    expect(rules.waves.map(({ name, hosts, bakeMs }) => [name, hosts, bakeMs])).toEqual([
      ['fleet', 2, 0],
      ['canary', 1, 0],
    ]);
    expect(rules.waveOf).toEqual([1, 0, 0]);
    expect(rules.waves[1]?.promote).toBe('auto');
  });
});
