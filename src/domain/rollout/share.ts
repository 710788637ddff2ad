import type { Share } from '../spec.ts';

/** A share of `total` hosts for a limit: percentages round down, so that a limit is never exceeded. */
export function limitOf(share: Share, total: number): number {
  return share.kind === 'count' ? share.count : Math.floor((share.percent * total) / 100);
}

/**
 * A share of `total` hosts for a wave: percentages round to the nearest, as people expect of "10 % of 38 hosts",
 * but more than 0 % is at least one host.
 */
export function sizeOf(share: Share, total: number): number {
  if (share.kind === 'count') return Math.min(share.count, total);
  if (share.percent <= 0) return 0;
  return Math.min(total, Math.max(1, Math.round((share.percent * total) / 100)));
}
