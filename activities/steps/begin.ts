import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Change } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { Lease } from '../../src/domain/facts.ts';
import { holderSentence, leaseText } from '../../src/facts/lease.ts';
import { motdText } from '../../src/facts/motd.ts';
import { parseLease } from '../../src/facts/parse-facts.ts';
import { LEASE_PATH, RECORD_PATH } from '../../src/facts/probe.ts';
import type { HostRecord } from '../../src/facts/record.ts';
import {
  parseRecord,
  RECORD_BYTES_MAX,
  recordBytes,
  recordText,
  withRun,
} from '../../src/facts/record.ts';
import { isChange } from '../../src/facts/record-changes.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import { fileWrite } from './file-writes.ts';
import { hold, ok, writeProblem } from './outcomes.ts';
import type { OwnState } from './own-state.ts';
import { motdWrite, ownWritten, readOwnState, recordWrites } from './own-state.ts';

/**
 * Takes the lease, then writes what was found into the record, how to undo by hand, and the message of the day: all
 * before the first change of the machine.
 */
export async function beginRun(
  port: HostPort,
  call: {
    readonly guard: Guard;
    readonly lease: Lease;
    /** Absent for a rollback, whose changes stand in the record already. */
    readonly changes?: readonly Change[];
  },
): Promise<StepOutcome> {
  const { guard, lease, changes } = call;
  const own = await readOwnState(port);
  const taken = await takeLease(port, lease, own);
  if (taken !== undefined) return taken;
  if (own.record === undefined && changes !== undefined) {
    return hold(
      'host.record-unreadable',
      `${RECORD_PATH} is not as vfleet writes it; move it away`,
    );
  }
  const { rollout, who, since } = lease;
  const next =
    own.record === undefined || changes === undefined
      ? undefined
      : withRun(own.record, { rollout, who, since, changes });
  const unreadable = next && recordProblem(next);
  if (unreadable !== undefined) return unreadable;
  const record = next === undefined ? [] : recordWrites(own, next);
  const written = await port.write({
    guard,
    files: [...record, ...motdWrite(own, motdText(lease, port.name))],
    deadlineMs: HOST_DEADLINE_MS.write,
  });
  const { problem, told } = ownWritten(own, written);
  return problem ?? ok({ lease: lease.id, record: RECORD_PATH, ...told });
}

const recordProblem = (next: HostRecord) => recordFull(next) ?? unreadableAgain(next);

/** A record that is too large to be read would be no way back: what stands has to be rolled back first. */
function recordFull(next: HostRecord): StepOutcome | undefined {
  const bytes = recordBytes(next);
  if (bytes <= RECORD_BYTES_MAX) return undefined;
  const sentence = `${RECORD_PATH} would have ${bytes} bytes with this run, and no more than ${RECORD_BYTES_MAX} are read`;
  return hold('host.record-full', `${sentence}; roll back what stands on this host first`);
}

/** What a host answers may be anything, and a record that is not read again is no way back (law 2). */
function unreadableAgain(next: HostRecord): StepOutcome | undefined {
  if (parseRecord(recordText(next)) !== undefined) return undefined;
  const changes: readonly unknown[] = next.runs.at(-1)?.changes ?? [];
  const odd = changes.findIndex((change) => !isChange(change));
  return hold(
    'host.not-recordable',
    `what was found here could not be read back from ${RECORD_PATH}, so nothing is changed`,
    odd === -1 ? {} : { found: JSON.stringify(changes[odd]).slice(0, 400) },
  );
}

/** `undefined` when the lease is ours now; else the hold. Created only where none is, so two engines cannot both get it. */
async function takeLease(
  port: HostPort,
  lease: Lease,
  own: OwnState,
): Promise<StepOutcome | undefined> {
  if (own.lease !== undefined) return ours(lease, own.lease);
  const text = leaseText(lease, { madeFolder: !own.hasMotdFolder });
  const outcomes = await port.write({
    files: [fileWrite(LEASE_PATH, null, text, { mode: 0o644 })],
    deadlineMs: HOST_DEADLINE_MS.write,
  });
  const [outcome] = outcomes;
  if (outcome?.kind === 'conflict') return ours(lease, new TextDecoder().decode(outcome.content));
  return writeProblem(outcomes);
}

function ours(lease: Lease, found: string): StepOutcome | undefined {
  const holder = parseLease(found);
  if (holder.id === lease.id) return undefined;
  return hold('host.busy', holderSentence(holder), { lease: found.slice(0, 400) });
}
