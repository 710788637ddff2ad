import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Evidence } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { parseLease } from '../../src/facts/parse-facts.ts';
import type { HostRecord } from '../../src/facts/record.ts';
import { isStanding, lastStandingRun, withOutcome } from '../../src/facts/record.ts';
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
  const next = record && closed(record, rollout, outcome);
  const files = [
    ...(next === undefined ? [] : recordWrites(own, next)),
    ...leaseRemoval(own, own.lease),
  ];
  const written = await port.write({ guard, files, deadlineMs: HOST_DEADLINE_MS.write });
  const { problem, told } = ownWritten(own, written);
  return (
    problem ?? ok({ lease: 'given up', outcome, ...(next && standing(next, rollout)), ...told })
  );
}

/** What an earlier run of the rollout changed and nobody took back, so that a host is not thought to be as before (law 5). */
function standing(record: HostRecord, rollout: string): Evidence {
  const end = record.runs.findLast((run) => run.rollout === rollout)?.outcome;
  const left = record.runs.some((run) => run.rollout === rollout && isStanding(run));
  if (end !== 'rolled-back' || !left) return {};
  return { standing: `an earlier run of ${rollout} still stands here; roll the host back again` };
}

/** What was rolled back is the newest run that stood, whichever rollout took it back. */
function closed(record: HostRecord, rollout: string, outcome: string): HostRecord {
  const run = outcome === 'rolled-back' ? lastStandingRun(record)?.rollout : rollout;
  return withOutcome(record, run ?? rollout, { outcome, at: new Date().toISOString() });
}
