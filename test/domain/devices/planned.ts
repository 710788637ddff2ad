import type { Change, ChangeKind } from '../../../src/domain/changes.ts';
import type { Facts } from '../../../src/domain/facts.ts';
import { planHost } from '../../../src/domain/planner.ts';
import type { Target } from '../../../src/domain/spec.ts';

/** The changes of a plan; fails the test when there are none, with what came out in their place. */
export function changesOf(facts: Facts, target: Target): readonly Change[] {
  const plan = planHost(facts, target);
  if (plan.kind !== 'changes') throw new Error(`expected changes, got ${JSON.stringify(plan)}`);
  return plan.changes;
}

export const kindsOf = (facts: Facts, target: Target): readonly ChangeKind[] =>
  changesOf(facts, target).map(({ kind }) => kind);

/** The changes of one kind. */
export function ofKind<K extends ChangeKind>(
  facts: Facts,
  target: Target,
  kind: K,
): readonly Extract<Change, { kind: K }>[] {
  return changesOf(facts, target).filter(
    (change): change is Extract<Change, { kind: K }> => change.kind === kind,
  );
}

export function warningsOf(facts: Facts, target: Target): readonly string[] {
  const plan = planHost(facts, target);
  return plan.kind === 'changes' ? plan.warnings : [];
}

/** Why a plan is blocked, or its kind. */
export function blockOf(facts: Facts, target: Target): { code: string; sentence: string } {
  const plan = planHost(facts, target);
  return plan.kind === 'blocked'
    ? { code: plan.code, sentence: plan.sentence }
    : { code: plan.kind, sentence: JSON.stringify(plan) };
}
