import type { RolloutInput } from '../status.ts';
import type { Spec } from '../spec.ts';
import { limitOf } from './share.ts';
import { NO_WAVE, assignWaves } from './waves.ts';

/** Most hosts running at once whatever the spec says: the engine's advice for one workflow (reference/temporal.md). */
export const PARALLEL_MAX = 500;

/** One wave as it is carried out. */
export interface WaveRules {
  readonly name: string;
  readonly hosts: number;
  /** How many hosts of it may fail; absent: only the rollout's budget counts. */
  readonly failuresMax?: number;
  readonly bakeMs: number;
  readonly promote: 'manual' | 'auto';
}

/** What a rollout's input means in numbers; made again from the same input after each continue-as-new. */
export interface RolloutRules {
  readonly direction: RolloutInput['direction'];
  readonly names: readonly string[];
  readonly waves: readonly WaveRules[];
  /** Wave of each host by position; NO_WAVE for one that takes part in none. */
  readonly waveOf: readonly number[];
  readonly parallel: number;
  readonly unavailableMax: number;
  readonly failuresMax: number;
  readonly onBudgetSpent: Spec['onBudgetSpent'];
}

/**
 * The rules of a rollout. The failure budget is a share of the hosts that have changes; availability is one of all
 * hosts, since those that are down already count in it. Both round down; at least one host may be unavailable,
 * else nothing could ever start. A rollback takes the last wave first and neither bakes nor asks.
 */
export function rulesOf(input: Pick<RolloutInput, 'direction' | 'spec' | 'hosts'>): RolloutRules {
  const { direction, spec, hosts } = input;
  const back = direction === 'rollback';
  const forward = assignWaves(hosts, spec.waves);
  const last = spec.waves.length - 1;
  const waveOf = back ? forward.map((at) => (at === NO_WAVE ? at : last - at)) : forward;
  const specs = back ? spec.waves.toReversed() : spec.waves;
  const changing = hosts.filter((host) => host.planned === 'changes').length;
  return {
    direction,
    names: hosts.map((host) => host.connection.name),
    waves: specs.map((wave, at) => {
      const size = waveOf.filter((of) => of === at).length;
      return {
        name: wave.name,
        hosts: size,
        ...(wave.maxFailures === undefined ? {} : { failuresMax: limitOf(wave.maxFailures, size) }),
        bakeMs: back ? 0 : wave.bakeMs,
        promote: back ? 'auto' : wave.promote,
      };
    }),
    waveOf,
    parallel: Math.max(1, Math.min(spec.limits.parallel, PARALLEL_MAX)),
    unavailableMax: Math.max(1, limitOf(spec.limits.maxUnavailable, hosts.length)),
    failuresMax: limitOf(spec.limits.maxFailures, changing),
    onBudgetSpent: spec.onBudgetSpent,
  };
}
