import type { DeviceFacts, PciFunction } from '../device-facts.ts';
import { nameOf } from '../devices/device-index.ts';
import { isPciAddress } from '../own-files.ts';

/** A device that a line of a log names, as far as this machine knows it. */
export interface NamedDevice {
  /** `0000:04:00.0`, or `04:00.0` where the line has no segment and nothing here has that address. */
  readonly address: string;
  readonly found?: PciFunction;
  /** With its names, its driver, and who uses it. */
  readonly text: string;
}

/** What a log writes of an address: `0000:04:00.0`, `04:00.0`. */
export function deviceNamed({ functions }: DeviceFacts, written: string): NamedDevice {
  const lower = written.toLowerCase();
  const found = isPciAddress(lower)
    ? functions.find(({ address }) => address === lower)
    : onlyOne(functions.filter(({ address }) => address.endsWith(`:${lower}`)));
  if (found === undefined) return { address: lower, text: lower };
  return { address: found.address, found, text: `${nameOf(found)}, ${doingOf(found)}` };
}

/** An address without its segment may mean one function in each of several segments. */
const onlyOne = (found: readonly PciFunction[]): PciFunction | undefined =>
  found.length === 1 ? found[0] : undefined;

function doingOf({ driver, uses }: PciFunction): string {
  const use = uses[0];
  return `${driver ?? 'no driver'}${use === undefined ? '' : `, ${use.what}`}`;
}

/** Whether a function is a guest's, or is to be one: bound to vfio-pci or a variant of it, or set to be. */
export function isForGuests({ driver, override, uses }: PciFunction): boolean {
  const isVfio = (name: string | null): boolean => name !== null && /vfio[-_]pci$/.test(name);
  return isVfio(driver) || isVfio(override) || uses.some(({ kind }) => kind === 'guest');
}
