import type { Change } from '../domain/changes.ts';
import { CHANGES_LENGTH_MAX, sameChange } from '../domain/changes.ts';
import { compact } from '../domain/compact.ts';
import type { Lease } from '../domain/facts.ts';
import { keyValues } from './parse-facts.ts';
import { isChange } from './record-changes.ts';
import { isListOf, isObject, isText } from './value-checks.ts';

/**
 * The host's own record, /var/lib/vfleet/record.json: what each rollout changed here, with the state before,
 * so that a rollback works after the engine has forgotten, and by hand (law 2).
 */
export interface HostRecord {
  readonly version: 1;
  readonly runs: readonly RecordedRun[];
}

export interface RecordedRun {
  readonly rollout: string;
  readonly who: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** How it ended; absent while it runs, and for ever when its engine was lost. */
  readonly outcome?: string;
  /** When it ended, ISO 8601, UTC. */
  readonly ended?: string;
  /** Somebody ran UNDO.txt on the host: nothing of this run is left there. */
  readonly undone?: { readonly who: string; readonly at: string };
  /** Somebody took the host from it by `vfleet release`; what it changed still stands. */
  readonly released?: { readonly who: string; readonly at: string; readonly reason: string };
  readonly changes: readonly Change[];
}

/** Most runs that a record keeps, unless more stand; the oldest of those that do not leave first. */
const RUNS_MAX = 50;
/** Most bytes of its text, with room for an outcome: a file of more than 1 MiB is not read from any host. */
export const RECORD_BYTES_MAX = 1_000_000;

/** How large the file of a record is. */
export const recordBytes = (record: HostRecord): number => Buffer.byteLength(recordText(record));

/**
 * Parses a record, and takes into it what UNDO.txt noted when it was run (src/facts/undo-text.ts); `undefined` when it
 * is not one that this release reads.
 */
export function parseRecord(text: string | undefined, undone?: string): HostRecord | undefined {
  if (text === undefined) return { version: 1, runs: [] };
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? withUndone(value, undone) : undefined;
  } catch {
    return undefined;
  }
}

/** The note names the run by its rollout and its begin; a note of another run says nothing. */
function withUndone(record: HostRecord, undone: string | undefined): HostRecord {
  if (undone === undefined || undone.length > UNDONE_LENGTH_MAX) return record;
  const note = keyValues(undone);
  const [who, at] = [note.get('who') ?? 'unknown', note.get('at') ?? 'unknown'];
  const isMeant = (run: RecordedRun) =>
    run.rollout === note.get('rollout') && run.since === note.get('since');
  const runs = record.runs.map((run) => (isMeant(run) ? { ...run, undone: { who, at } } : run));
  return { ...record, runs };
}

/** Longest note that is taken into a record, in characters. */
const UNDONE_LENGTH_MAX = 4096;

function isRecord(value: unknown): value is HostRecord {
  return isObject(value) && value['version'] === 1 && isListOf(value['runs'], isRun);
}

function isRun(value: unknown): value is RecordedRun {
  if (!isObject(value)) return false;
  const { rollout, who, since, changes, outcome, ended, undone, released } = value;
  return (
    [rollout, who, since].every(isText) &&
    [outcome, ended].every((part) => part === undefined || isText(part)) &&
    (undone === undefined || hasTexts(undone, ['who', 'at'])) &&
    (released === undefined || hasTexts(released, ['who', 'at', 'reason'])) &&
    isListOf(changes, isChange) &&
    JSON.stringify(changes).length <= CHANGES_LENGTH_MAX
  );
}

const hasTexts = (value: unknown, names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => isText(value[name]));

/** The record as its file holds it: for people too, so what is short comes first, always in the same order. */
export function recordText(record: HostRecord): string {
  const runs = record.runs.map(
    ({ rollout, who, since, outcome, ended, undone, released, changes }) =>
      compact({ rollout, who, since, outcome, ended, undone, released, changes }),
  );
  return `${JSON.stringify({ version: record.version, runs }, null, 2)}\n`;
}

/** Whether a run has not ended, as far as the host knows. */
export function isOpen(run: RecordedRun): boolean {
  return run.outcome === undefined && run.undone === undefined;
}

/**
 * The record with a run begun. One of the same rollout that is still open is taken up, not doubled, when all that it changed
 * is among the run's changes: whoever takes the run back then takes back all of it. Else it stays, since it alone knows
 * what was there before it (law 2).
 */
export function withRun(record: HostRecord, run: RecordedRun): HostRecord {
  const last = record.runs.at(-1);
  const isTakenUp =
    last?.rollout === run.rollout && isOpen(last) && hasAll(run.changes, last.changes);
  const kept = isTakenUp ? record.runs.slice(0, -1) : record.runs;
  return { version: 1, runs: bounded([...kept, run]) };
}

function hasAll(changes: readonly Change[], those: readonly Change[]): boolean {
  return those.every((one) => changes.some((change) => sameChange(change, one)));
}

/** The newest runs, and every one that stands, however many: it alone knows what was there before it. */
function bounded(runs: readonly RecordedRun[]): readonly RecordedRun[] {
  let tooMany = runs.length - RUNS_MAX;
  let excess = recordBytes({ version: 1, runs }) - RECORD_BYTES_MAX;
  return runs.filter((run, index) => {
    const isTooMuch = tooMany > 0 || excess > 0;
    const drops = isTooMuch && index < runs.length - 1 && !isStanding(run);
    if (!drops) return true;
    tooMany -= 1;
    excess -= recordBytes({ version: 1, runs: [run] });
    return false;
  });
}

/** The record with the newest run of a rollout ended; `at` is ISO 8601. */
export function withOutcome(
  record: HostRecord,
  rollout: string,
  end: { readonly outcome: string; readonly at: string },
): HostRecord {
  return withNewest(record, rollout, (run) => ({ ...run, outcome: end.outcome, ended: end.at }));
}

/** The record with the lease's run marked as released; a lease without a run gets one that changed nothing. */
export function withRelease(
  record: HostRecord,
  { rollout, who, since }: Lease,
  released: NonNullable<RecordedRun['released']>,
): HostRecord {
  const known = record.runs.some((run) => run.rollout === rollout);
  const full = known ? record : withRun(record, { rollout, who, since, changes: [] });
  return withNewest(full, rollout, (run) => ({ ...run, released }));
}

function withNewest(
  record: HostRecord,
  rollout: string,
  change: (run: RecordedRun) => RecordedRun,
): HostRecord {
  const at = record.runs.findLastIndex((run) => run.rollout === rollout);
  return {
    version: 1,
    runs: record.runs.map((run, index) => (index === at ? change(run) : run)),
  };
}

/** Outcomes after which nothing of a run is left on the host. */
const GONE = new Set(['rolled-back', 'undone', 'unchanged']);

/** Whether what a run changed is still on the host, as far as vfleet knows. */
export function isStanding({ changes, outcome, undone }: RecordedRun): boolean {
  return changes.length > 0 && undone === undefined && !GONE.has(outcome ?? '');
}

/** The newest run whose changes still stand: the only one that can be undone without disturbing a later one. */
export function lastStandingRun(record: HostRecord): RecordedRun | undefined {
  return record.runs.findLast(isStanding);
}
