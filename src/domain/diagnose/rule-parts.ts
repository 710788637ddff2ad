import type { Problem } from '../blocked.ts';
import type { Code } from '../codes.ts';
import { iommuVendor } from '../iommu.ts';
import type { Finding, Proof, Rule, Symptoms } from './finding.ts';
import { proofOf } from './proof.ts';

/** What a rule says of one host, before its code is put to it. */
export type Found = Pick<Finding, 'sentence' | 'proof' | 'next'>;

/** What `diagnose` takes a host to be for: guests are to own devices, so its IOMMU has to be on. */
export const FOR_GUESTS = { iommu: 'enabled' } as const;

/** What follows when no IOMMU is in use. */
export const WITHOUT_IOMMU: readonly Code[] = [
  'iommu.no-units',
  'iommu.no-groups',
  'iommu.no-interrupt-remapping',
  'bind.no-group',
  'vfio.no-iommu-mode',
  'vfio.probe-failed',
  'guest.vfio-refused',
];

/** A finding of the very rule that holds or blocks a host, when it speaks of this code. */
export function fromProblem(
  code: Code,
  problem: Problem | undefined,
  rest: Omit<Found, 'sentence'>,
): readonly Found[] {
  return problem?.code === code ? [{ sentence: problem.sentence, ...rest }] : [];
}

/** Whose IOMMU drivers read the line; without any table, that of the processor. */
export function vendorOf({ facts }: Symptoms): 'intel' | 'amd' {
  return iommuVendor(facts) ?? (facts.cpu.vendor === 'amd' ? 'amd' : 'intel');
}

/** Arguments of a line as a proof. */
export const lineProof = (source: string, args: readonly string[]): Proof =>
  proofOf(source, args.length === 0 ? 'no argument about the IOMMU' : args.join(' '));

/** Lines of configuration files that hold an argument as a word of its own. */
export function linesWith(
  { configLines }: Symptoms,
  arg: string,
): NonNullable<Symptoms['configLines']> {
  return (configLines ?? []).filter(({ text }) => words(text).includes(arg));
}

/** `GRUB_CMDLINE_LINUX="quiet intel_iommu=off"` has the words `quiet` and `intel_iommu=off`. */
const words = (text: string): readonly string[] =>
  text.replace(/^\s*(?:export\s+)?[A-Z_]{1,60}\+?=/, '').split(/[\s"']+/);

/** The same lines as proofs. */
export const configProofs = (symptoms: Symptoms, arg: string): readonly Proof[] =>
  linesWith(symptoms, arg).map(({ path, text }) => proofOf(path, text));

/** A rule that looks for one code, with what every such rule has. */
export const ruleOf = (
  topic: Rule['topic'],
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ({ code, topic, severity, find, ...(explains === undefined ? {} : { explains }) });
