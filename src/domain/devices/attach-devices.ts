import type { Problem } from '../blocked.ts';
import type { AttachedDevice, VfsChange } from '../changes.ts';
import type { PciFunction } from '../device-facts.ts';
import type { AttachTarget, GuestTarget } from '../spec.ts';
import type { DeviceIndex } from './device-index.ts';
import { nameOf, slotOf } from './device-index.ts';
import type { SelectedEntry } from './select.ts';

/** What device entries have become, as far as guests need it. */
export interface Prepared {
  readonly index: DeviceIndex;
  readonly entries: ReadonlyMap<string, SelectedEntry>;
  /** Functions that are left alone, with why, by address. */
  readonly skipped: ReadonlyMap<string, string>;
  /** The VF changes by PF. */
  readonly vfs: ReadonlyMap<string, VfsChange>;
}

/** One device of a guest: as a change names it, with the function that is there now, if any. */
export interface MeantDevice {
  readonly device: AttachedDevice;
  /** The function itself; of a VF that is still to be made, its PF. */
  readonly fn: PciFunction;
  /** Absent for a VF that is still to be made. */
  readonly address?: string;
}

/** The devices that a guest of the target is to have, in the order of the spec, each once; or which of them is not to be had. */
export function meantDevices(
  prepared: Prepared,
  { domain, attach }: GuestTarget,
): readonly MeantDevice[] | Problem {
  const found = new Map<string, MeantDevice>();
  for (const attached of attach) {
    const devices = meantBy(prepared, domain, attached);
    if ('code' in devices) return devices;
    for (const one of devices) found.set(keyOf(one.device), one);
  }
  return [...found.values()];
}

/** The same for two that mean the same device. */
export const keyOf = (device: AttachedDevice): string =>
  'address' in device ? device.address : `${device.pf} ${device.vf}`;

/** `VF 0 of 0000:03:00.0`. */
export const deviceText = (device: AttachedDevice): string =>
  'address' in device ? device.address : `VF ${device.vf} of ${device.pf}`;

function meantBy(
  { index, entries, skipped, vfs }: Prepared,
  domain: string,
  { device, pf, vf }: AttachTarget,
): readonly MeantDevice[] | Problem {
  const selected = entries.get(device);
  const match = selected?.matches[pf];
  if (selected === undefined || match === undefined) {
    const count = selected?.matches.length ?? 0;
    return noDevice(
      domain,
      selected === undefined
        ? `a device of entry "${device}", which does not hold on this host; leave the guest out here by its hosts`
        : `match ${pf} of entry "${device}" (counted from 0), and ${count} are here; change pf`,
    );
  }
  const why = skipped.get(match.address);
  if (why !== undefined) {
    return noDevice(domain, `${nameOf(match)} of entry "${device}", which is left alone: ${why}`);
  }
  if (vf !== undefined) return [vfDevice(index, match, vf, vfs.get(match.address))];
  const whole = selected.claimed.filter((fn) => slotOf(fn) === slotOf(match));
  return (selected.entry.functions === 'all' ? whole : [match]).map((fn) => ({
    device: { address: fn.address },
    fn,
    address: fn.address,
  }));
}

/** VFs that are made anew have addresses of which nothing is known before. */
function vfDevice(
  index: DeviceIndex,
  pf: PciFunction,
  vf: number,
  change: VfsChange | undefined,
): MeantDevice {
  const device = { pf: pf.address, vf };
  const isRemade = change !== undefined && change.before.count !== change.after.count;
  const address = isRemade ? undefined : pf.sriov?.vfs[vf];
  const fn = address === undefined ? undefined : index.byAddress.get(address);
  return fn === undefined ? { device, fn: pf } : { device, fn, address: fn.address };
}

const noDevice = (domain: string, what: string): Problem => ({
  code: 'guest.no-device',
  sentence: `guest ${domain} is to have ${what}`,
});
