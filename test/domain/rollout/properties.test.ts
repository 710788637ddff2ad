import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../../../src/domain/rollout/pack.ts';
import type { Share, WaveSpec } from '../../../src/domain/spec.ts';
import type { RolloutInput } from '../../../src/domain/status.ts';
import type { Ask } from './driver.ts';
import { Driver } from './driver.ts';
import { hostsOf, inputOf } from './fleet.ts';

const share: fc.Arbitrary<Share> = fc.oneof(
  fc.integer({ min: 0, max: 6 }).map((count) => ({ kind: 'count' as const, count })),
  fc.integer({ min: 0, max: 100 }).map((percent) => ({ kind: 'percent' as const, percent })),
);

const wave: fc.Arbitrary<WaveSpec> = fc.record(
  {
    name: fc.constant('w'),
    size: fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        hosts: fc.integer({ min: 0, max: 3 }),
        each: fc.constantFrom('kind' as const, null),
      }),
      fc.record({ kind: fc.constant('upTo' as const), share }),
    ),
    maxFailures: share,
    bakeMs: fc.constantFrom(0, 60_000),
    promote: fc.constantFrom('manual' as const, 'auto' as const),
  },
  { requiredKeys: ['name', 'size', 'bakeMs', 'promote'] },
);

const input: fc.Arbitrary<RolloutInput> = fc
  .record({
    hosts: fc.array(fc.constantFrom('A', 'A', 'B', 'C', 'compliant', 'blocked', 'unreachable'), {
      minLength: 1,
      maxLength: 14,
    }),
    waves: fc.array(wave, { minLength: 1, maxLength: 4 }),
    limits: fc.record({
      parallel: fc.integer({ min: 1, max: 5 }),
      maxUnavailable: share,
      maxFailures: share,
    }),
    onBudgetSpent: fc.constantFrom('pause' as const, 'rollback' as const),
    direction: fc.constantFrom('forward' as const, 'rollback' as const),
  })
  .map(({ hosts, direction, ...spec }) => inputOf(hostsOf(...hosts), spec, direction));

type Move =
  | { readonly do: 'step' }
  | { readonly do: 'pass' }
  | { readonly do: 'verb'; readonly ask: Ask }
  | {
      readonly do: 'report';
      readonly nth: number;
      readonly state: 'held' | 'done' | 'rolled-back' | 'running' | 'unreachable';
      readonly down: boolean;
    };

const hostsVerb = fc.constantFrom('retry' as const, 'skip' as const, 'rollback' as const);
const selection = fc.oneof(
  fc
    .constantFrom(...(['held', 'failed', 'not-started', 'done', 'hosts'] as const))
    .map((all) => ({ all })),
  fc.integer({ min: 1, max: 14 }).map((at) => ({ names: [`hv-${at}`] })),
);
const ask: fc.Arbitrary<Ask> = fc.oneof(
  fc.constantFrom<Ask>(
    { verb: 'pause' },
    { verb: 'pause', now: true },
    { verb: 'promote' },
    { verb: 'resume' },
    { verb: 'resume', newBudget: 1 },
  ),
  fc.boolean().map((rollback): Ask => ({ verb: 'abort', rollback })),
  fc.record({ verb: hostsVerb, hosts: selection }),
);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Move>({ do: 'step' }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'pass' }) },
  { weight: 2, arbitrary: ask.map((asked): Move => ({ do: 'verb', ask: asked })) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      nth: fc.nat(20),
      state: fc.constantFrom('held', 'done', 'done', 'rolled-back', 'running', 'unreachable'),
      down: fc.boolean(),
    }),
  },
);

/** The model: what anybody could count from outside, without the state machine's own books. */
class Model {
  readonly failed = new Set<number>();
  /** Further failures that people allowed. */
  allowed: number;

  constructor(driver: Driver) {
    this.allowed = driver.rules.failuresMax;
  }
}

function unavailable(driver: Driver): Set<number> {
  const out = new Set<number>();
  for (const [index, cell] of driver.state.cells.entries()) {
    if (cell.state === 'running' || cell.down) out.add(index);
  }
  return out;
}

function play(driver: Driver, model: Model, moved: Move): void {
  switch (moved.do) {
    case 'pass':
      driver.pass(60_000);
      break;
    case 'verb':
      if (driver.verb(moved.ask) === undefined && moved.ask.verb === 'resume') {
        model.allowed = Math.max(model.allowed, model.failed.size + (moved.ask.newBudget ?? 0));
      }
      break;
    case 'step':
      checkedStep(driver, model);
      break;
    case 'report':
      reportOne(driver, model, moved);
  }
}

