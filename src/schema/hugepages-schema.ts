import { z } from 'zod';
import { kernelArgName } from '../domain/kernel-args.ts';
import type { HugepagesTarget, Target } from '../domain/spec.ts';
import { compact } from '../domain/compact.ts';
import { type Contradiction, reportAll, twins } from './contradiction.ts';
import { size, wholeNumber } from './scalars.ts';

/** Most entries: two sizes on each of 64 nodes would be more than there are. */
const ENTRIES_MAX = 64;
/** Most pages of one entry: 16 TiB of 2 MiB pages. */
const PAGES_MAX = 8_388_608;
/** Highest number of a NUMA node (the kernel's MAX_NUMNODES is 1,024 on x86). */
const NODE_MAX = 1_023;

const GIB_KIB = 1024 ** 2;

const pagesSchema = z
  .strictObject({
    size: z.enum(['1G', '2M']).meta({ description: 'Of one page.' }),
    count: wholeNumber(1, PAGES_MAX).meta({ description: 'How many pages.' }),
    node: wholeNumber(0, NODE_MAX)
      .optional()
      .meta({ description: 'NUMA node; absent: the kernel spreads them over all nodes.' }),
    at: z.enum(['boot', 'runtime']).prefault('boot').meta({
      description:
        'boot: by kernel argument, before memory is in pieces; runtime: without a reboot, as many as the kernel finds.',
    }),
  })
  .meta({ examples: [{ size: '1G', count: 32 }] });

type PagesInput = z.output<typeof pagesSchema>;

/** `target.hugepages`: pages that are set aside for guests. */
export const hugepagesSchema = z
  .array(pagesSchema)
  .max(ENTRIES_MAX)
  .prefault([])
  .superRefine((entries, context) => {
    reportAll(context, pagesProblems(entries));
  })
  .meta({
    description: 'Huge pages for guests; refused on a host that keeps too little memory.',
    examples: [[{ size: '1G', count: 32 }]],
  });

/** `target.hugepagesReserve`: memory that huge pages must leave to a host. */
export const hugepagesReserveSchema = size(GIB_KIB, 16 * 1024 * GIB_KIB)
  .prefault('8G')
  .meta({ description: 'Memory that huge pages must leave to the host itself.' });

/** The domain's huge pages from parsed ones. */
export function toHugepages(entries: readonly PagesInput[]): readonly HugepagesTarget[] {
  return entries.map(({ size, count, node, at }) =>
    compact({ sizeKiB: size === '1G' ? (1_048_576 as const) : (2_048 as const), count, node, at }),
  );
}

/** Pages of one size are counted for the whole machine or for each node: both at once would be two counts of the same. */
function pagesProblems(entries: readonly PagesInput[]): Contradiction[] {
  const repeated = twins(entries.map(({ size, node }) => `${size} ${node ?? 'all'}`)).map(
    ({ at, first }) => ({
      path: [at],
      message: `counts the same pages as target.hugepages.${first}; write one of the two`,
    }),
  );
  const mixed = entries.flatMap((entry, at) => {
    if (entry.node === undefined) return [];
    const whole = entries.findIndex((one) => one.size === entry.size && one.node === undefined);
    if (whole === -1) return [];
    const message = `is counted in target.hugepages.${whole} too, which has no node; give each entry of ${entry.size} its node`;
    return [{ path: [at, 'node'], message }];
  });
  return [...repeated, ...mixed];
}

const PAGE_ARGS: ReadonlySet<string> = new Set(['hugepagesz', 'hugepages']);

/**
 * Kernel arguments that stand against `target.hugepages`: `hugepages=` counts pages of the `hugepagesz=` before it, so a
 * second pair on the line would change what ours mean.
 */
export function pageArgsProblems(target: {
  readonly hugepages: readonly unknown[];
  readonly kernelArgs: Target['kernelArgs'];
}): Contradiction[] {
  if (target.hugepages.length === 0) return [];
  return (['present', 'absent'] as const).flatMap((list) =>
    [...target.kernelArgs[list].entries()]
      .filter(([, arg]) => PAGE_ARGS.has(kernelArgName(arg)))
      .map(([at, arg]) => ({
        path: ['kernelArgs', list, at],
        message: `${arg} belongs to target.hugepages, which sets it itself`,
      })),
  );
}
