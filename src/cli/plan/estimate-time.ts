import { median } from '../../domain/median.ts';
import type { RolloutRules } from '../../domain/rollout/rules.ts';
import type { Hook, Spec } from '../../domain/spec.ts';
import type { RolloutStatus } from '../../domain/status.ts';
import { count } from '../render/count.ts';

const MINUTE_MS = 60_000;
/** Servers of this kind test memory and start their option ROMs: most are back in 4 to 10 minutes. */
const REBOOT_MS = 8 * MINUTE_MS;
/** Connecting, update-grub twice, proofs: the lab's emulated machines take less. */
const OTHER_STEPS_MS = 2 * MINUTE_MS;

/** How long one host takes, and how that is known. */
export interface HostTime {
  readonly ms: number;
  /** `assumed: ...` or `the median of 38 hosts of enable-iommu#3`. */
  readonly from: string;
}

/** How long a rollout takes if no host fails and nobody stops it. */
export interface TimeEstimate {
  readonly hostTime: HostTime;
  /** Hosts at a time. */
  readonly places: number;
  readonly bakesMs: number;
  /** Hosts and bakes together; how long people take is not in it. */
  readonly totalMs: number;
  /** Waves after which it waits for a person, unless nothing comes after them. */
  readonly promotedByPerson: readonly string[];
}

/**
 * What a host is taken to need while none has told: a server's reboot, and each hook at half of its limit. Without a
 * reboot nothing is drained either.
 */
export function assumedHostTime(spec: Pick<Spec, 'hooks' | 'reboot'>, reboots = true): HostTime {
  const rebootMs = reboots ? Math.min(REBOOT_MS, spec.reboot.timeoutMs) : 0;
  const { health } = spec.hooks;
  const hooks = (reboots ? Object.values(spec.hooks) : [health]).filter(
    (hook): hook is Hook => hook !== undefined,
  );
  const hooksMs = hooks.reduce((sum, hook) => sum + hook.timeoutMs / 2, 0);
  const parts = [
    ...(reboots ? [`${minutes(rebootMs)} for a reboot`] : []),
    ...(hooksMs === 0 ? [] : [`${minutes(hooksMs)} for hooks (half of their limits)`]),
    `${minutes(OTHER_STEPS_MS)} for ${reboots ? 'the other steps' : 'all steps, with no reboot'}`,
  ];
  return { ms: rebootMs + hooksMs + OTHER_STEPS_MS, from: `assumed: ${parts.join(', ')}` };
}

function minutes(ms: number): string {
  return `${Math.max(1, Math.round(ms / MINUTE_MS))}m`;
}

/** The median of the hosts that an earlier rollout of the spec brought to their end without a hold; `undefined` for none. */
export function learntHostTime(earlier: Pick<RolloutStatus, 'id' | 'hosts'>): HostTime | undefined {
  const took = earlier.hosts.flatMap((host) => host.tookMs ?? []);
  const ms = median(took);
  if (ms === undefined) return undefined;
  return { ms, from: `the median of ${count(took.length, 'host')} of ${earlier.id}` };
}

/**
 * Waves one after the other, each through as many places as the limits leave beside the hosts that are down, with the
 * bakes between. `undefined` when there is no place or nothing to do, so that it would never end.
 */
export function estimateTime(
  rules: Pick<RolloutRules, 'waves' | 'parallel' | 'unavailableMax'>,
  hostsDown: number,
  hostTime: HostTime,
): TimeEstimate | undefined {
  const places = Math.min(rules.parallel, rules.unavailableMax - hostsDown);
  const waves = rules.waves.filter((wave) => wave.hosts > 0);
  if (places < 1 || waves.length === 0) return undefined;
  const bakesMs = waves.reduce((sum, wave) => sum + wave.bakeMs, 0);
  const rounds = waves.reduce((sum, wave) => sum + Math.ceil(wave.hosts / places), 0);
  return {
    hostTime,
    places,
    bakesMs,
    totalMs: rounds * hostTime.ms + bakesMs,
    promotedByPerson: waves
      .slice(0, -1)
      .filter((wave) => wave.promote === 'manual')
      .map((wave) => wave.name),
  };
}
