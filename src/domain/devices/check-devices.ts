import type { Problem } from '../blocked.ts';
import type { BindChange, Change, VfsChange } from '../changes.ts';
import type { DeviceFacts, PciFunction } from '../device-facts.ts';
import type { Target } from '../spec.ts';
import type { DeviceIndex } from './device-index.ts';
import { indexDevices, nameOf } from './device-index.ts';
import { groupProblem } from './groups.ts';
import type { Touch } from './guards.ts';
import { forbidden, guardProblem, guardsOf, unresolvedProblem } from './guards.ts';
import { movesDriver } from './plan-bind.ts';

/**
 * Whether what the plan knew of the devices holds in the boot that runs now, before one of them is touched: each is still
 * where it was, nothing of the host has come to depend on it, and the groups, which may exist only now, can go to a guest.
 * The first that does not hold is the answer.
 */
export function checkDevices(
  devices: DeviceFacts,
  target: Pick<Target, 'allow'>,
  changes: readonly Change[],
): Problem | undefined {
  const index = indexDevices(devices);
  const touching = changes.filter((change) => change.kind === 'bind' || change.kind === 'vfs');
  if (touching.length === 0) return undefined;
  for (const change of touching) {
    const problem =
      change.kind === 'bind'
        ? bindProblem(index, target, change)
        : vfsProblem(index, target, change);
    if (problem !== undefined) return problem;
  }
  const vfio = touching.flatMap((change) =>
    change.kind === 'bind' && change.after.driver === 'vfio-pci' ? [change.address] : [],
  );
  const unknown = unresolvedProblem(devices, target.allow);
  if (unknown !== undefined) return unknown;
  if (vfio.length > 0 && devices.groups.length === 0) return noGroups(vfio);
  return groupProblem(index, new Set(vfio));
}

function bindProblem(
  index: DeviceIndex,
  target: Pick<Target, 'allow'>,
  change: BindChange,
): Problem | undefined {
  const fn = index.byAddress.get(change.address);
  if (fn === undefined) return moved(change.address, 'is not there any more');
  const { modalias } = change;
  if (modalias !== null && fn.modalias !== undefined && fn.modalias !== modalias) {
    return moved(change.address, `is another device now (${fn.vendor}:${fn.device})`);
  }
  // What a boot with the new modules has brought there already is not touched again.
  const isThere = fn.driver === change.after.driver && fn.override === change.after.override;
  return guarded(index, target, fn, !isThere && movesDriver(change) ? 'bind' : 'files');
}

function vfsProblem(
  index: DeviceIndex,
  target: Pick<Target, 'allow'>,
  { pf: address, netdev, before, after }: VfsChange,
): Problem | undefined {
  const pf = index.byAddress.get(address);
  if (pf === undefined) return moved(address, 'is not there any more');
  if (pf.sriov === undefined) return moved(address, 'has no SR-IOV any more');
  if (netdev !== null && !pf.net.includes(netdev)) {
    const now = pf.net.length === 0 ? 'no interface' : pf.net.join(' ');
    return moved(address, `had the interface ${netdev} and has ${now} now`);
  }
  if (pf.sriov.total < after.count) {
    return {
      code: 'vfs.over-total',
      sentence: `${nameOf(pf)} can make ${pf.sriov.total} VFs since this boot, and the plan has ${after.count}; ask for fewer, or see its firmware`,
    };
  }
  // VFs that this run has made are not made again, and the host may use a native one by now, in the PF's own group.
  const isMade = before.count !== after.count && pf.sriov.vfs.length === after.count;
  return isMade ? undefined : guarded(index, target, pf, 'vfs');
}

function guarded(
  index: DeviceIndex,
  { allow }: Pick<Target, 'allow'>,
  fn: PciFunction,
  touch: Touch,
): Problem | undefined {
  const hit = forbidden(guardsOf(index, fn, touch), allow);
  return hit === undefined ? undefined : guardProblem(hit);
}

/** Numbers of buses move when firmware or cards change, so an address alone says little. */
const moved = (address: string, what: string): Problem => ({
  code: 'devices.moved',
  sentence: `${address} ${what}: it is not as the plan saw it, so nothing is done to it; see lspci -nn on the host, then roll back and plan again`,
});

const noGroups = ([address = '']: readonly string[]): Problem => ({
  code: 'bind.no-group',
  sentence: `there are no IOMMU groups in this boot, so ${address} cannot be given to a guest safely; see the proofs of the iommu step`,
});
