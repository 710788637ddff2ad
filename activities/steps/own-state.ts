import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Evidence } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { madeMotdFolder } from '../../src/facts/lease.ts';
import {
  FENCE_PATH,
  LEASE_PATH,
  MOTD_FOLDER,
  MOTD_PATH,
  OWN_STATE_PROBE,
  RECORD_PATH,
  UNDO_PATH,
  UNDONE_PATH,
} from '../../src/facts/probe.ts';
import type { HostRecord } from '../../src/facts/record.ts';
import { lastStandingRun, parseRecord, recordText } from '../../src/facts/record.ts';
import { textOf } from '../../src/facts/snapshot.ts';
import { undoText } from '../../src/facts/undo-text.ts';
import type { FileWrite, HostPort, WriteOutcome } from '../../src/host/port.ts';
import { fileWrite } from './file-writes.ts';
import { writeProblem } from './outcomes.ts';

/** What vfleet keeps on a host about itself, as it was read: texts of files, `undefined` for one that is not there. */
export interface OwnState {
  readonly lease: string | undefined;
  /** `undefined` when it is not as vfleet writes it; an absent one has no runs. */
  readonly record: HostRecord | undefined;
  readonly recordText: string | undefined;
  readonly undone: string | undefined;
  readonly undo: string | undefined;
  readonly fence: string | undefined;
  readonly motd: string | undefined;
  readonly hasMotdFolder: boolean;
  /** The first of folder and file of the message of the day that is a link, and so leads to what is not vfleet's. */
  readonly motdLink: string | undefined;
}

/** Reads it all in one command. */
export async function readOwnState(port: HostPort): Promise<OwnState> {
  const snapshot = await port.read({ entries: OWN_STATE_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const [record, undone] = [textOf(snapshot, RECORD_PATH), textOf(snapshot, UNDONE_PATH)];
  return {
    lease: textOf(snapshot, LEASE_PATH),
    record: parseRecord(record, undone),
    recordText: record,
    undone,
    undo: textOf(snapshot, UNDO_PATH),
    fence: textOf(snapshot, FENCE_PATH),
    motd: textOf(snapshot, MOTD_PATH),
    hasMotdFolder: snapshot.dirs.has(MOTD_FOLDER),
    motdLink: [MOTD_FOLDER, MOTD_PATH].find((path) => snapshot.links.has(path)),
  };
}

/**
 * A new record, with the UNDO.txt that belongs to it: of the newest run that stands, or none. The note that UNDO.txt left
 * is in the record then, so it goes.
 */
export function recordWrites(own: OwnState, next: HostRecord): readonly FileWrite[] {
  const standing = lastStandingRun(next);
  const undo = standing === undefined ? null : (undoText(standing) ?? null);
  return [
    ...changed(RECORD_PATH, own.recordText, recordText(next)),
    ...changed(UNDO_PATH, own.undo, undo),
    ...changed(UNDONE_PATH, own.undone, null),
  ];
}

/** A file of root's alone, when it is not as asked already. */
function changed(path: string, found: string | undefined, after: string | null): FileWrite[] {
  const before = found ?? null;
  return before === after ? [] : [fileWrite(path, before, after, { mode: 0o600 })];
}

/** The line in the message of the day; the path is vfleet's alone, so whatever stands there is replaced. */
export function motdWrite(own: OwnState, text: string): readonly FileWrite[] {
  if (own.motdLink !== undefined) return [];
  return [fileWrite(MOTD_PATH, own.motd ?? null, text, { mode: 0o644 })];
}

/**
 * Gives the host up: the lease, and the message of the day with its folder when this lease's run made it. That comes
 * last, in the same command and under the same lock, so that nothing about it can keep the lease.
 */
export function leaseRemoval(own: OwnState, lease: string): readonly FileWrite[] {
  const removeEmptyParent = madeMotdFolder(lease);
  return [
    fileWrite(LEASE_PATH, lease, null),
    ...(own.motd === undefined || own.motdLink !== undefined
      ? []
      : [fileWrite(MOTD_PATH, own.motd, null, { removeEmptyParent })]),
  ];
}

/**
 * What came of writing it: the hold, if any, and what to tell. A message of the day that could not be written is told
 * and no more: a courtesy holds no host.
 */
export function ownWritten(
  own: OwnState,
  outcomes: readonly WriteOutcome[],
): { readonly problem: StepOutcome | undefined; readonly told: Evidence } {
  const problem = writeProblem(outcomes.filter(({ path }) => path !== MOTD_PATH));
  if (own.motdLink !== undefined) {
    return { problem, told: { motd: `${own.motdLink} is a link, so nothing is written there` } };
  }
  const motd = writeProblem(outcomes.filter(({ path }) => path === MOTD_PATH));
  return { problem, told: motd?.kind === 'hold' ? { motd: motd.sentence } : {} };
}