/** One of the running hosts reports; the model counts it as failed when nobody wanted that outcome. */
function reportOne(driver: Driver, model: Model, moved: Extract<Move, { do: 'report' }>): void {
  const open = driver.state.cells.flatMap((cell, at) => (cell.state === 'running' ? [at] : []));
  const index = open[moved.nth % Math.max(1, open.length)];
  if (index === undefined) return;
  if (moved.state === 'held' || (moved.state === 'rolled-back' && !isWanted(driver, index))) {
    model.failed.add(index);
  }
  const down = moved.state === 'unreachable' || (moved.state === 'held' && moved.down);
  driver.report(index, moved.state, { unavailable: down });
}

function isWanted(driver: Driver, index: number): boolean {
  return (
    driver.state.cells[index]?.undo === true ||
    driver.rules.direction === 'rollback' ||
    driver.state.aborting !== null
  );
}

/** Starts what may start, and checks every limit against what was true before. */
function checkedStep(driver: Driver, model: Model): void {
  const before = driver.state;
  const down = unavailable(driver);
  const started = driver.step();
  const after = unavailable(driver);
  const added = [...after].filter((index) => !down.has(index)).length;
  const free = Math.max(0, driver.rules.unavailableMax - down.size);
  expect(added).toBeLessThanOrEqual(free + skips(before, driver));
  const running = driver.state.cells.filter((cell) => cell.state === 'running').length;
  expect(running).toBeLessThanOrEqual(
    Math.max(
      driver.rules.parallel,
      before.cells.filter((cell) => cell.state === 'running').length +
        (driver.state === before ? 0 : skips(before, driver)),
    ),
  );
  for (const index of started) {
    const cell = before.cells[index]!;
    if (cell.asked !== null) continue;
    expect(cell.wave).toBe(before.wave);
    expect(before.flow).toBe('wave');
    expect(before.paused).toBeNull();
    expect(before.aborting).toBeNull();
    expect(model.failed.size).toBeLessThanOrEqual(model.allowed);
    const earlier = before.cells.filter((other) => other.wave >= 0 && other.wave < cell.wave);
    expect(earlier.every((other) => other.state !== 'queued' || other.asked !== null)).toBe(true);
  }
}

/** Hosts that leave their hold as they stand take no place: they may pass the limit for a moment. */
function skips(before: Driver['state'], driver: Driver): number {
  return before.cells.filter(
    (cell, at) => cell.asked === 'skip' && driver.state.cells[at]?.asked === null,
  ).length;
}

/** Ended, or about to do something without anybody's help. */
function goesOn(driver: Driver): boolean {
  const { finished, start, send } = driver.decision();
  return finished || start.length > 0 || send !== null || driver.status().counts.running > 0;
}

/** What a person can always do to bring a rollout to its end. */
function bringToEnd(driver: Driver): void {
  for (let turn = 0; turn < 200 && driver.state.end === null; turn++) {
    driver.step();
    for (const [index, cell] of driver.state.cells.entries()) {
      if (cell.state === 'running') driver.report(index, cell.undo ? 'rolled-back' : 'done');
    }
    driver.pass(60_000);
    driver.verb({ verb: 'skip', hosts: { all: 'held' } });
    // What an abort is to take back can find no place while other hosts are down: a person leaves it as it is.
    if (driver.state.aborting !== null) driver.verb({ verb: 'skip', hosts: { all: 'hosts' } });
    if (driver.verb({ verb: 'resume' }) !== undefined)
      driver.verb({ verb: 'resume', newBudget: 9 });
    driver.verb({ verb: 'promote' });
    driver.verb({ verb: 'retry', hosts: { names: downNames(driver) } });
  }
}

function downNames(driver: Driver): string[] {
  return driver.state.cells.flatMap((cell, at) =>
    cell.state === 'unreachable' || (cell.state === 'skipped' && cell.down)
      ? [driver.rules.names[at] ?? '']
      : [],
  );
}

describe('every rollout, whatever happens', () => {
  it('keeps its budgets and waves, survives packing, and always has a way on', () => {
    fc.assert(
      fc.property(input, fc.array(move, { maxLength: 60 }), (given, moves) => {
        const driver = new Driver(given);
        const model = new Model(driver);
        for (const moved of moves) {
          play(driver, model, moved);
          expect(unpack(driver.rules, pack(driver.rules, driver.state))).toEqual(driver.state);
          const status = driver.status();
          expect(status.budget.failures).toBe(model.failed.size);
          expect(goesOn(driver) || status.verbs.length > 0).toBe(true);
        }
        bringToEnd(driver);
        expect(driver.state.end).not.toBeNull();
      }),
      { numRuns: 400 },
    );
  });
});
