import { expect, it } from 'vitest';
import type { CmdlineChange } from '../../src/domain/changes.ts';
import {
  lastStandingRun,
  RECORD_BYTES_MAX,
  recordBytes,
  withRun,
  type HostRecord,
  type RecordedRun,
} from '../../src/facts/record.ts';

const CHANGE: CmdlineChange = {
  kind: 'cmdline',
  loader: 'grub-debian',
  add: ['iommu=pt'],
  drop: [],
  before: ['quiet'],
  after: ['quiet', 'iommu=pt'],
  dropIn: { before: null, after: 'x\n' },
  createsFolder: true,
};

const run = (number: number, outcome: string): RecordedRun => ({
  rollout: `a#${number}`,
  who: 'ops1',
  since: '2026-11-22T20:00:00Z',
  outcome,
  changes: [CHANGE],
});

/** The record after runs with these outcomes, from #1. */
const recordOf = (outcomes: readonly string[]): HostRecord =>
  outcomes.reduce<HostRecord>(
    (record, outcome, index) => withRun(record, run(index + 1, outcome)),
    { version: 1, runs: [] },
  );

it('a record drops the oldest run that does not stand, and keeps one that does', () => {
  const record = recordOf(['done', ...Array.from({ length: 60 }, () => 'rolled-back')]);
  expect(record.runs).toHaveLength(50);
  expect(record.runs[0]?.rollout).toBe('a#1');
  expect(record.runs[1]?.rollout).toBe('a#13');
  expect(record.runs.at(-1)?.rollout).toBe('a#61');
  expect(lastStandingRun(record)?.rollout).toBe('a#1');
});

it('a record of nothing but runs that stand keeps them all, each with the state before it', () => {
  expect(recordOf(Array.from({ length: 60 }, () => 'done')).runs).toHaveLength(60);
});

it('a record drops what does not stand before it is too large to be read from a host', () => {
  const big = (number: number, outcome: string): RecordedRun => ({
    ...run(number, outcome),
    changes: [{ ...CHANGE, add: ['x'.repeat(400_000)] }],
  });
  const record = [big(1, 'rolled-back'), big(2, 'done'), big(3, 'done')].reduce<HostRecord>(
    withRun,
    { version: 1, runs: [] },
  );
  expect(record.runs.map(({ rollout }) => rollout)).toEqual(['a#2', 'a#3']);
  expect(recordBytes(record)).toBeLessThan(RECORD_BYTES_MAX);
});
