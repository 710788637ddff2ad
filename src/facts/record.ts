import type { Change } from '../domain/changes.ts';

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
  readonly changes: readonly Change[];
  /** How it ended; absent while it runs, and for ever when its engine was lost. */
  readonly outcome?: string;
}

/** Most runs that a record keeps; older ones that were rolled back or are done leave first. */
const RUNS_MAX = 50;

/** Parses a record; `undefined` when it is not one that this release reads. */
export function parseRecord(text: string | undefined): HostRecord | undefined {
  if (text === undefined) return { version: 1, runs: [] };
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is HostRecord {
  return isObject(value) && value['version'] === 1 && isListOf(value['runs'], isRun);
}

/** Most that a run's changes may be as JSON, in characters: a rollback carries them through the engine's history. */
const CHANGES_LENGTH_MAX = 256 * 1024;

function isRun(value: unknown): value is RecordedRun {
  if (!isObject(value)) return false;
  const { rollout, who, since, changes, outcome } = value;
  return (
    [rollout, who, since].every(isText) &&
    (outcome === undefined || isText(outcome)) &&
    isListOf(changes, isChange) &&
    JSON.stringify(changes).length <= CHANGES_LENGTH_MAX
  );
}

function isChange(value: unknown): value is Change {
  if (!isObject(value) || value['kind'] !== 'cmdline' || value['loader'] !== 'grub-debian') {
    return false;
  }
  const { add, drop, before, after, dropIn, createsFolder } = value;
  return (
    [add, drop, before, after].every((args) => isListOf(args, isText)) &&
    isObject(dropIn) &&
    (dropIn['before'] === null || isText(dropIn['before'])) &&
    isText(dropIn['after']) &&
    typeof createsFolder === 'boolean'
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every((item) => is(item));
}

/** The record as its file holds it. */
export function recordText(record: HostRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

/** The record with a run begun; a run of the same rollout that is still open is taken up, not doubled. */
export function withRun(record: HostRecord, run: RecordedRun): HostRecord {
  const last = record.runs.at(-1);
  const kept =
    last?.rollout === run.rollout && last.outcome === undefined
      ? record.runs.slice(0, -1)
      : record.runs;
  return { version: 1, runs: [...kept, run].slice(-RUNS_MAX) };
}

/** The record with the newest run of a rollout ended. */
export function withOutcome(record: HostRecord, rollout: string, outcome: string): HostRecord {
  const at = record.runs.findLastIndex((run) => run.rollout === rollout);
  return {
    version: 1,
    runs: record.runs.map((run, index) => (index === at ? { ...run, outcome } : run)),
  };
}

/** Outcomes after which nothing of a run is left on the host. */
const GONE = new Set(['rolled-back', 'undone']);

/** The newest run whose changes still stand: the only one that can be undone without disturbing a later one. */
export function lastStandingRun(record: HostRecord): RecordedRun | undefined {
  return record.runs.findLast((run) => run.changes.length > 0 && !GONE.has(run.outcome ?? ''));
}
