import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Change } from '../../src/domain/changes.ts';
import type { Target } from '../../src/domain/spec.ts';
import type { HostPort } from '../../src/host/port.ts';
import { checkDevicesOnHost } from './check-devices.ts';
import { verifyHugepages } from './hugepages.ts';
import { proveIommu } from './iommu.ts';
import { proveModules } from './loaded-modules.ts';
import { ok } from './outcomes.ts';

/** What has to hold in the boot that runs now before it becomes the default, and before a device is touched. */
export async function prove(
  port: HostPort,
  call: { readonly target: Target; readonly changes: readonly Change[] },
): Promise<StepOutcome> {
  const { target, changes } = call;
  const iommu = await proveIommu(port, target);
  if (iommu.kind === 'hold') return iommu;
  const pages = await verifyHugepages(port, { target, changes });
  if (pages.kind === 'hold') return pages;
  const modules = await proveModules(port, target);
  if (modules.kind === 'hold') return modules;
  const devices = await checkDevicesOnHost(port, { target, changes });
  if (devices.kind === 'hold') return devices;
  return ok({ ...iommu.evidence, ...pages.evidence, ...modules.evidence, ...devices.evidence });
}
