import { duration } from '../../domain/duration.ts';
import type { RolloutStatus } from '../../domain/status.ts';
import type { PlanFile } from '../plan/plan-file.ts';
import { count } from '../render/count.ts';
import type { Style } from '../render/style.ts';

/** How the demo ended: what became of every host, and that nothing is left running. */
export function demoSummary(status: RolloutStatus, plan: PlanFile, style: Style): string {
  const { counts } = status;
  const took = duration(Date.now() - Date.parse(status.startedAt));
  const kept = status.hosts.filter(
    (host) => host.state === 'rolled-back' || host.state === 'skipped',
  );
  const parts = [
    `${style.good(String(counts.done))} changed, proven and back in service`,
    `${counts.compliant} complied already and were not touched`,
    `${counts['rolled-back']} taken back`,
    `${counts.skipped} skipped`,
    `${counts.blocked} blocked and ${counts.unreachable} unreachable: found before anything was written`,
  ];
  return [
    '',
    `${style.strong(`${status.id} ${status.phase}`)} in ${took}: ${count(plan.hosts.length, 'simulated host')}`,
    ...parts
      .filter((part) => !part.startsWith('0 ') || part.includes('unreachable'))
      .map((part) => `  ${part}`),
    ...kept.map((host) => `    ${host.name} is ${host.state} (${host.code ?? 'by a person'})`),
    '',
    'Engine, worker and simulated hosts have been stopped; nothing is left behind.',
    `For real hosts:   ${style.command('vfleet check SPEC')}   ${style.command('vfleet plan SPEC')}   ${style.command('vfleet up')}   ${style.command('vfleet start SPEC')}`,
  ].join('\n');
}
