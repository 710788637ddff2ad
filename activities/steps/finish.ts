import type { StepOutcome } from '../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { parseLease } from '../../src/facts/parse-facts.ts';
import { LEASE_PATH, OWN_STATE_PROBE, RECORD_PATH } from '../../src/facts/probe.ts';
import { lastStandingRun, parseRecord, recordText, withOutcome } from '../../src/facts/record.ts';
import { textOf } from '../../src/facts/snapshot.ts';
import type { FileWrite, Guard, HostPort } from '../../src/host/port.ts';
import { fileWrite } from './file-writes.ts';
import { ok, writeProblem } from './outcomes.ts';

/** Closes the record and gives up the lease. A lease that is gone or not ours is left alone. */
export async function finishRun(
  port: HostPort,
  call: { readonly guard: Guard; readonly rollout: string; readonly outcome: string },
): Promise<StepOutcome> {
  const { guard, rollout, outcome } = call;
  const snapshot = await port.read({ entries: OWN_STATE_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const lease = textOf(snapshot, LEASE_PATH);
  if (lease === undefined || parseLease(lease).id !== guard.lease) {
    return ok({ lease: 'not held by this run' });
  }
  const files = [
    ...recordClosed(textOf(snapshot, RECORD_PATH), rollout, outcome),
    fileWrite(LEASE_PATH, lease, null),
  ];
  const written = await port.write({ guard, files, deadlineMs: HOST_DEADLINE_MS.write });
  return writeProblem(written) ?? ok({ lease: 'given up', outcome });
}

/** What was rolled back is the newest run that stood, whichever rollout took it back. */
function recordClosed(text: string | undefined, rollout: string, outcome: string): FileWrite[] {
  const record = parseRecord(text);
  if (text === undefined || record === undefined) return [];
  const run = outcome === 'rolled-back' ? lastStandingRun(record)?.rollout : rollout;
  const closed = recordText(withOutcome(record, run ?? rollout, outcome));
  return closed === text ? [] : [fileWrite(RECORD_PATH, text, closed, { mode: 0o600 })];
}
