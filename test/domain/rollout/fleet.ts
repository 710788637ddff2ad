import { NOTHING_ASKED, type Spec } from '../../../src/domain/spec.ts';
import type { PlannedHost, RolloutInput } from '../../../src/domain/status.ts';

/** A spec's part that a rollout is started with: two waves, a careful canary and generous limits. */
export function specOf(change: Partial<Spec> = {}): RolloutInput['spec'] {
  return {
    name: 'enable-iommu',
    owner: { team: 'netplat' },
    target: { ...NOTHING_ASKED, iommu: 'enabled' },
    waves: [
      {
        name: 'canary',
        size: { kind: 'add', hosts: 1, each: 'kind' },
        maxFailures: { kind: 'count', count: 0 },
        bakeMs: 0,
        promote: 'auto',
      },
      {
        name: 'fleet',
        size: { kind: 'upTo', share: { kind: 'percent', percent: 100 } },
        bakeMs: 0,
        promote: 'auto',
      },
    ],
    limits: {
      parallel: 500,
      maxUnavailable: { kind: 'percent', percent: 100 },
      maxFailures: { kind: 'percent', percent: 100 },
    },
    hooks: {},
    reboot: { timeoutMs: 1_200_000 },
    onHostFailure: 'hold',
    onBudgetSpent: 'pause',
    ...change,
  };
}

/** Hosts hv-1, hv-2, ... as a plan found them: a kind letter means changes, anything else is the plan's word. */
export function hostsOf(...found: readonly string[]): readonly PlannedHost[] {
  return found.map((word, index) => ({
    connection: { name: `hv-${index + 1}`, address: '127.0.0.1', port: 22, user: 'admin' },
    ...(word === 'compliant' || word === 'blocked' || word === 'unreachable'
      ? { planned: word, kind: '' }
      : { planned: 'changes' as const, kind: word, digest: `digest-${word}` }),
  }));
}

/** `count` hosts of one kind. */
export function uniform(count: number, kind = 'A'): readonly PlannedHost[] {
  return hostsOf(...Array.from({ length: count }, () => kind));
}

/** A rollout's input over some hosts. */
export function inputOf(
  hosts: readonly PlannedHost[],
  change: Partial<Spec> = {},
  direction: RolloutInput['direction'] = 'forward',
): RolloutInput {
  return { id: 'enable-iommu#1', direction, spec: specOf(change), who: 'ops1', hosts };
}
