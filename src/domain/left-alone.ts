import type { CmdlineChange } from './changes.ts';
import { parseDropIn } from './drop-in.ts';
import type { Facts } from './facts.ts';
import { iommuVendor } from './iommu.ts';
import {
  effectiveIommu,
  effectivePassthrough,
  isPageArg,
  kernelArgName,
  opposingArgs,
  sameKernelArg,
} from './kernel-args.ts';
import { shortText } from './short-text.ts';
import type { Target } from './spec.ts';

/** Longest list of arguments in one sentence, in characters: a plan shows it on a few lines. */
const LIST_LENGTH_MAX = 300;

/**
 * What a change of the kernel line leaves as it found it, and why, as sentences in a fixed order. The rest of the line
 * is given by names without values, so that hosts which differ only in `root=UUID=...` say the same.
 */
export function leftAlone(facts: Facts, target: Target, change: CmdlineChange): readonly string[] {
  const kept = change.before.filter((arg) => change.after.includes(arg));
  const asked = kept.filter((arg) => isAsked(arg, target));
  const overridden = kept.filter((arg) => change.add.some((added) => opposingArgs(arg, added)));
  const earlier = ofEarlierRollout(change);
  const told = [...asked, ...overridden, ...earlier];
  const rest = kept.filter((arg) => !told.includes(arg));
  const operators = rest.filter((arg) => OF_INTEREST.test(kernelArgName(arg)));
  const others = rest.filter((arg) => !operators.includes(arg)).map(nameAsWritten);
  return [
    ...alreadySo(asked),
    ...byItself(change.before, facts, target),
    ...notThere(change, target),
    ...overridden.map(
      (arg) => `${arg} stays on the line; what is added after it counts, since the last one wins`,
    ),
    ...(earlier.length === 0
      ? []
      : [`${list(earlier)}: an earlier rollout's, stays in the drop-in`]),
    ...(operators.length === 0 ? [] : [`${list(operators)}: not asked for, stays as it is`]),
    ...(others.length === 0 ? [] : [`the rest of the line stays: ${list(others)}`]),
  ];
}

/** Arguments about the IOMMU, PCI and memory for guests: a reader wants to see their values. */
const OF_INTEREST =
  /^(?:iommu|intel_iommu|amd_iommu|iommu\..*|intremap|pci|pci.*|vfio.*|(?:default_)?hugepages.*|kvm.*)$/;

function isAsked(arg: string, target: Target): boolean {
  if (target.kernelArgs.present.some((wanted) => sameKernelArg(arg, wanted))) return true;
  if (target.iommu === 'enabled' && arg === 'intel_iommu=on') return true;
  if (isPageArg(arg)) return target.hugepages.some(({ at }) => at === 'boot');
  return target.hostDma === 'passthrough' && arg === 'iommu=pt';
}

function alreadySo(asked: readonly string[]): string[] {
  if (asked.length === 0) return [];
  return [`${list(asked)}: asked for, on the line already`];
}

/** Where the kernel does by itself what the target asks, so that no argument says it. */
function byItself(pending: readonly string[], facts: Facts, target: Target): string[] {
  const vendor = iommuVendor(facts) ?? 'intel';
  const sentences: string[] = [];
  if (
    target.iommu === 'enabled' &&
    vendor === 'amd' &&
    effectiveIommu(pending, vendor) === 'default'
  ) {
    sentences.push('AMD-Vi is on by itself: no argument is added for it');
  }
  const types = new Set(facts.iommu.groups.map((group) => group.type));
  const right = target.hostDma === 'passthrough' ? ['identity'] : ['DMA', 'DMA-FQ'];
  if (
    target.hostDma !== undefined &&
    effectivePassthrough(pending) === 'default' &&
    types.size > 0 &&
    [...types].every((type) => right.includes(type))
  ) {
    sentences.push(
      `host DMA is ${target.hostDma} by the kernel's own default: no argument is added for it`,
    );
  }
  return sentences;
}

function notThere(change: CmdlineChange, target: Target): string[] {
  const missing = target.kernelArgs.absent.filter(
    (unwanted) => !change.before.some((arg) => sameKernelArg(arg, unwanted)),
  );
  return missing.length === 0 ? [] : [`${list(missing)}: to be absent, not on the line`];
}

/** Arguments that our drop-in has already and that nobody asks to take off; entries in files do not say who added what. */
function ofEarlierRollout(change: CmdlineChange): readonly string[] {
  if (change.loader !== 'grub-debian') return [];
  const { dropIn, drop } = change;
  const earlier = dropIn.before === null ? undefined : parseDropIn(dropIn.before);
  return (earlier?.add ?? []).filter((arg) => !drop.includes(arg));
}

const nameAsWritten = (arg: string): string => arg.split('=', 1).join('');

const list = (args: readonly string[]): string =>
  shortText([...new Set(args)].join(' '), LIST_LENGTH_MAX);
