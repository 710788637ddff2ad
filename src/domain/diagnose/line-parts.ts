import { withoutTrialArgs } from '../drop-in.ts';
import { kernelArgName, kernelArgValue } from '../kernel-args.ts';
import { pendingLineProblem } from '../planner.ts';
import type { Symptoms } from './finding.ts';
import { logLines, proofOf } from './proof.ts';
import { fromProblem, type Found } from './rule-parts.ts';
import { valueWords } from './iommu-args.ts';

/** Interrupt remapping that the line turns off: the last `on` or `off` of `intremap=` counts (drivers/iommu/irq_remapping.c). */
export function interruptsOff(symptoms: Symptoms): readonly Found[] {
  const { runningArgs } = symptoms.facts;
  const args = runningArgs.filter((arg) => INTERRUPTS.has(kernelArgName(arg)));
  const words = args.flatMap((arg) =>
    kernelArgName(arg) === 'nointremap' ? ['off'] : valueWords(arg),
  );
  const last = words.findLast((word) => word.startsWith('on') || word.startsWith('off'));
  if (last?.startsWith('off') !== true) return [];
  return [
    {
      sentence: `${args.join(' ')} on the running kernel line turns interrupt remapping off, so VFIO gives no device to a guest`,
      proof: [proofOf('/proc/cmdline', args.join(' '))],
      next: `take it off: kernelArgs: { absent: [${args.join(', ')}] } in the target of a spec`,
    },
  ];
}

const INTERRUPTS: ReadonlySet<string> = new Set(['intremap', 'nointremap']);

/** The rule of the planner, said by what differs: whole lines are long, and hold things that need not be shown. */
export function pendingDiffers({ facts }: Symptoms): readonly Found[] {
  const { bootLoader } = facts;
  if (!bootLoader.supported) return [];
  const problem = pendingLineProblem(facts, bootLoader);
  if (problem === undefined) return [];
  const { args, kernel } = bootLoader.defaultEntry;
  const running = withoutTrialArgs(facts.runningArgs);
  const added = args.filter((arg) => !running.includes(arg)).map(shown);
  const gone = running.filter((arg) => !args.includes(arg)).map(shown);
  const proof = [
    ...(added.length === 0 ? [] : [proofOf('next boot', `+ ${added.join(' ')}`)]),
    ...(gone.length === 0 ? [] : [proofOf('next boot', `- ${gone.join(' ')}`)]),
    ...(added.length + gone.length > 0
      ? []
      : [proofOf('next boot', kernel), proofOf('uname -r', facts.kernelRelease)]),
  ];
  const sentence =
    added.length + gone.length > 0
      ? 'the next boot would use another kernel line than the one that runs'
      : problem.sentence;
  return fromProblem(
    'cmdline.pending-differs',
    { ...problem, sentence },
    {
      proof,
      next: 'reboot the host when its guests allow, or revert the edit and run update-grub',
    },
  );
}

/** Arguments of dracut may hold passwords. */
const shown = (arg: string): string =>
  /passw|secret|token|netroot/i.test(arg) ? `${arg.split('=', 1).join('')}=...` : arg;

/** Words of `amd_iommu=` that some kernel has known (drivers/iommu/amd/init.c, parse_amd_iommu_options). */
const AMD_WORDS =
  /^(?:off|fullflush|force_enable|force_isolation|pgtbl_v[12]|irtcachedis|nohugepages|v2_pgsizes_only|snp|)$/;

/** A word that the kernel does not know does nothing, and looks as if it did. */
export function unknownOptions(symptoms: Symptoms): readonly Found[] {
  const { facts } = symptoms;
  const inLog = logLines(symptoms, UNKNOWN);
  const onLine = facts.runningArgs.filter(
    (arg) =>
      kernelArgName(arg) === 'amd_iommu' &&
      kernelArgValue(arg) !== undefined &&
      valueWords(arg).some((word) => !AMD_WORDS.test(word)),
  );
  const words = [
    ...onLine,
    ...inLog.flatMap((line) => {
      const word = UNKNOWN.exec(line)?.[1];
      return word === undefined || onLine.some((arg) => valueWords(arg).includes(word))
        ? []
        : [word];
    }),
  ];
  if (words.length === 0) return [];
  const first = onLine[0];
  return [
    {
      sentence: `the kernel does not know ${[...new Set(words)].join(' ')}, which does nothing${first === 'amd_iommu=on' ? ': AMD-Vi is on by itself' : ''}`,
      proof: [
        ...(first === undefined ? [] : [proofOf('/proc/cmdline', onLine.join(' '))]),
        ...inLog.slice(0, 2).map((line) => proofOf('dmesg', line)),
      ],
      next:
        first === 'amd_iommu=pt'
          ? 'write iommu=pt instead'
          : 'take it off the line; nothing changes by that',
    },
  ];
}

/** `AMD-Vi: Unknown option - 'on'`, `DMAR: Unknown option - 'x'`. */
const UNKNOWN = /(?:AMD-Vi|DMAR|DMAR-IR|Intel-IOMMU): Unknown option - '([^']{1,60})'/i;
