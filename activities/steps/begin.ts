import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Change } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { Lease } from '../../src/domain/facts.ts';
import { holderSentence, leaseText } from '../../src/facts/lease.ts';
import { parseLease } from '../../src/facts/parse-facts.ts';
import { LEASE_PATH, OWN_STATE_PROBE, RECORD_PATH } from '../../src/facts/probe.ts';
import { parseRecord, recordText, withRun } from '../../src/facts/record.ts';
import { textOf } from '../../src/facts/snapshot.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import { fileWrite } from './file-writes.ts';
import { hold, ok, writeProblem } from './outcomes.ts';

/** Takes the lease, then writes what was found into the record: both before the first change of the machine. */
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
  const snapshot = await port.read({ entries: OWN_STATE_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const taken = await takeLease(port, lease, textOf(snapshot, LEASE_PATH));
  if (taken !== undefined) return taken;
  if (changes === undefined) return ok({ lease: lease.id });
  const before = textOf(snapshot, RECORD_PATH);
  const record = parseRecord(before);
  if (record === undefined) {
    return hold(
      'host.record-unreadable',
      `${RECORD_PATH} is not as vfleet writes it; move it away`,
    );
  }
  const { rollout, who, since } = lease;
  const text = recordText(withRun(record, { rollout, who, since, changes }));
  const problem = writeProblem(
    await port.write({
      guard,
      files: [fileWrite(RECORD_PATH, before ?? null, text, { mode: 0o600 })],
      deadlineMs: HOST_DEADLINE_MS.write,
    }),
  );
  return problem ?? ok({ lease: lease.id, record: RECORD_PATH });
}

/** `undefined` when the lease is ours now; else the hold. Created only where none is, so two engines cannot both get it. */
async function takeLease(
  port: HostPort,
  lease: Lease,
  found: string | undefined,
): Promise<StepOutcome | undefined> {
  if (found !== undefined) return ours(lease, found);
  const outcomes = await port.write({
    files: [fileWrite(LEASE_PATH, null, leaseText(lease), { mode: 0o644 })],
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
