import {
  effectiveIommu,
  effectivePassthrough,
  kernelArgName,
  kernelArgValue,
} from '../kernel-args.ts';
import { iommuVendor } from '../iommu.ts';
import type { Symptoms } from './finding.ts';
import { logLines, logProofs, proofOf } from './proof.ts';
import { configProofs, lineProof, linesWith, vendorOf, type Found } from './rule-parts.ts';

/** Arguments that a driver of the IOMMU reads. */
const SWITCHES: ReadonlySet<string> = new Set(['intel_iommu', 'amd_iommu', 'iommu']);

const iommuArgs = (args: readonly string[]): readonly string[] =>
  args.filter((arg) => SWITCHES.has(kernelArgName(arg)) || kernelArgName(arg).startsWith('iommu.'));

/** Arguments that turn off the IOMMU of this vendor, if any does. */
function offArgs(args: readonly string[], vendor: 'intel' | 'amd'): readonly string[] {
  return args.filter((arg) => effectiveIommu([arg], vendor) === 'off');
}

const onArgs = (args: readonly string[], vendor: 'intel' | 'amd'): readonly string[] =>
  args.filter((arg) => effectiveIommu([arg], vendor) === 'on');

/** What the next boot by default will have on its line; that of this boot where the loader is not known. */
const pendingArgs = ({ facts }: Symptoms): readonly string[] =>
  facts.bootLoader.supported ? facts.bootLoader.defaultEntry.args : facts.runningArgs;

/** The running line turns the IOMMU off: the last word of `intel_iommu=` counts, and nothing takes `iommu=off` back. */
export function iommuOff(symptoms: Symptoms): readonly Found[] {
  const vendor = vendorOf(symptoms);
  const { runningArgs } = symptoms.facts;
  if (effectiveIommu(runningArgs, vendor) !== 'off') return [];
  const culprits = [...new Set(offArgs(runningArgs, vendor))];
  const lost = onArgs(runningArgs, vendor);
  const overrules =
    lost.length === 0
      ? ''
      : `, and counts more than ${[...new Set(lost)].join(' ')} on the same line`;
  const gone = effectiveIommu(pendingArgs(symptoms), vendor) !== 'off';
  const files = culprits.flatMap((arg) => configProofs(symptoms, arg));
  return [
    {
      sentence: `${culprits.join(' and ')} on the running kernel line turns the IOMMU off${overrules}`,
      proof: [
        lineProof('/proc/cmdline', iommuArgs(runningArgs)),
        ...files.slice(0, 4),
        ...logProofs(logLines(symptoms, /IOMMU disabled/)),
      ],
      next: gone
        ? 'the line of the next boot has it no more: reboot the host when its guests allow'
        : `take it off: kernelArgs: { absent: [${culprits.join(', ')}] } in the target of a spec, or by hand ${placeText(files)}`,
    },
  ];
}

const placeText = (files: readonly { readonly source: string }[]): string =>
  files.length === 0
    ? 'where grep -rn iommu /etc/default/grub /etc/default/grub.d /etc/kernel finds it'
    : `in ${[...new Set(files.map(({ source }) => source))].slice(0, 3).join(' and ')}`;

/** Some kernels leave an Intel IOMMU off unless it is asked for (CONFIG_INTEL_IOMMU_DEFAULT_ON is not set). Only where there is one. */
export function iommuNotAsked(symptoms: Symptoms): readonly Found[] {
  const { facts } = symptoms;
  if (iommuVendor(facts) !== 'intel' || facts.iommu.units.length > 0) return [];
  if (effectiveIommu(facts.runningArgs, 'intel') !== 'default') return [];
  const asked = effectiveIommu(pendingArgs(symptoms), 'intel') === 'on';
  return [
    {
      sentence:
        'nothing on the running kernel line asks for the IOMMU, and this kernel leaves an Intel one off by itself',
      proof: [
        lineProof('/proc/cmdline', iommuArgs(facts.runningArgs)),
        proofOf('/sys/class/iommu', 'empty'),
      ],
      next: asked
        ? 'the line of the next boot asks for it: reboot the host when its guests allow'
        : 'add intel_iommu=on: iommu: enabled in the target of a spec does it on trial first',
    },
  ];
}

/** Works today, since a later word wins; whoever tidies the line up may turn it off. */
export function overruled(symptoms: Symptoms): readonly Found[] {
  const vendor = vendorOf(symptoms);
  const { runningArgs } = symptoms.facts;
  const off = offArgs(runningArgs, vendor);
  const power =
    off.length > 0 && effectiveIommu(runningArgs, vendor) === 'on'
      ? [`${off.join(' ')} is overruled by a later ${onArgs(runningArgs, vendor).at(-1) ?? ''}`]
      : [];
  const domains = runningArgs.filter((arg) => effectivePassthrough([arg]) !== 'default');
  const kinds = new Set(domains.map((arg) => effectivePassthrough([arg])));
  const domain =
    kinds.size > 1
      ? [`${domains.join(' and ')} ask for opposite things, and the last one counts`]
      : [];
  return [...power, ...domain].map((sentence) => ({
    sentence: `the kernel line contradicts itself: ${sentence}`,
    proof: [lineProof('/proc/cmdline', iommuArgs(runningArgs))],
    next: 'take what does not count off the line: kernelArgs.absent in the target of a spec',
  }));
}

/** A file that the loader's line was not made of yet, or that another one overrules: the next update-grub may bring it in. */
export function offInFile(symptoms: Symptoms): readonly Found[] {
  const vendor = vendorOf(symptoms);
  const lines = [symptoms.facts.runningArgs, pendingArgs(symptoms)];
  if (lines.some((args) => effectiveIommu(args, vendor) === 'off')) return [];
  const known = new Set(lines.flatMap((args) => args));
  const named = [
    ...new Set((symptoms.configLines ?? []).flatMap(({ text }) => wordsOff(text, vendor))),
  ];
  return named
    .filter((arg) => !known.has(arg) && !isDroppedByUs(symptoms, arg))
    .map((arg) => ({
      sentence: `${arg} stands in a file of the boot loader, and not on the line that it has made: the next update would turn the IOMMU off`,
      proof: configProofs(symptoms, arg),
      next: `take it out of the file before the next kernel update runs update-grub or grub2-mkconfig`,
    }));
}

function wordsOff(text: string, vendor: 'intel' | 'amd'): readonly string[] {
  const found = text.match(/\b(?:intel_iommu|amd_iommu|iommu)=[a-z_,0-9]{1,60}/g) ?? [];
  return offArgs(found, vendor);
}

/** Our own drop-in takes arguments out of the line by name, so that the main file keeps them. */
const isDroppedByUs = (symptoms: Symptoms, arg: string): boolean =>
  linesWith(symptoms, arg).every(({ path }) => path.endsWith('/zz-vfleet.cfg')) ||
  (symptoms.facts.bootLoader.supported &&
    symptoms.facts.bootLoader.kind === 'grub-debian' &&
    symptoms.facts.bootLoader.dropIn?.includes(`# vfleet-drop: ${arg}\n`) === true);

/** The words of an argument's value. */
export const valueWords = (arg: string): readonly string[] =>
  (kernelArgValue(arg) ?? '').split(',');
