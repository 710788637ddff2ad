import type { StepOutcome } from '../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { parseLease } from '../../src/facts/parse-facts.ts';
import type { HostRecord } from '../../src/facts/record.ts';
import { lastStandingRun, withOutcome } from '../../src/facts/record.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import { ok } from './outcomes.ts';
import { leaseRemoval, ownWritten, readOwnState, recordWrites } from './own-state.ts';

/**
 * Closes the record, keeps UNDO.txt only while something of ours stands, and gives up the lease. A lease that is gone or
 * not ours is left alone.
 */
export async function finishRun(
  port: HostPort,
  call: { readonly guard: Guard; readonly rollout: string; readonly outcome: string },
): Promise<StepOutcome> {
  const { guard, rollout, outcome } = call;
  const own = await readOwnState(port);
  if (own.lease === undefined || parseLease(own.lease).id !== guard.lease) {
    return ok({ lease: 'not held by this run' });
  }
  const record = own.recordText === undefined ? undefined : own.record;
  const files = [
    ...(record === undefined ? [] : recordWrites(own, closed(record, rollout, outcome))),
    ...leaseRemoval(own, own.lease),
  ];
  const written = await port.write({ guard, files, deadlineMs: HOST_DEADLINE_MS.write });
  const { problem, told } = ownWritten(own, written);
  return problem ?? ok({ lease: 'given up', outcome, ...told });
}

/** What was rolled back is the newest run that stood, whichever rollout took it back. */
function closed(record: HostRecord, rollout: string, outcome: string): HostRecord {
  const run = outcome === 'rolled-back' ? lastStandingRun(record)?.rollout : rollout;
  return withOutcome(record, run ?? rollout, { outcome, at: new Date().toISOString() });
}
