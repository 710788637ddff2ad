import type { Change, HostPlan } from '../../src/domain/changes.ts';
import { rebootsOf, subjectOf } from '../../src/domain/changes.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { STEP_OF_CHANGE, STEPS } from '../../src/domain/host-run.ts';
import { hardwareOf, planDigest } from '../../src/facts/host-plan.ts';

/**
 * A plan of a host on which an earlier run of the same lease died half-way. What that run began is planned as it planned it,
 * also what it has finished: only its record knows what was there before (law 2), and compare-and-set goes on from wherever
 * the host stands. The kernel line is not among it: its half-way states are seen in the facts.
 */
export function withOwnChanges(plan: HostPlan, own: readonly Change[], facts: Facts): HostPlan {
  const devices = own.filter((change) => change.kind !== 'cmdline');
  if (devices.length === 0 || (plan.kind !== 'changes' && plan.kind !== 'compliant')) return plan;
  const { bootId, machineId } = facts;
  if (bootId === undefined || machineId === undefined) return plan;
  const planned = plan.kind === 'changes' ? plan.changes : [];
  const known = new Set(devices.map(subjectOf));
  const changes = [...planned.filter((change) => !known.has(subjectOf(change))), ...devices].sort(
    (a, b) => order(a) - order(b),
  );
  return {
    kind: 'changes',
    changes,
    reboots: rebootsOf(changes),
    digest: planDigest(changes, machineId),
    hardware: hardwareOf(facts),
    warnings: plan.kind === 'changes' ? plan.warnings : [],
    bootId,
    machineId,
  };
}

const order = (change: Change): number => STEPS.indexOf(STEP_OF_CHANGE[change.kind]);
