import type { Change } from '../../domain/changes.ts';
import { plainLine } from '../../domain/plain-line.ts';
import type { PlanView } from '../plan/plan-view.ts';
import { count } from './count.ts';

/** Most hosts that the question names. */
const NAMED_MAX = 8;

/** What a start will do, as a question: on how many hosts, how disruptive, and what nobody may overlook. */
export function startQuestion(view: PlanView): string {
  const { spec } = view.plan;
  const first = view.waves.find((wave) => wave.hosts.length > 0);
  const names = first?.hosts.slice(0, NAMED_MAX).map(plainLine).join(' ') ?? '';
  const more = (first?.hosts.length ?? 0) > NAMED_MAX ? ' ...' : '';
  const warnings = view.warnings.map((warning) => `; WARNING ${warning}`).join('');
  return (
    `Start ${spec.name} on ${count(view.changing, 'host')} in ${count(view.waves.length, 'wave')}, ` +
    `first ${names}${more}: ${disruption(view)}${warnings}?`
  );
}

/** Reboots and drains; where there are none, what happens to devices while guests run. */
function disruption(view: PlanView): string {
  if (view.reboots > 0) return `${count(view.reboots, 'reboot')}, ${count(view.drains, 'drain')}`;
  const changes = view.plan.hosts.flatMap(({ plan }) =>
    plan.kind === 'changes' ? plan.changes : [],
  );
  return ['no reboot', ...deviceTotals(changes)].join(', ');
}

/** How many devices and guests changes touch. */
function deviceTotals(changes: readonly Change[]): string[] {
  const countOf = (kind: Change['kind']) => changes.filter((one) => one.kind === kind).length;
  const totals = [
    [countOf('hugepages'), 'host', 'with other hugepages'],
    [countOf('vfs'), 'PF', 'with other VFs'],
    [countOf('bind'), 'function', 'with another driver'],
    [countOf('attach'), 'guest', 'with other devices'],
  ] as const;
  return totals
    .filter(([number]) => number > 0)
    .map(([number, noun, what]) => `${count(number, noun)} ${what}`);
}
