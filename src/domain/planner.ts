import { blocked, isBlocked } from './blocked.ts';
import type { Blocked } from './blocked.ts';
import type { Change, CmdlineChange, Evidence } from './changes.ts';
import { CHANGES_LENGTH_MAX, rebootsOf } from './changes.ts';
import { LOADER_TOOLS } from './boot-loader/tools.ts';
import type { NamesBefore } from './devices/earlier-names.ts';
import { NO_NAMES } from './devices/earlier-names.ts';
import { missingBootPages } from './devices/plan-hugepages.ts';
import { planDevices } from './devices/plan-devices.ts';
import { withoutTrialArgs } from './drop-in.ts';
import type { Facts, LoaderFacts } from './facts.ts';
import { iommuProblem } from './iommu.ts';
import { planLine, satisfies } from './plan-line.ts';
import { findPrerequisiteProblem } from './prerequisites.ts';
import type { Target } from './spec.ts';

/** A host's plan before its digest is made (src/facts/host-plan.ts adds it). */
export type PlannedChanges =
  | Blocked
  | { readonly kind: 'compliant'; readonly evidence: Evidence }
  | {
      readonly kind: 'changes';
      /** In the order in which they are applied. */
      readonly changes: readonly Change[];
      readonly warnings: readonly string[];
      readonly bootId: string;
      readonly machineId: string;
    };

/**
 * What a host needs to come to the target of that host (`targetFor`: no `hosts` is left to evaluate); pure, so that it can
 * be run on a capture. `names`: how functions were known before vfleet bound them, of a host with a record.
 */
export function planHost(
  facts: Facts,
  target: Target,
  names: NamesBefore = NO_NAMES,
): PlannedChanges {
  const problem = findPrerequisiteProblem(facts, target);
  if (problem !== undefined) return problem;
  const { bootLoader, bootId, machineId } = facts;
  if (!bootLoader.supported) return blocked('bootloader.unsupported', bootLoader.reason);
  if (bootId === undefined) return blocked('host.no-boot-id', 'its boot id cannot be read');
  if (machineId === undefined) return blocked('host.no-machine-id', '/etc/machine-id is not valid');

  return planFor({ facts, loader: bootLoader, bootId, machineId, names }, target);
}

function planFor(
  {
    facts,
    loader,
    bootId,
    machineId,
    names,
  }: {
    readonly facts: Facts;
    readonly loader: LoaderFacts;
    readonly bootId: string;
    readonly machineId: string;
    readonly names: NamesBefore;
  },
  target: Target,
): PlannedChanges {
  const line = lineChange(facts, loader, target);
  if (line !== undefined && isBlocked(line)) return line;
  const devices = planDevices(facts, target, names);
  if ('code' in devices) return blocked(devices.code, devices.sentence);
  const changes = [...(line === undefined ? [] : [line]), ...devices.changes];
  if (changes.length === 0) {
    return { kind: 'compliant', evidence: { ...lineEvidence(facts), ...devices.evidence } };
  }
  const obstacle =
    sizeProblem(changes) ?? (rebootsOf(changes) === 0 ? undefined : pendingProblem(facts, loader));
  if (obstacle !== undefined) return obstacle;
  return {
    kind: 'changes',
    changes,
    warnings: [...(line === undefined ? [] : lineWarnings(facts, loader)), ...devices.warnings],
    bootId,
    machineId,
  };
}

function sizeProblem(changes: readonly Change[]): Blocked | undefined {
  const { length } = JSON.stringify(changes);
  if (length <= CHANGES_LENGTH_MAX) return undefined;
  return blocked(
    'devices.plan-too-large',
    `its changes take ${length} characters, and a host's record holds ${CHANGES_LENGTH_MAX} of one run; make fewer VFs at once, in rollouts one after the other`,
  );
}

/** The change of the kernel line; none where the line is right and the kernel does what it says. */
function lineChange(
  facts: Facts,
  loader: LoaderFacts,
  target: Target,
): CmdlineChange | Blocked | undefined {
  const running = withoutTrialArgs(facts.runningArgs);
  const isRight =
    satisfies(loader.defaultEntry.args, facts, target) && satisfies(running, facts, target);
  if (!isRight) {
    return trialProblem(loader) ?? pendingProblem(facts, loader) ?? planLine(facts, loader, target);
  }
  const problem = iommuProblem(facts.iommu, target) ?? missingBootPages(facts, target);
  if (problem === undefined) return undefined;
  return blocked(problem.code, `the kernel line is as asked, but ${problem.sentence}`);
}

const lineEvidence = ({ iommu, runningArgs, selinux }: Facts): Evidence => ({
  ...(selinux === undefined ? {} : { selinux }),
  units: iommu.units.join(' '),
  groups: String(iommu.groups.length),
  args: runningArgs.join(' '),
});

/** Why a new line could not be booted on trial (law 1), or `undefined`. */
function trialProblem({ oneShot }: LoaderFacts): Blocked | undefined {
  if (oneShot.safe) return undefined;
  return blocked('bootloader.one-shot-unsafe', `a trial boot is not safe: ${oneShot.reason}`);
}

/** Why a reboot would not come back on the line and the kernel that run now, or `undefined`. */
const pendingProblem = (facts: Facts, loader: LoaderFacts): Blocked | undefined =>
  oneShotProblem(loader) ?? pendingLineProblem(facts, loader);

/** A one-shot boot that is armed; `diagnose` finds it too. */
export function oneShotProblem(loader: LoaderFacts): Blocked | undefined {
  if (loader.nextEntry === undefined) return undefined;
  const { editenv } = LOADER_TOOLS[loader.kind];
  return blocked(
    'bootloader.one-shot-pending',
    `grubenv already has a one-shot entry "${loader.nextEntry}"; boot it, or clear it with: ${editenv} - unset next_entry`,
  );
}

/** The next boot would use another line, or another kernel; `diagnose` finds it too. */
export function pendingLineProblem(facts: Facts, loader: LoaderFacts): Blocked | undefined {
  const pending = loader.defaultEntry.args;
  const running = withoutTrialArgs(facts.runningArgs);
  if (pending.join(' ') !== running.join(' ')) {
    return blocked(
      'cmdline.pending-differs',
      `the next boot would use another line than the one that runs; reboot it, or revert the edit. next: ${pending.join(' ')}; runs: ${running.join(' ')}`,
    );
  }
  if (!loader.defaultEntry.kernel.endsWith(`-${facts.kernelRelease}`)) {
    return blocked(
      'cmdline.pending-differs',
      `the next boot would use ${loader.defaultEntry.kernel}, but ${facts.kernelRelease} runs; reboot it into the new kernel first`,
    );
  }
  return undefined;
}

function lineWarnings(facts: Facts, loader: LoaderFacts): readonly string[] {
  const tuned = loader.kind === 'grub-bls' ? (loader.variables.tuned_params ?? '') : '';
  return [
    ...(facts.crashKernel
      ? ['a crash kernel is loaded: a crashed trial writes its dump first and comes back later']
      : []),
    ...(tuned === ''
      ? []
      : [`tuned owns arguments of the kernel line too, and they stay: ${tuned}`]),
  ];
}
