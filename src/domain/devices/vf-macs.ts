import type { Problem } from '../blocked.ts';
import { nameOf } from './device-index.ts';
import type { SelectedEntry } from './select.ts';

/**
 * Two VFs of this host that would have one MAC address: an entry that matches several ports sets what its groups say on each
 * of them. The card takes both and switches frames to one, so that a guest is without network and nobody is told.
 */
export function sharedMacProblem(
  entries: readonly SelectedEntry[],
  skipped: ReadonlyMap<string, string>,
): Problem | undefined {
  const owners = new Map<string, string>();
  for (const { entry, matches } of entries) {
    for (const pf of matches.filter(({ address }) => !skipped.has(address))) {
      for (const [at, { mac }] of (entry.vfs?.vfs ?? []).entries()) {
        if (mac === undefined) continue;
        const name = `VF ${at} of ${nameOf(pf)}`;
        const owner = owners.get(mac);
        if (owner !== undefined) return sharedMac(mac, owner, name);
        owners.set(mac, name);
      }
    }
  }
  return undefined;
}

const sharedMac = (mac: string, one: string, other: string): Problem => ({
  code: 'vfs.mac-twice',
  sentence: `${one} and ${other} would both have the address ${mac}, and in one network an address is there once; give each port an entry of its own (match by address or netdev), or leave mac out`,
});
