import type { Problem } from '../blocked.ts';
import type { GuestFacts } from '../device-facts.ts';
import type { MeantDevice } from './attach-devices.ts';
import { deviceText, keyOf } from './attach-devices.ts';
import type { DeviceIndex } from './device-index.ts';

/** Which guest of the target is to have a device, by the device's key. */
export type Owners = ReadonlyMap<string, string>;

/** One device has one guest; with host patterns only the host itself shows that two entries mean the same. */
export function ownersOf(
  guests: readonly { readonly domain: string; readonly devices: readonly MeantDevice[] }[],
): Owners | Problem {
  const owners = new Map<string, string>();
  for (const { domain, devices } of guests) {
    for (const { device } of devices) {
      const other = owners.get(keyOf(device)) ?? domain;
      if (other !== domain) return taken(domain, deviceText(device), `is to go to guest ${other}`);
      owners.set(keyOf(device), domain);
    }
  }
  return owners;
}

const taken = (domain: string, device: string, how: string): Problem => ({
  code: 'guest.device-taken',
  sentence: `guest ${domain} is to have ${device}, which ${how} too; a device has one guest: detach it there (virsh detach-device --config), or give ${domain} another one`,
});

/** Why a device that another guest has now cannot be given to this one. */
export function takenProblem(
  index: DeviceIndex,
  guest: GuestFacts,
  devices: readonly MeantDevice[],
): Problem | undefined {
  const wanted = new Map(
    devices.flatMap((one) => (one.address === undefined ? [] : [[one.address, one]])),
  );
  for (const other of index.guests.values()) {
    if (other === guest) continue;
    for (const { address } of other.hostdevs) {
      const device = wanted.get(address);
      if (device !== undefined) {
        return taken(guest.name, deviceText(device.device), `guest ${other.name} has`);
      }
    }
  }
  return undefined;
}

/** What shares an IOMMU group shares memory by DMA: all of it goes to one guest or to none. */
export function sharedGroupProblem(
  index: DeviceIndex,
  guest: Pick<GuestFacts, 'name'>,
  devices: readonly Pick<MeantDevice, 'address'>[],
  owners: Owners,
): Problem | undefined {
  for (const { address } of devices) {
    const group = address === undefined ? undefined : index.groupOf.get(address);
    for (const member of group?.members ?? []) {
      const other = ownerOf(index, member, owners);
      if (group === undefined || other === undefined || other === guest.name) continue;
      return {
        code: 'guest.group-split',
        sentence: `${address ?? ''} for guest ${guest.name} shares IOMMU group ${group.id} with ${member} of guest ${other}, and each could reach the other's memory; give all members of the group (${group.members.slice(0, 12).join(', ')}) to one guest, or use another slot`,
      };
    }
  }
  return undefined;
}

/** A VF stands in `owners` by its PF and index. */
function ownerOf(index: DeviceIndex, address: string, owners: Owners): string | undefined {
  const fn = index.byAddress.get(address);
  const vf = fn?.physfn === undefined ? undefined : `${fn.physfn} ${fn.vfIndex ?? ''}`;
  const planned = owners.get(address) ?? (vf === undefined ? undefined : owners.get(vf));
  return planned ?? ownedNow(index, address);
}

function ownedNow(index: DeviceIndex, address: string): string | undefined {
  const running = index.runningOn.get(address);
  if (running !== undefined) return running.name;
  for (const guest of index.guests.values()) {
    if (guest.hostdevs.some((it) => it.address === address)) return guest.name;
  }
  return undefined;
}
