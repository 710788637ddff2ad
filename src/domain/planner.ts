import type { CmdlineChange, Evidence } from './changes.ts';
import type { Code } from './codes.ts';
import {
  dropInText,
  parseDropIn,
  TRIAL_ONLY_ARGS,
  trialMarker,
  withoutTrialArgs,
} from './drop-in.ts';
import type { LineEdit } from './drop-in.ts';
import type { Facts, GrubDebianFacts } from './facts.ts';
import { iommuProblem, iommuVendor } from './iommu.ts';
import { applyArgs, effectiveIommu, effectivePassthrough, sameKernelArg } from './kernel-args.ts';
import { findPrerequisiteProblem } from './prerequisites.ts';
import type { Target } from './spec.ts';

/** Why a host cannot be planned for. */
export interface Blocked {
  readonly kind: 'blocked';
  readonly code: Code;
  readonly sentence: string;
}

/** A host's plan before its digest is made (src/facts/host-plan.ts adds it). */
export type PlannedChanges =
  | Blocked
  | { readonly kind: 'compliant'; readonly evidence: Evidence }
  | {
      readonly kind: 'changes';
      readonly changes: readonly CmdlineChange[];
      readonly warnings: readonly string[];
      readonly bootId: string;
      readonly machineId: string;
    };

const blocked = (code: Code, sentence: string): Blocked => ({ kind: 'blocked', code, sentence });

/** What a host needs to come to the target; pure, so that it can be run on a capture. */
export function planHost(facts: Facts, target: Target): PlannedChanges {
  const problem = findPrerequisiteProblem(facts, target);
  if (problem !== undefined) return problem;
  const { bootLoader, bootId, machineId } = facts;
  if (!bootLoader.supported) return blocked('bootloader.unsupported', bootLoader.reason);
  if (bootId === undefined) return blocked('host.no-boot-id', 'its boot id cannot be read');
  if (machineId === undefined) return blocked('host.no-machine-id', '/etc/machine-id is not valid');

  const pending = bootLoader.defaultEntry.args;
  const running = withoutTrialArgs(facts.runningArgs);
  if (satisfies(pending, facts, target) && satisfies(running, facts, target)) {
    return whenLineIsRight(facts, target);
  }
  const obstacle = trialObstacle(bootLoader, running, facts.kernelRelease);
  if (obstacle !== undefined) return obstacle;
  const change = cmdlineChange(bootLoader, wantedEdit(pending, facts, target));
  if (typeof change === 'string') return blocked('cmdline.drop-in-foreign', change);
  const refused = lineProblem(bootLoader.defaultEntry.kernel, change.after, facts, target);
  if (refused !== undefined) return refused;
  return { kind: 'changes', changes: [change], warnings: warnings(facts), bootId, machineId };
}

/** What the pending line lacks of the target, and what it must lose. */
function wantedEdit(pending: readonly string[], facts: Facts, target: Target): LineEdit {
  const add = [
    ...iommuArgs(pending, facts, target),
    ...(dmaSatisfied(pending, facts, target) ? [] : [dmaArg(target)]),
    ...target.kernelArgs.present.filter((arg) => !inForce(pending, arg)),
  ];
  return {
    add: [...new Set(add)],
    drop: pending.filter((arg) => isListed(arg, target.kernelArgs.absent)),
  };
}

/**
 * Intel needs `intel_iommu=on` where the kernel's default is off. AMD-Vi is on by itself and the kernel calls
 * `amd_iommu=on` an unknown option (field.md), so nothing is added there.
 */
function iommuArgs(pending: readonly string[], facts: Facts, target: Target): readonly string[] {
  const vendor = vendorOf(facts);
  const state = effectiveIommu(pending, vendor);
  if (target.iommu === 'disabled') return state === 'off' ? [] : [`${vendor}_iommu=off`];
  return target.iommu === 'enabled' && vendor === 'intel' && state !== 'on'
    ? ['intel_iommu=on']
    : [];
}

const dmaArg = (target: Target) => (target.hostDma === 'passthrough' ? 'iommu=pt' : 'iommu=nopt');

const vendorOf = (facts: Facts) => iommuVendor(facts) ?? 'intel';

/** Whether a line does what is asked: by meaning for the IOMMU, by token for the operator's own arguments. */
function satisfies(args: readonly string[], facts: Facts, target: Target): boolean {
  if (target.kernelArgs.present.some((arg) => !inForce(args, arg))) return false;
  if (args.some((arg) => isListed(arg, target.kernelArgs.absent))) return false;
  return iommuSatisfied(args, facts, target) && dmaSatisfied(args, facts, target);
}

function iommuSatisfied(args: readonly string[], facts: Facts, target: Target): boolean {
  if (target.iommu === undefined) return true;
  const state = effectiveIommu(args, vendorOf(facts));
  if (target.iommu === 'disabled') return state === 'off';
  // On by the kernel's own default counts only when it is seen to be on, by a line that does not ask for it either.
  const runsByDefault = effectiveIommu(facts.runningArgs, vendorOf(facts)) === 'default';
  return state === 'on' || (state === 'default' && runsByDefault && facts.iommu.units.length > 0);
}

function dmaSatisfied(args: readonly string[], facts: Facts, target: Target): boolean {
  if (target.hostDma === undefined) return true;
  const state = effectivePassthrough(args);
  if (target.hostDma === 'passthrough')
    return state === 'pt' || defaultIs(state, facts, 'identity');
  return state === 'nopt' || defaultIs(state, facts, 'DMA') || defaultIs(state, facts, 'DMA-FQ');
}

