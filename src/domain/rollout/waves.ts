import type { PlannedHost } from '../status.ts';
import type { WaveSpec } from '../spec.ts';
import { sizeOf } from './share.ts';

/** Wave of a host that takes part in none: nothing to change there, or the waves stop before it. */
export const NO_WAVE = -1;

/**
 * The wave of each host, by position: waves take the hosts that have changes in the order given, each host once.
 * `each: kind` takes that many of every kind; `upTo` is cumulative over all waves so far.
 */
export function assignWaves(
  hosts: readonly Pick<PlannedHost, 'planned' | 'kind'>[],
  waves: readonly WaveSpec[],
): readonly number[] {
  const waveOf = hosts.map(() => NO_WAVE);
  const changing = hosts.flatMap((host, index) => (host.planned === 'changes' ? [index] : []));
  for (const [wave, { size }] of waves.entries()) {
    const left = changing.filter((index) => waveOf[index] === NO_WAVE);
    for (const index of take(size, left, changing.length, (at) => hosts[at]?.kind ?? '')) {
      waveOf[index] = wave;
    }
  }
  return waveOf;
}

function take(
  size: WaveSpec['size'],
  left: readonly number[],
  total: number,
  kindOf: (index: number) => string,
): readonly number[] {
  if (size.kind === 'upTo') {
    return left.slice(0, Math.max(0, sizeOf(size.share, total) - (total - left.length)));
  }
  if (size.each === null) return left.slice(0, size.hosts);
  const taken = new Map<string, number>();
  return left.filter((index) => {
    const kind = kindOf(index);
    const already = taken.get(kind) ?? 0;
    taken.set(kind, already + 1);
    return already < size.hosts;
  });
}
