import type { Problem } from '../blocked.ts';
import type { BindChange, FileChange } from '../changes.ts';
import { compact } from '../compact.ts';
import type { PciFunction } from '../device-facts.ts';
import { rulePath, scriptPath } from '../own-files.ts';
import type { DeviceTarget, DriverTarget } from '../spec.ts';
import { plainLine } from '../plain-line.ts';
import { bindRule, isRuleAt, parseVfsScript, vfsRule } from '../udev-files.ts';
import type { DeviceIndex } from './device-index.ts';
import { nameOf } from './device-index.ts';
import { hasDriver } from './has-driver.ts';
import { fileChange, fileChanges } from './own-text.ts';

/** What an entry makes of one function's driver: nothing where it is as asked, also for the next boot. */
export function planBind(
  index: DeviceIndex,
  fn: PciFunction,
  entry: DeviceTarget & { readonly driver: DriverTarget },
): BindChange | Problem | undefined {
  const by = keptBy(index, fn, entry);
  const files = fileChanges(ruleFiles(index, fn, { entry, by }));
  if ('code' in files) return files;
  const { address, modalias, net } = fn;
  const change: BindChange = {
    kind: 'bind',
    address,
    modalias: modalias ?? null,
    before: compact({
      driver: fn.driver,
      override: fn.override,
      net: net.length === 0 ? undefined : net,
    }),
    after: { driver: entry.driver, override: overrideFor(entry.driver, by) },
    by,
    files,
  };
  if (files.length === 0 && !movesDriver(change) && isKept(index, change)) return undefined;
  return vfsProblem(fn, entry.driver) ?? driverctlProblem(index, fn, by) ?? change;
}

const overrideFor = (driver: DriverTarget, by: BindChange['by']): string | null =>
  driver === 'vfio-pci' && by !== 'ids' ? 'vfio-pci' : null;

/** driverctl has a file of its own, with the driver's name in it. */
const isKept = ({ facts }: DeviceIndex, { address, by, after }: BindChange): boolean =>
  by !== 'driverctl' || (facts.driverctl[address] ?? null) === after.override;

/** Whether a change moves the function now, not only what keeps it over a boot. */
export function movesDriver({ before, after }: BindChange): boolean {
  return !hasDriver(after.driver, before.driver) || before.override !== after.override;
}

/** driverctl goes on where the operator has it already; never for VFs, which it leaves without a driver (host.md §1). */
export function keptBy(
  { facts }: DeviceIndex,
  fn: PciFunction,
  entry: DeviceTarget,
): BindChange['by'] {
  if (fn.physfn === undefined && Object.hasOwn(facts.driverctl, fn.address)) return 'driverctl';
  return entry.bind;
}

function ruleFiles(
  { facts }: DeviceIndex,
  fn: PciFunction,
  { entry, by }: { readonly entry: DeviceTarget; readonly by: BindChange['by'] },
): readonly (FileChange | Problem | undefined)[] {
  const { address } = fn;
  const found = facts.ownFiles[rulePath(address)];
  const isOurs = (text: string) => isRuleAt(text, address);
  if (entry.driver === 'vfio-pci') {
    const rule = by === 'override' ? bindRule(fn) : null;
    return [
      fileChange(facts, rulePath(address), rule, isOurs),
      fileChange(facts, scriptPath(address), null, (text) => parseVfsScript(text) !== undefined),
    ];
  }
  // The rule of a PF's VFs is not one that binds it; what an entry with VFs makes of the file is planned with them.
  if (entry.vfs !== undefined || found === vfsRule(fn)) return [];
  return [fileChange(facts, rulePath(address), null, isOurs)];
}

function vfsProblem(fn: PciFunction, driver: DriverTarget): Problem | undefined {
  const count = fn.sriov?.count ?? 0;
  if (driver !== 'vfio-pci' || count === 0) return undefined;
  return {
    code: 'devices.pf-and-vf',
    sentence: `${nameOf(fn)} has ${count} VFs, which would go with its driver; take them away first (vfleet rollback where vfleet made them, else echo 0 into its sriov_numvfs), or ask for driver: native`,
  };
}

/** Of driverctl's file and the kernel only one is recorded as before, so where they differ an undo would lose the other. */
function driverctlProblem(
  { facts }: DeviceIndex,
  fn: PciFunction,
  by: BindChange['by'],
): Problem | undefined {
  const kept = facts.driverctl[fn.address] ?? null;
  if (by !== 'driverctl' || kept === fn.override) return undefined;
  const keeps = kept === null ? 'unset' : plainLine(kept);
  const now = fn.override === null ? 'none' : plainLine(fn.override);
  return {
    code: 'devices.driverctl-differs',
    sentence:
      `driverctl keeps the override ${keeps} for ${nameOf(fn)} (/etc/driverctl.d/pci-${fn.address}) and the kernel has ${now}, ` +
      'so it is not known which of them is to come back; ' +
      `make them one (driverctl set-override ${fn.address} DRIVER, or driverctl unset-override ${fn.address}), then plan again`,
  };
}
