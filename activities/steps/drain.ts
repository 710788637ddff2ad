import type { StepOutcome } from '../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { parseRunningGuests } from '../../src/facts/parse-facts.ts';
import { GUESTS_PROBE } from '../../src/facts/probe.ts';
import type { HostPort } from '../../src/host/port.ts';
import { hold, ok } from './outcomes.ts';

/** Without a drain hook nobody moves guests away, so none may run. */
export async function checkGuests(port: HostPort): Promise<StepOutcome> {
  const snapshot = await port.read({ entries: GUESTS_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const guests = parseRunningGuests(snapshot);
  if (guests.length === 0) return ok({ guests: 'none' });
  return hold(
    'drain.guests-running',
    `${guests.length} guests run and the spec has no drain hook; move them away, then retry`,
    { guests: guests.slice(0, 20).join(' ') },
  );
}
