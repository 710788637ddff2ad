import { z } from 'zod';
import { opposingArgs, sameKernelArg } from '../domain/kernel-args.ts';
import {
  KERNEL_ARG_LENGTH_MAX,
  refusedKernelArg,
  unsafeKernelArg,
} from '../domain/refused-kernel-args.ts';
import type { Target } from '../domain/spec.ts';
import type { Contradiction } from './contradiction.ts';
import { asGuess, meantList } from './meant.ts';

/** Most kernel arguments in one list of a spec. */
const KERNEL_ARGS_MAX = 64;

const kernelArg = z
  .string()
  .superRefine((arg, context) => {
    const reason = refusedKernelArg(arg);
    if (reason === undefined) return;
    const shown = arg === '' ? 'the argument' : JSON.stringify(arg);
    const text = /^(?:is|has|holds) /.test(reason)
      ? `${shown} ${reason}`
      : `${shown} is refused: ${reason}`;
    const meant = /\s/.test(arg) ? meantList(arg) : undefined;
    context.addIssue({ code: 'custom', message: `${text}${asGuess(meant)}` });
  })
  .meta({ pattern: '^[A-Za-z][A-Za-z0-9._,:=/@+-]*$', maxLength: KERNEL_ARG_LENGTH_MAX });

const kernelArgList = z
  .array(kernelArg)
  .max(KERNEL_ARGS_MAX)
  .prefault([])
  .meta({ uniqueItems: true, examples: [['pci=realloc']] });

/** `target.kernelArgs`: arguments that must be, and must not be, on the kernel command line. */
export const kernelArgsSchema = z.strictObject({
  present: kernelArgList.meta({ description: 'Arguments that the kernel command line must have.' }),
  absent: kernelArgList.meta({ description: 'Arguments that it must not have.' }),
});

/** Every way in which a target asks for two things that cannot both be. */
export function contradictions(target: {
  readonly iommu?: Target['iommu'] | undefined;
  readonly hostDma?: Target['hostDma'] | undefined;
  readonly kernelArgs: Target['kernelArgs'];
}): Contradiction[] {
  const { present, absent } = target.kernelArgs;
  const found: Contradiction[] = [];
  if (target.iommu === 'disabled' && target.hostDma !== undefined) {
    const message = `says how the IOMMU serves the host, and iommu: disabled turns it off`;
    found.push({ path: ['hostDma'], message });
  }
  for (const [index, arg] of present.entries()) {
    const other = present.slice(0, index).find((earlier) => opposingArgs(earlier, arg));
    if (other === undefined) continue;
    found.push({ path: ['kernelArgs', 'present', index], message: `${arg} contradicts ${other}` });
  }
  for (const [index, arg] of absent.entries()) {
    if (!present.some((other) => sameKernelArg(other, arg))) continue;
    found.push({ path: ['kernelArgs', 'absent', index], message: `${arg} is in present too` });
  }
  for (const [index, arg] of present.entries()) {
    const message = unsafeKernelArg(arg);
    if (message !== undefined) found.push({ path: ['kernelArgs', 'present', index], message });
  }
  found.push(...repetitions('present', present), ...repetitions('absent', absent));
  return [...found, ...demands(target).flatMap((demand) => against(demand, present, absent))];
}

function repetitions(list: 'present' | 'absent', args: readonly string[]): Contradiction[] {
  return [...args.entries()]
    .filter(([index, arg]) => args.slice(0, index).some((earlier) => sameKernelArg(earlier, arg)))
    .map(([index, arg]) => ({
      path: ['kernelArgs', list, index],
      message: `${arg} stands here twice`,
    }));
}

/** What a setting needs, told by the argument that asks for it and the one that asks for the opposite. */
interface Demand {
  readonly words: string;
  readonly wants: string;
  readonly opposite: string;
}

function demands(target: {
  readonly iommu?: Target['iommu'] | undefined;
  readonly hostDma?: Target['hostDma'] | undefined;
}): Demand[] {
  const found: Demand[] = [];
  const [on, off, pt, nopt] = ['intel_iommu=on', 'intel_iommu=off', 'iommu=pt', 'iommu=nopt'];
  if (target.iommu === 'enabled') {
    found.push({ words: 'iommu: enabled', wants: on, opposite: off });
  }
  if (target.iommu === 'disabled') {
    found.push({ words: 'iommu: disabled', wants: off, opposite: on });
  }
  if (target.hostDma === 'passthrough') {
    found.push({ words: 'hostDma: passthrough', wants: pt, opposite: nopt });
  }
  if (target.hostDma === 'translated') {
    found.push({ words: 'hostDma: translated', wants: nopt, opposite: pt });
  }
  return found;
}

function against(
  demand: Demand,
  present: readonly string[],
  absent: readonly string[],
): Contradiction[] {
  const asked = [...present.entries()]
    .filter(([, arg]) => opposingArgs(arg, demand.wants))
    .map(([index, arg]) => ({
      path: ['kernelArgs', 'present', index],
      message: `${arg} contradicts ${demand.words}`,
    }));
  const forbidden = [...absent.entries()]
    .filter(([, arg]) => opposingArgs(arg, demand.opposite))
    .map(([index, arg]) => ({
      path: ['kernelArgs', 'absent', index],
      message: `${arg} is what ${demand.words} puts there`,
    }));
  return [...asked, ...forbidden];
}
