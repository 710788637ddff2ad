import type { DeviceFacts, GuestFacts } from '../device-facts.ts';
import { plainLine } from '../plain-line.ts';
import { shortText } from '../short-text.ts';
import { isForGuests } from './device-named.ts';

/** Addresses of the functions that guests have or are to have: on vfio-pci, meant for it, or in a guest's configuration. */
export function wantedByGuests({ functions, guests }: DeviceFacts): ReadonlySet<string> {
  return new Set([
    ...functions.filter(isForGuests).map(({ address }) => address),
    ...guests.flatMap(({ hostdevs }) => hostdevs.map(({ address }) => address)),
  ]);
}

/** A guest's name as one short plain word of a sentence; libvirt takes any text for a name. */
export const guestName = ({ name }: Pick<GuestFacts, 'name'>): string =>
  shortText(plainLine(name), 80);