/** Whether the kernel's own default is seen to be this type, by a running line that does not ask for one. */
function defaultIs(state: string, facts: Facts, type: string): boolean {
  const { groups } = facts.iommu;
  if (state !== 'default' || effectivePassthrough(facts.runningArgs) !== 'default') return false;
  return groups.length > 0 && groups.every((group) => group.type === type);
}

function whenLineIsRight(facts: Facts, target: Target): PlannedChanges {
  const problem = iommuProblem(facts.iommu, target);
  if (problem !== undefined) {
    return blocked(problem.code, `the kernel line is as asked, but ${problem.sentence}`);
  }
  return {
    kind: 'compliant',
    evidence: {
      units: facts.iommu.units.join(' '),
      groups: String(facts.iommu.groups.length),
      args: facts.runningArgs.join(' '),
    },
  };
}

/** Why the new line could not be booted on trial (law 1), or `undefined`. */
function trialObstacle(
  loader: GrubDebianFacts,
  running: readonly string[],
  kernelRelease: string,
): Blocked | undefined {
  if (!loader.oneShot.safe) {
    return blocked(
      'bootloader.one-shot-unsafe',
      `a trial boot is not safe: ${loader.oneShot.reason}`,
    );
  }
  if (loader.nextEntry !== undefined) {
    return blocked(
      'bootloader.one-shot-pending',
      `grubenv already has a one-shot entry "${loader.nextEntry}"; boot it, or clear it with: grub-editenv - unset next_entry`,
    );
  }
  const pending = loader.defaultEntry.args;
  if (pending.join(' ') !== running.join(' ')) {
    return blocked(
      'cmdline.pending-differs',
      `the next boot would use another line than the one that runs; reboot it, or revert the edit. next: ${pending.join(' ')}; runs: ${running.join(' ')}`,
    );
  }
  if (!loader.defaultEntry.kernel.endsWith(`-${kernelRelease}`)) {
    return blocked(
      'cmdline.pending-differs',
      `the next boot would use ${loader.defaultEntry.kernel}, but ${kernelRelease} runs; reboot it into the new kernel first`,
    );
  }
  return undefined;
}

/** The change, or why an existing drop-in of ours cannot be extended. */
function cmdlineChange(loader: GrubDebianFacts, wanted: LineEdit): CmdlineChange | string {
  const before = loader.defaultEntry.args;
  const earlier = loader.dropIn === undefined ? { add: [], drop: [] } : parseDropIn(loader.dropIn);
  if (earlier === undefined) {
    return 'zz-vfleet.cfg exists and is not as vfleet writes it; see what it does, then remove it';
  }
  const { add, drop } = wanted;
  // GRUB puts GRUB_CMDLINE_LINUX_DEFAULT, to which the drop-in appends, at the end of the line.
  const after = applyArgs(before, wanted);
  const kept = earlier.add.filter((arg) => !drop.includes(arg));
  return {
    kind: 'cmdline',
    loader: 'grub-debian',
    add,
    drop,
    before,
    after,
    dropIn: {
      before: loader.dropIn ?? null,
      after: dropInText({
        add: [...kept, ...add],
        drop: [...new Set([...earlier.drop, ...drop])].filter((arg) => !add.includes(arg)),
      }),
    },
    createsFolder: !loader.dropInFolder,
  };
}

/** Whether an argument is there and no later one takes it back. */
function inForce(args: readonly string[], arg: string): boolean {
  return applyArgs(args, { add: [arg], drop: [] }).length === args.length;
}

const isListed = (arg: string, listed: readonly string[]) =>
  listed.some((other) => sameKernelArg(arg, other));

/** A token that would still win against what is asked. */
function contradicted(after: readonly string[], facts: Facts, target: Target): Blocked | undefined {
  const off = effectiveIommu(after, vendorOf(facts)) === 'off';
  if (target.iommu !== 'enabled' || !off) return undefined;
  const culprits = after.filter((arg) => /^((intel|amd)_iommu|iommu)=(.*,)?off/.test(arg));
  return blocked(
    'cmdline.contradicted',
    `${culprits.join(' and ')} would still turn the IOMMU off; list it under target.kernelArgs.absent`,
  );
}

/** Why the new line must not be booted, not even on trial. */
function lineProblem(
  kernel: string,
  after: readonly string[],
  facts: Facts,
  target: Target,
): Blocked | undefined {
  return contradicted(after, facts, target) ?? tooLong(kernel, after);
}

/** COMMAND_LINE_SIZE of x86 (arch/x86/include/asm/setup.h): the kernel cuts what is longer, closing zero included. */
const LINE_CHARS_MAX = 2047;

/** The trial's line is the longest that is ever booted: with BOOT_IMAGE= in front and its own arguments behind. */
function tooLong(kernel: string, after: readonly string[]): Blocked | undefined {
  const trial = [`BOOT_IMAGE=${kernel}`, ...after, ...TRIAL_ONLY_ARGS, trialMarker('#'.repeat(40))];
  const { length } = trial.join(' ');
  if (length <= LINE_CHARS_MAX) return undefined;
  return blocked(
    'cmdline.too-long',
    `the kernel line would have ${length} characters and the kernel reads ${LINE_CHARS_MAX}; take arguments off it`,
  );
}

function warnings(facts: Facts): readonly string[] {
  return facts.crashKernel
    ? ['a crash kernel is loaded: a crashed trial writes its dump first and comes back later']
    : [];
}
