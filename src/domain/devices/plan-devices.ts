import { isBlocked } from '../blocked.ts';
import type { Problem } from '../blocked.ts';
import type { Change, Evidence } from '../changes.ts';
import type { Facts } from '../facts.ts';
import type { Target } from '../spec.ts';
import { UNSAFE_INTERRUPTS } from '../target-warnings.ts';
import type { Prepared } from './attach-devices.ts';
import type { Decided } from './decide.ts';
import { decide } from './decide.ts';
import type { NamesBefore } from './earlier-names.ts';
import { NO_NAMES } from './earlier-names.ts';
import { indexDevices, listed } from './device-index.ts';
import type { DeviceIndex } from './device-index.ts';
import { groupProblem } from './groups.ts';
import { attachedCount, planGuests } from './plan-attach.ts';
import { planHugepages } from './plan-hugepages.ts';
import { planModules } from './plan-modules.ts';
import { selectDevices } from './select.ts';
import { sharedMacProblem } from './vf-macs.ts';

/** What a host's devices, modules, run-time huge pages and guests need. */
export interface DevicePlan {
  /** In the order in which they are applied, after the kernel line; empty when all is as asked. */
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
  /** What stays as found although an entry means it, and why, as sentences. */
  readonly left: readonly string[];
  /** Those of `left` that the host guards (`guarded: skip`): nothing was done to them, so they may not be as asked. */
  readonly skipped: readonly string[];
  /** Counts of what is as asked. */
  readonly evidence: Evidence;
}

/** Plans everything but the kernel line, or says why nothing can be done. */
export function planDevices(
  facts: Facts,
  target: Target,
  names: NamesBefore,
): DevicePlan | Problem {
  const index = indexDevices(facts.devices);
  const selection = selectDevices(index, target, names);
  if (isBlocked(selection)) return selection;
  const decided = decide(index, selection, target);
  if ('code' in decided) return decided;
  const wanted = new Set([...decided.vfio.map(({ fn }) => fn.address), ...decided.vfioVfs]);
  const problem =
    sharedMacProblem(selection.entries, decided.skipped) ??
    iommuOffProblem(facts, target, decided) ??
    groupProblem(index, wanted);
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
      ...new Set([
        ...decided.warnings,
        ...interruptWarnings(facts, target, decided),
        ...guests.warnings,
      ]),
    ],
    left: leftSentences(decided),
    skipped: [...decided.skipped.values()],
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

/**
 * What the plan leaves as found among the devices that entries mean, as sentences; nothing for a host that is blocked. Of a
 * host that complies only what it guards is told: that the rest is as asked is what complying means.
 */
export function devicesLeftAlone(
  facts: Facts,
  target: Target,
  { names = NO_NAMES, complies = false }: LeftOptions = {},
): readonly string[] {
  const plan = planDevices(facts, target, names);
  if ('code' in plan) return [];
  return complies ? plan.skipped : plan.left;
}

interface LeftOptions {
  readonly names?: NamesBefore;
  readonly complies?: boolean;
}

function leftSentences({ skipped, asAsked }: Decided): readonly string[] {
  return [
    ...skipped.values(),
    ...[...asAsked].map(([name, names]) => `entry "${name}": as asked already: ${listed(names)}`),
  ];
}

/** Whether a device is at vfio-pci, or comes there: what an entry skips does not count. */
const givesToVfio = ({ vfio, vfioVfs, vfs }: Decided): boolean =>
  vfio.length + vfioVfs.length > 0 ||
  vfs.some(({ after }) => after.vfs.some(({ driver }) => driver === 'vfio-pci'));

/** An IOMMU that this plan turns on shows its groups after the reboot; one that nobody turns on never will. */
function iommuOffProblem(
  { iommu, devices }: Facts,
  target: Target,
  decided: Decided,
): Problem | undefined {
  if (!givesToVfio(decided) || target.iommu === 'enabled') return undefined;
  if (iommu.units.length > 0 || devices.groups.length > 0) return undefined;
  return {
    code: 'bind.no-group',
    sentence:
      'the IOMMU is off and the target leaves it so, so no device can be given to a guest safely; write iommu: enabled into the target',
  };
}

/** The kernel refuses a group without interrupt remapping at the time a guest opens it (vfio_iommu_type1.c). */
function interruptWarnings({ iommu }: Facts, target: Target, decided: Decided): readonly string[] {
  if (target.modules.unsafeInterrupts) return [UNSAFE_INTERRUPTS];
  if (!givesToVfio(decided) || iommu.units.length === 0 || iommu.interruptRemapping) return [];
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
