import { isBlocked } from '../blocked.ts';
import type { Problem } from '../blocked.ts';
import type { Change, Evidence } from '../changes.ts';
import type { Facts } from '../facts.ts';
import type { Target } from '../spec.ts';
import { UNSAFE_INTERRUPTS } from '../target-warnings.ts';
import type { Prepared } from './attach-devices.ts';
import type { Decided } from './decide.ts';
import { decide } from './decide.ts';
import { indexDevices, listed } from './device-index.ts';
import type { DeviceIndex } from './device-index.ts';
import { groupProblem } from './groups.ts';
import { attachedCount, planGuests } from './plan-attach.ts';
import { planHugepages } from './plan-hugepages.ts';
import { planModules } from './plan-modules.ts';
import { selectDevices } from './select.ts';

/** What a host's devices, modules, run-time huge pages and guests need. */
export interface DevicePlan {
  /** In the order in which they are applied, after the kernel line; empty when all is as asked. */
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
  /** What stays as found although an entry means it, and why, as sentences. */
  readonly left: readonly string[];
  /** Counts of what is as asked. */
  readonly evidence: Evidence;
}

/** Plans everything but the kernel line, or says why nothing can be done. */
export function planDevices(facts: Facts, target: Target): DevicePlan | Problem {
  const index = indexDevices(facts.devices);
  const selection = selectDevices(index, target, facts.record);
  if (isBlocked(selection)) return selection;
  const decided = decide(index, selection, target);
  if ('code' in decided) return decided;
  const wanted = new Set([...decided.vfio.map(({ fn }) => fn.address), ...decided.vfioVfs]);
  const problem = iommuOffProblem(facts, target) ?? groupProblem(index, wanted);
  if (problem !== undefined) return problem;
  const system = planSystem(facts, target, { index, decided });
  if ('code' in system) return system;
  const prepared: Prepared = {
    index,
    entries: new Map(selection.entries.map((one) => [one.entry.name, one])),
    skipped: decided.skipped,
    vfs: new Map(decided.vfs.map((change) => [change.pf, change])),
  };
  const guests = planGuests(prepared, target.guests);
  if ('code' in guests) return guests;
  return {
    changes: [
      ...system,
      ...[...decided.vfs].sort((a, b) => (a.pf < b.pf ? -1 : 1)),
      ...[...decided.binds].sort((a, b) => (a.address < b.address ? -1 : 1)),
      ...guests.changes,
    ],
    warnings: [
      ...new Set([...decided.warnings, ...interruptWarnings(facts, target), ...guests.warnings]),
    ],
    left: leftSentences(decided),
    evidence: evidenceOf(decided, prepared, target),
  };
}

/** Modules and huge pages: what is of the whole host. */
function planSystem(
  facts: Facts,
  target: Target,
  { index, decided }: { readonly index: DeviceIndex; readonly decided: Decided },
): readonly Change[] | Problem {
  const changes: Change[] = [];
  for (const planned of [planModules(index, target, decided.vfio), planHugepages(facts, target)]) {
    if (planned === undefined) continue;
    if ('code' in planned) return planned;
    changes.push(planned);
  }
  return changes;
}

/** What the plan leaves as found among the devices that entries mean, as sentences; nothing for a host that is blocked. */
export function devicesLeftAlone(facts: Facts, target: Target): readonly string[] {
  const plan = planDevices(facts, target);
  return 'code' in plan ? [] : plan.left;
}

function leftSentences({ skipped, asAsked }: Decided): readonly string[] {
  return [
    ...skipped.values(),
    ...[...asAsked].map(([name, names]) => `entry "${name}": as asked already: ${listed(names)}`),
  ];
}

const asksForVfio = ({ devices }: Target): boolean =>
  devices.some(
    ({ driver, vfs }) =>
      driver === 'vfio-pci' || (vfs?.vfs.some((vf) => vf.driver === 'vfio-pci') ?? false),
  );

/** An IOMMU that this plan turns on shows its groups after the reboot; one that nobody turns on never will. */
function iommuOffProblem({ iommu, devices }: Facts, target: Target): Problem | undefined {
  if (!asksForVfio(target) || target.iommu === 'enabled') return undefined;
  if (iommu.units.length > 0 || devices.groups.length > 0) return undefined;
  return {
    code: 'bind.no-group',
    sentence:
      'the IOMMU is off and the target leaves it so, so no device can be given to a guest safely; write iommu: enabled into the target',
  };
}

/** The kernel refuses a group without interrupt remapping at the time a guest opens it (vfio_iommu_type1.c). */
function interruptWarnings({ iommu }: Facts, target: Target): readonly string[] {
  if (target.modules.unsafeInterrupts) return [UNSAFE_INTERRUPTS];
  if (!asksForVfio(target) || iommu.units.length === 0 || iommu.interruptRemapping) return [];
  return [
    'interrupts are not remapped here, so VFIO may refuse to give a device to a guest; turn interrupt remapping (x2APIC) on in the setup of the firmware',
  ];
}

function evidenceOf(
  { asAsked, vfio, vfioVfs, skipped }: Decided,
  prepared: Prepared,
  target: Target,
): Evidence {
  if (target.devices.length + target.guests.length === 0) return {};
  const pfs = [...prepared.entries.values()].flatMap(({ entry, matches }) =>
    entry.vfs === undefined ? [] : matches.filter(({ address }) => !skipped.has(address)),
  );
  const vfs = pfs.reduce((sum, { sriov }) => sum + (sriov?.count ?? 0), 0);
  const count = [...asAsked.values()].reduce((sum, names) => sum + names.length, 0);
  return {
    devices: `${count} as asked${skipped.size === 0 ? '' : `, ${skipped.size} left alone`}`,
    vfio: `${vfio.length} functions, ${vfioVfs.length} VFs`,
    ...(pfs.length === 0 ? {} : { vfs: `${vfs} on ${pfs.length} PFs` }),
    ...(target.guests.length === 0
      ? {}
      : {
          guests: `${attachedCount(prepared, target.guests)} devices of ${target.guests.length} guests`,
        }),
  };
}
