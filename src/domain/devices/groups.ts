import type { Problem } from '../blocked.ts';
import type { IommuGroup, PciFunction } from '../device-facts.ts';
import type { DeviceIndex } from './device-index.ts';
import { listed, nameOf } from './device-index.ts';

/**
 * Drivers that leave DMA to the owner of the group (`driver_managed_dma` in the kernel's pci_driver), with none at all; the
 * variants of vfio-pci for single cards end as it does.
 */
export const leavesTheGroup = (driver: string | null): boolean =>
  driver === null || driver === 'pci-stub' || driver === 'pcieport' || /vfio[-_]pci$/.test(driver);

/** PCI-to-PCI bridges stay with the host in any group (kernel, Documentation/driver-api/vfio.rst). */
const isPciBridge = ({ class: pciClass }: PciFunction): boolean => pciClass.startsWith('0604');

/** One of `wanted` whose group VFIO will not take; `undefined` as long as groups cannot be known. */
export function groupProblem(index: DeviceIndex, wanted: ReadonlySet<string>): Problem | undefined {
  if (index.facts.groups.length === 0) return undefined;
  const seen = new Set<IommuGroup>();
  for (const address of wanted) {
    const fn = index.byAddress.get(address);
    if (fn === undefined) continue;
    const group = index.groupOf.get(address);
    if (group === undefined) return noGroup(fn);
    if (seen.has(group)) continue;
    seen.add(group);
    const problem = rmrrProblem(fn, group) ?? viabilityProblem(index, fn, group, wanted);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function noGroup(fn: PciFunction): Problem {
  return {
    code: 'bind.no-group',
    sentence: `${nameOf(fn)} is in no IOMMU group: no IOMMU of this machine covers it, so no guest can be given it safely; use another slot`,
  };
}

/** Why VFIO takes no function of a group with reserved memory. */
export function rmrrProblem(fn: PciFunction, group: IommuGroup): Problem | undefined {
  if (!group.rmrr) return undefined;
  return {
    code: 'devices.rmrr',
    sentence:
      `firmware has reserved memory for a device of IOMMU group ${group.id}, that of ${nameOf(fn)} (RMRR), and may write to it by DMA at any time, ` +
      'so the kernel gives none of the group to a guest; turn off in the setup of the firmware what shares the device (management of the card by the BMC, USB legacy), or use another slot',
  };
}

function viabilityProblem(
  index: DeviceIndex,
  fn: PciFunction,
  group: IommuGroup,
  wanted: ReadonlySet<string>,
): Problem | undefined {
  const stays = (address: string): boolean => {
    const member = index.byAddress.get(address);
    if (member === undefined || wanted.has(address)) return false;
    return !leavesTheGroup(member.driver) && !isPciBridge(member);
  };
  if (!group.members.some(stays)) return undefined;
  const members = group.members.map((address) => {
    const member = index.byAddress.get(address);
    const name = member === undefined ? address : nameOf(member);
    const becomes = wanted.has(address) ? 'to go to vfio-pci' : (member?.driver ?? 'no driver');
    return `${name}: ${becomes}`;
  });
  return {
    code: 'devices.group-not-viable',
    sentence:
      `IOMMU group ${group.id} of ${nameOf(fn)} has members that keep a driver of the host, so VFIO refuses all of it: ${listed(members)}; ` +
      'take the whole group (functions: all, or an entry for each member), or move the card to a slot with a group of its own. ' +
      'An ACS override is not offered: it would claim an isolation that the hardware does not give',
  };
}
