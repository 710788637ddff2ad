import { compact } from '../../domain/compact.ts';
import { rulesOf, type RolloutRules } from '../../domain/rollout/rules.ts';
import type { WaveSpec } from '../../domain/spec.ts';
import type { PlannedHost } from '../../domain/status.ts';
import { assumedHostTime, estimateTime, type HostTime } from './estimate-time.ts';
import type { PlanFile, PlanHost } from './plan-file.ts';
import type { PlanView, WavePreview } from './plan-view.ts';

/** A plan's hosts as a rollout is started with them. A host that the planner would hold is left out like a blocked one. */
export function plannedHosts(plan: Pick<PlanFile, 'hosts'>): readonly PlannedHost[] {
  return plan.hosts.map((host): PlannedHost => {
    const { plan: found, letter } = host;
    const here = compact({ connection: host.connection, scope: host.scope });
    switch (found.kind) {
      case 'changes':
        return { ...here, planned: 'changes', kind: letter, digest: found.digest };
      case 'compliant':
        return { ...here, planned: 'compliant', kind: '' };
      case 'blocked':
      case 'held':
        return { ...here, planned: 'blocked', kind: '', code: found.code };
      case 'unreachable':
        return { ...here, planned: 'unreachable', kind: '', code: found.code };
    }
  });
}

/** The waves, limits and time that a rollout of this plan would have, by the rollout's own rules. */
export function previewRollout(
  plan: PlanFile,
  hostTime: HostTime = assumedHostTime(plan.spec, plan.hosts.some(reboots)),
): Pick<PlanView, 'waves' | 'budget' | 'estimate'> {
  const hosts = plannedHosts(plan);
  const rules = rulesOf({ direction: 'forward', spec: plan.spec, hosts });
  const down = hosts.filter((host) => host.planned === 'unreachable').length;
  const estimate = estimateTime(rules, down, hostTime);
  return {
    waves: rules.waves.map((_, at) => previewWave(rules, at, plan.spec.waves[at])),
    budget: { maxUnavailable: rules.unavailableMax, maxFailures: rules.failuresMax },
    ...(estimate === undefined ? {} : { estimate }),
  };
}

function reboots({ plan }: PlanHost): boolean {
  return plan.kind === 'changes' && plan.reboots > 0;
}

function previewWave(rules: RolloutRules, at: number, asked: WaveSpec | undefined): WavePreview {
  const wave = rules.waves[at];
  return {
    name: wave?.name ?? '',
    hosts: rules.names.filter((_, index) => rules.waveOf[index] === at),
    asked: asked === undefined ? '' : askedFor(asked),
    bakeMs: wave?.bakeMs ?? 0,
    promote: wave?.promote ?? 'auto',
    ...(wave?.failuresMax === undefined ? {} : { maxFailures: wave.failuresMax }),
  };
}

function askedFor({ size }: WaveSpec): string {
  if (size.kind === 'add') {
    return size.each === null ? `${size.hosts} more` : `${size.hosts} of each ${size.each}`;
  }
  const { share } = size;
  return share.kind === 'count' ? `up to ${share.count} hosts` : `up to ${share.percent} %`;
}
