import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/cli/outcome.ts';
import { HOST_STATES } from '../../src/domain/host-run.ts';
import { HOST_STATE_TABLE } from '../../src/domain/host-states.ts';
import { hostRefusal } from '../../src/domain/rollout/host-verbs.ts';
import { ROLLOUT_PHASE_TABLE } from '../../src/domain/rollout-phases.ts';
import { ROLLOUT_PHASES } from '../../src/domain/status.ts';
import { Driver } from '../domain/rollout/driver.ts';
import { inputOf, specOf, uniform } from '../domain/rollout/fleet.ts';

const HOST_VERBS = ['retry', 'rollback', 'skip'] as const;
const AS_REPORTED = 'while down or drained';

function yesNo(value: boolean | 'yes' | 'no' | 'as-reported'): string {
  if (value === 'as-reported') return AS_REPORTED;
  return value === true || value === 'yes' ? 'yes' : 'no';
}

function codes(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ') || '-';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |\n`;
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}

function hostStates(): string {
  return table(
    ['state', 'meaning', 'failed', 'unavailable', 'drained', 'lease', 'verbs that leave it'],
    HOST_STATES.map((state) => {
      const row = HOST_STATE_TABLE[state];
      return [
        `\`${state}\``,
        row.meaning,
        yesNo(row.failed),
        yesNo(row.unavailable),
        row.drained === 'no' ? 'no' : 'from drain to undrain',
        row.keepsLease ? 'kept' : 'none',
        codes(row.exits),
      ];
    }),
  );
}

function phases(): string {
  return table(
    ['phase', 'meaning', 'needs a person', 'verbs', 'exit code'],
    ROLLOUT_PHASES.map((phase) => {
      const row = ROLLOUT_PHASE_TABLE[phase];
      return [
        `\`${phase}\``,
        row.meaning,
        yesNo(row.outcome === 'waiting'),
        codes(row.exits),
        String(EXIT_CODES[row.outcome]),
      ];
    }),
  );
}

/** The page that people read. */
function page(): string {
  return `# States

This page is made from \`src/domain/host-states.ts\` and \`src/domain/rollout-phases.ts\` by \`npx vitest run test/docs -u\`.

## A host

${hostStates()}
- failed: spends the failure budget, for good. A rollback that a person asked for does not count.
- unavailable: takes one of the places of \`limits.maxUnavailable\`; so does a host that was down before.
- A skipped host that is down or drained stays unavailable: only \`retry\` and \`rollback\` bring it back.

## A rollout

${phases()}
While any host is held, an open rollout needs a person (exit code 3), whatever its phase; held hosts take \`retry\`,
\`rollback\` and \`skip\` in every open phase. The exit code is that of \`vfleet status\` and \`vfleet start --watch\`.
`;
}

/** A rollout of two hosts, the first of which is the canary and has ended as `state`. */
function after(state: 'done' | 'held', change = {}): Driver {
  const driver = new Driver(inputOf(uniform(2), change));
  driver.step();
  driver.report(0, state);
  return driver;
}

const CANARY = specOf().waves;
const manual = { waves: CANARY.map((wave) => ({ ...wave, promote: 'manual' as const })) };
const bakes = { waves: CANARY.map((wave) => ({ ...wave, bakeMs: 60_000 })) };
const lenient = { waves: CANARY.slice(1) };

function asked(driver: Driver, ...verbs: readonly Parameters<Driver['verb']>[0][]): Driver {
  for (const verb of verbs) expect(driver.verb(verb)).toBeUndefined();
  return driver;
}

function bothHeld(): Driver {
  const driver = after('held', lenient);
  driver.report(1, 'held');
  return driver;
}

const IN_PHASE = {
  running: () => new Driver(inputOf(uniform(2))),
  paused: () => asked(new Driver(inputOf(uniform(2))), { verb: 'pause' }),
  baking: () => after('done', bakes),
  'awaiting-promotion': () => after('done', manual),
  waiting: bothHeld,
  aborting: () => asked(bothHeld(), { verb: 'abort', rollback: false }),
  done: () => {
    const driver = after('done');
    driver.step();
    driver.report(1, 'done');
    return driver;
  },
  aborted: () => asked(new Driver(inputOf(uniform(2))), { verb: 'abort', rollback: false }),
  failed: () => {
    const driver = after('held', { onBudgetSpent: 'rollback' });
    driver.step();
    driver.report(0, 'rolled-back');
    return driver;
  },
} as const;

describe('the table of host states', () => {
  it('names as exits just the verbs that the rollout takes for a host in that state', () => {
    for (const state of HOST_STATES) {
      const driver = new Driver(inputOf(uniform(1)));
      const [cell] = driver.state.cells;
      const given = { ...driver.state, cells: [{ ...cell!, state, open: state === 'held' }] };
      const taken = HOST_VERBS.filter(
        (verb) => hostRefusal(driver.rules, given, 0, verb) === undefined,
      );
      const exits = HOST_STATE_TABLE[state].exits.filter((exit) => exit !== 'abort');
      expect([state, exits.toSorted()]).toEqual([state, taken]);
    }
  });
});

describe('the table of rollout phases', () => {
  it.each(ROLLOUT_PHASES)('names as exits of "%s" just the verbs that a rollout takes', (phase) => {
    const status = IN_PHASE[phase]().status();
    expect(status.phase).toBe(phase);
    const forHosts: readonly string[] = HOST_VERBS;
    const taken = status.verbs.filter((verb) => !forHosts.includes(verb));
    expect(taken.toSorted()).toEqual(ROLLOUT_PHASE_TABLE[phase].exits.toSorted());
  });
});

it('both tables are what docs/states.md shows', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/states.md');
});
