import { blocked } from './blocked.ts';
import type { Blocked, Problem } from './blocked.ts';
import { lineChangeOf } from './boot-loader/line-change.ts';
import type { CmdlineChange } from './changes.ts';
import { pageArgsText, pagesSatisfied, parsePageArgs, wantedCounts } from './devices/page-args.ts';
import { bootPagesProblem } from './devices/plan-hugepages.ts';
import { TRIAL_ONLY_ARGS, trialMarker } from './drop-in.ts';
import type { LineEdit } from './drop-in.ts';
import type { Facts, LoaderFacts } from './facts.ts';
import { iommuVendor } from './iommu.ts';
import {
  applyArgs,
  effectiveIommu,
  effectivePassthrough,
  isPageArg,
  sameKernelArg,
  tokenise,
} from './kernel-args.ts';
import type { Target } from './spec.ts';

/** The change of the kernel line from `pending` to what the target asks, or why there is none that would do. */
export function planLine(
  facts: Facts,
  loader: LoaderFacts,
  target: Target,
): CmdlineChange | Blocked {
  const pending = loader.defaultEntry.args;
  const pages = pageEdit(pending, facts, target);
  if ('code' in pages) return { kind: 'blocked', ...pages };
  const change = lineChangeOf(loader, wantedEdit(pending, pages, facts, target));
  if ('code' in change) return { kind: 'blocked', ...change };
  return (
    ownerProblem(loader, change) ??
    lineProblem(loader.defaultEntry.kernel, change.after, facts, target) ??
    change
  );
}

/** What the pending line lacks of the target, and what it must lose. */
function wantedEdit(
  pending: readonly string[],
  pages: LineEdit,
  facts: Facts,
  target: Target,
): LineEdit {
  const add = [
    ...iommuArgs(pending, facts, target),
    ...(dmaSatisfied(pending, facts, target) ? [] : [dmaArg(target)]),
    ...target.kernelArgs.present.filter((arg) => !inForce(pending, arg)),
  ];
  return {
    // Two sizes may have one count, so pages are not made to differ.
    add: [...new Set(add), ...pages.add],
    drop: [
      ...pending.filter((arg) => isListed(arg, target.kernelArgs.absent)),
      ...new Set(pages.drop),
    ],
  };
}

/** Huge pages of boot time: all of the line's go and come back as one block, since a size may stand only once. */
function pageEdit(pending: readonly string[], facts: Facts, target: Target): LineEdit | Problem {
  const { hugepages } = target;
  if (pagesSatisfied(pending, hugepages)) return { add: [], drop: [] };
  const { counts, unclear } = parsePageArgs(pending);
  if (unclear !== undefined) {
    return {
      code: 'hugepages.line-unclear',
      sentence: `the kernel line has ${unclear.slice(0, 80)}, which cannot be read as huge pages; correct it in /etc/default/grub, run update-grub and reboot`,
    };
  }
  return (
    bootPagesProblem(facts, target) ?? {
      add: pageArgsText(wantedCounts(counts, hugepages)),
      drop: pending.filter(isPageArg),
    }
  );
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

/** Whether a line does what is asked: by meaning for the IOMMU and pages, by token for the operator's own arguments. */
export function satisfies(args: readonly string[], facts: Facts, target: Target): boolean {
  if (target.kernelArgs.present.some((arg) => !inForce(args, arg))) return false;
  if (args.some((arg) => isListed(arg, target.kernelArgs.absent))) return false;
  return (
    iommuSatisfied(args, facts, target) &&
    dmaSatisfied(args, facts, target) &&
    pagesSatisfied(args, target.hugepages)
  );
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

/** What tuned puts on the line comes back with it, so it is taken off there (tuned-profiles: bootloader plugin). */
function ownerProblem(loader: LoaderFacts, { drop, after }: CmdlineChange): Blocked | undefined {
  if (loader.kind !== 'grub-bls') return undefined;
  const theirs = tokenise(loader.variables.tuned_params ?? '');
  const stays = drop.find((arg) => isListed(arg, theirs) && isListed(arg, after));
  if (stays === undefined) return undefined;
  return blocked(
    'cmdline.other-owner',
    `tuned puts ${stays} on the kernel line (tuned_params of grubenv); take it out of its profile's [bootloader] section, then: tuned-adm profile PROFILE`,
  );
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
  return secretProblem(after) ?? contradicted(after, facts, target) ?? tooLong(kernel, after);
}

/** Passwords of dracut.cmdline(7): the line stands in plans, histories and evidence, where no secret may be (law 10). */
const SECRETS: readonly RegExp[] = [
  /^rd\.iscsi\.(?:in\.)?password=./,
  /^netroot=iscsi:[^@:]*:[^@]+@/,
];

function secretProblem(args: readonly string[]): Blocked | undefined {
  const secret = args.find((arg) => SECRETS.some((pattern) => pattern.test(arg)));
  if (secret === undefined) return undefined;
  const [name = ''] = secret.split('=', 1);
  return blocked(
    'cmdline.secret',
    `${name} on the kernel line holds a password, which a rollout would copy into its history; let the initramfs read it from a file of its own, then plan again`,
  );
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
