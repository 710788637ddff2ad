import type { PciFunction } from '../../domain/device-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import { linesOf, outputOf, shortText } from './text.ts';

/** Names by vendor and device from the host's pci.ids; a device that it does not know is called by its number, as lspci does. */
export function parsePciNames(
  snapshot: Snapshot,
): (ids: { readonly vendor: string; readonly device: string }) => PciFunction['names'] {
  const names = new Map<string, string>();
  for (const row of linesOf(outputOf(snapshot, 'pci-names'))) {
    const match = /^([0-9a-f]{4}(?::[0-9a-f]{4})?) {1,4}(.{1,300})/.exec(row);
    const name = shortText(match?.[2]);
    if (match?.[1] !== undefined && name !== undefined) names.set(match[1], name);
  }
  return ({ vendor, device }) => {
    const vendorName = names.get(vendor);
    if (vendorName === undefined) return undefined;
    return { vendor: vendorName, device: names.get(`${vendor}:${device}`) ?? `Device ${device}` };
  };
}
