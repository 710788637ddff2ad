import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { parseLease } from '../../src/facts/parse-facts.ts';
import type { RecordedRun } from '../../src/facts/record.ts';
import { withRelease } from '../../src/facts/record.ts';
import type { Guard, HostPort, WriteOutcome } from '../../src/host/port.ts';
import type { OwnState } from './own-state.ts';
import { leaseRemoval, recordWrites } from './own-state.ts';

/**
 * Takes a host from the rollout whose lease was read, and notes who did it and why in the record; nothing else changes. The
 * guard carries the newest token that the host had seen then: a rollout that has done anything since is not cut off.
 * Throws a HostError `host.lease-lost` or `host.fenced` for that.
 */
export async function releaseHost(
  port: HostPort,
  call: {
    /** What was read and shown; compared again on the host. */
    readonly own: OwnState & { readonly lease: string };
    readonly released: NonNullable<RecordedRun['released']>;
  },
): Promise<readonly WriteOutcome[]> {
  const { own, released } = call;
  const lease = parseLease(own.lease);
  const record =
    own.record === undefined ? [] : recordWrites(own, withRelease(own.record, lease, released));
  return port.write({
    guard: newestToken(own, lease.id),
    files: [...record, ...leaseRemoval(own, own.lease)],
    deadlineMs: HOST_DEADLINE_MS.write,
  });
}

/** The fence file as the scripts write it; that of an earlier lease, or a broken one, says nothing of this one. */
function newestToken(own: OwnState, lease: string): Guard {
  const [held, seq = 0, attempt = 0] =
    /^(\S+) (\d{1,15}) (\d{1,15})$/.exec((own.fence ?? '').trim())?.slice(1) ?? [];
  if (held !== lease) return { lease, seq: 0, attempt: 0 };
  return { lease, seq: Number(seq), attempt: Number(attempt) };
}
