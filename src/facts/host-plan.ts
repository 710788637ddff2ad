import { createHash } from 'node:crypto';
import type { Change, HostPlan } from '../domain/changes.ts';
import { rebootsOf } from '../domain/changes.ts';
import type { Code } from '../domain/codes.ts';
import { withoutTrialArgs } from '../domain/drop-in.ts';
import type { Facts } from '../domain/facts.ts';
import { iommuVendor } from '../domain/iommu.ts';
import { planHost } from '../domain/planner.ts';
import { shortOutcome, shortText } from '../domain/short-text.ts';
import type { Target } from '../domain/spec.ts';
import { namesBefore } from './earlier-names.ts';
import { holderSentence } from './lease.ts';
import { parseRecord } from './record.ts';

/**
 * A host's plan with its digest: what `inspect` answers, and what `vfleet plan` groups by kind. A host that needs
 * changes while somebody else's lease is on it is held with `host.busy`, naming the holder; `ownLease` is the id of
 * the lease that is no obstacle.
 */
export function makeHostPlan(facts: Facts, target: Target, ownLease?: string): HostPlan {
  const planned = planHost(facts, target, namesBefore(facts));
  if (planned.kind === 'compliant') return shortOutcome(planned);
  const byTrial = planned.kind === 'blocked' && AS_A_TRIAL_LEAVES_IT.has(planned.code);
  const { lease } = facts;
  if ((planned.kind === 'changes' || byTrial) && lease !== undefined && lease.id !== ownLease) {
    return shortOutcome({ kind: 'held', code: 'host.busy', sentence: holderSentence(lease) });
  }
  if (planned.kind === 'blocked') {
    return shortOutcome({ ...planned, ...(byTrial ? leftOnTrial(facts) : {}) });
  }
  const { changes, machineId } = planned;
  return {
    ...planned,
    reboots: rebootsOf(changes),
    digest: planDigest(changes, machineId),
    hardware: hardwareOf(facts),
  };
}

/** The digest of what a host needs, in hex: equal for the same changes of the same machine. */
export function planDigest(changes: readonly Change[], machineId: string): string {
  return createHash('sha256')
    .update(JSON.stringify([changes, machineId]))
    .digest('hex');
}

/** Obstacles that a rollout under way makes by itself: its trial is armed, or runs while the old line is the default. */
const AS_A_TRIAL_LEAVES_IT: ReadonlySet<Code> = new Set<Code>([
  'bootloader.one-shot-pending',
  'cmdline.pending-differs',
]);

/** A trial that nobody holds any more: its rollout skipped the host, or was lost. The record says whose it was. */
function leftOnTrial(facts: Facts): { readonly sentence: string } | undefined {
  const { bootLoader, runningArgs } = facts;
  if (!bootLoader.supported || withoutTrialArgs(runningArgs) === runningArgs) return undefined;
  const run = parseRecord(facts.record)?.runs.at(-1);
  const whose = run === undefined ? 'an earlier rollout' : `${run.rollout} of ${run.who}`;
  return {
    sentence:
      `it runs the trial line of ${whose}, which was never made the default; ` +
      'reboot it: it returns to its default line by itself',
  };
}

/** Longest text that tells kinds apart, in characters. */
const HARDWARE_LENGTH_MAX = 200;

/** A few words by which people tell kinds of host apart: `Intel, Debian 12, kernel 6.1.0-56-amd64`. */
export function hardwareOf(facts: Facts): string {
  const vendor = { intel: 'Intel', amd: 'AMD' }[iommuVendor(facts) ?? 'intel'];
  const { id, versionId } = facts.os;
  const release = `${id.charAt(0).toUpperCase()}${id.slice(1)} ${versionId}`.trim();
  const parts = [vendor, release, `kernel ${facts.kernelRelease}`].filter((part) => part !== '');
  return shortText(parts.join(', '), HARDWARE_LENGTH_MAX);
}
