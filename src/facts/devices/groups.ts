import type { IommuGroup } from '../../domain/device-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';
import { linesOf, outputOf, shortText } from './text.ts';

/** Groups with their members, sorted by id; members are those functions whose `iommu_group` link leads there. */
export function parseGroups(
  snapshot: Snapshot,
  functions: readonly { readonly address: string; readonly group?: string }[],
): readonly IommuGroup[] {
  const members = new Map<string, string[]>();
  for (const { address, group } of functions) {
    if (group === undefined) continue;
    const list = members.get(group) ?? [];
    list.push(address);
    members.set(group, list);
  }
  const direct = directRegions(snapshot);
  return [...members]
    .map(([id, addresses]) => ({
      id,
      type: shortText(lineOf(snapshot, `/sys/kernel/iommu_groups/${id}/type`)) ?? 'unknown',
      members: addresses,
      rmrr: direct.has(id),
    }))
    .sort((a, b) => Number(a.id) - Number(b.id));
}

/** Groups with a region of type `direct`; `direct-relaxable` ones do not stop VFIO (drivers/iommu/iommu.c). */
function directRegions(snapshot: Snapshot): ReadonlySet<string> {
  const groups = new Set<string>();
  for (const row of linesOf(outputOf(snapshot, 'reserved-regions'))) {
    const id = /^(\d{1,9})\/reserved_regions:.{1,80} direct$/.exec(row)?.[1];
    if (id !== undefined) groups.add(id);
  }
  return groups;
}
