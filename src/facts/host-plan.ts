import { createHash } from 'node:crypto';
import type { HostPlan } from '../domain/changes.ts';
import type { Facts } from '../domain/facts.ts';
import { iommuVendor } from '../domain/iommu.ts';
import { planHost } from '../domain/planner.ts';
import { shortOutcome, shortText } from '../domain/short-text.ts';
import type { Target } from '../domain/spec.ts';

/** A host's plan with its digest: what `inspect` answers, and what `vfleet plan` groups by kind. */
export function makeHostPlan(facts: Facts, target: Target): HostPlan {
  const planned = planHost(facts, target);
  if (planned.kind !== 'changes') return shortOutcome(planned);
  const digest = createHash('sha256')
    .update(JSON.stringify([planned.changes, facts.machineId]))
    .digest('hex');
  return { ...planned, reboots: 1, digest, hardware: hardwareOf(facts) };
}

/** Longest text that tells kinds apart, in characters. */
const HARDWARE_LENGTH_MAX = 200;

/** A few words by which people tell kinds of host apart. */
export function hardwareOf(facts: Facts): string {
  const vendor = { intel: 'Intel', amd: 'AMD' }[iommuVendor(facts) ?? 'intel'];
  const release = facts.os.prettyName === '' ? facts.os.id : facts.os.prettyName;
  return shortText(
    `${vendor} IOMMU, ${release}, kernel ${facts.kernelRelease}`,
    HARDWARE_LENGTH_MAX,
  );
}
