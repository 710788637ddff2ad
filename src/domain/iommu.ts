import type { Code } from './codes.ts';
import type { Facts, IommuFacts } from './facts.ts';
import type { Target } from './spec.ts';

/**
 * Whose IOMMU the firmware describes: DMAR is Intel's table, IVRS is AMD's. The table decides, not the CPU,
 * since the arguments are read by the driver of the table.
 */
export function iommuVendor(facts: Facts): 'intel' | 'amd' | undefined {
  if (facts.firmware.dmar) return 'intel';
  if (facts.firmware.ivrs) return 'amd';
  return undefined;
}

/**
 * What is missing for the IOMMU to be proven as asked, or `undefined`. Only /sys/class/iommu and the groups'
 * types count: with the IOMMU off the kernel still logs a domain type, and some kernels make groups without
 * being asked (host.md §8). A group whose driver forces its own type is left to count as an exception: VFIO
 * owns it then, and its type is `unmanaged` or `blocked`.
 */
export function iommuProblem(
  iommu: IommuFacts,
  target: Pick<Target, 'iommu' | 'hostDma'>,
): { readonly code: Code; readonly sentence: string } | undefined {
  if (target.iommu === 'disabled') {
    if (iommu.units.length === 0) return undefined;
    return {
      code: 'iommu.still-on',
      sentence: `/sys/class/iommu still names ${iommu.units.join(' ')}`,
    };
  }
  const asked = target.iommu === 'enabled' || target.hostDma !== undefined;
  if (!asked) return undefined;
  if (iommu.units.length === 0) {
    return { code: 'iommu.no-units', sentence: 'no IOMMU is in use: /sys/class/iommu is empty' };
  }
  if (iommu.groups.length === 0) {
    return { code: 'iommu.no-groups', sentence: 'the IOMMU has no groups' };
  }
  return wrongTypes(iommu, target);
}

function wrongTypes(
  iommu: IommuFacts,
  target: Pick<Target, 'iommu' | 'hostDma'>,
): { readonly code: Code; readonly sentence: string } | undefined {
  if (target.hostDma === undefined) return undefined;
  const right = target.hostDma === 'passthrough' ? ['identity'] : ['DMA', 'DMA-FQ'];
  const wrong = iommu.groups.filter(
    (group) => ['identity', 'DMA', 'DMA-FQ'].includes(group.type) && !right.includes(group.type),
  );
  if (wrong.length === 0) return undefined;
  const shown = wrong
    .slice(0, 5)
    .map((group) => `${group.id}=${group.type}`)
    .join(' ');
  return {
    code: 'iommu.wrong-type',
    sentence: `${wrong.length} of ${iommu.groups.length} groups are not ${right.join(' or ')}: ${shown}`,
  };
}
