import { kernelArgName, kernelArgValue } from '../kernel-args.ts';
import type { HugepagesTarget } from '../spec.ts';

/**
 * Kernel arguments for huge pages: pairs of `hugepagesz=` and `hugepages=`, where each count belongs to the size before it
 * and a size may stand once (mm/hugetlb.c, hugepagesz_setup). So they are read, and written, as one block.
 */
export interface PageArgs {
  /** Value of `hugepages=` by size in KiB, as it stands: `16`, `0:8,1:8`. */
  readonly counts: ReadonlyMap<number, string>;
  /** One that cannot be read, and so must not be written into a file that a shell reads. */
  readonly unclear?: string;
}

/** A number for the whole machine, or one for each node, from Linux 5.16 on (commit b5389086ad7b). */
const COUNT = /^(?:\d{1,12}|\d{1,4}:\d{1,12}(?:,\d{1,4}:\d{1,12}){0,63})$/;

/** x86 has pages of 2 MiB by default (kernel-parameters.txt, default_hugepagesz). */
const DEFAULT_KIB = 2048;

/** What a line asks for. A count before any size is of the default size; a size that is repeated counts only once. */
export function parsePageArgs(args: readonly string[]): PageArgs {
  const counts = new Map<number, string>();
  let size: number | undefined = defaultSize(args);
  for (const arg of args) {
    const name = kernelArgName(arg);
    const value = kernelArgValue(arg) ?? '';
    if (name === 'hugepagesz') {
      const read = sizeKiB(value);
      if (read === undefined) return { counts, unclear: arg };
      size = counts.has(read) ? undefined : read;
    } else if (name === 'hugepages') {
      if (!COUNT.test(value)) return { counts, unclear: arg };
      if (size !== undefined && !counts.has(size)) counts.set(size, value);
    }
  }
  return { counts };
}

function defaultSize(args: readonly string[]): number {
  const arg = args.findLast((one) => kernelArgName(one) === 'default_hugepagesz');
  return sizeKiB(arg === undefined ? '' : (kernelArgValue(arg) ?? '')) ?? DEFAULT_KIB;
}

const GIB_KIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { k: 1, m: 1024, g: GIB_KIB };

function sizeKiB(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,7})([kKmMgG])$/.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return factor === undefined ? undefined : Number(number) * factor;
}

/** The counts of a line with what the target asks of boot time in them; other sizes and nodes stay as found. */
export function wantedCounts(
  found: ReadonlyMap<number, string>,
  targets: readonly HugepagesTarget[],
): ReadonlyMap<number, string> {
  const counts = new Map(found);
  for (const { sizeKiB: size, count, node, at } of targets) {
    if (at !== 'boot') continue;
    if (node === undefined) counts.set(size, String(count));
    else counts.set(size, nodesText(new Map(nodesOf(counts.get(size))).set(node, count)));
  }
  return counts;
}

/** Pages by node of a count; none for one of the whole machine. */
export function nodesOf(count = ''): ReadonlyMap<number, number> {
  if (!count.includes(':')) return new Map();
  const parts = count.split(',').map((part) => part.split(':').map(Number));
  return new Map(parts.map(([node = 0, pages = 0]) => [node, pages]));
}

const nodesText = (nodes: ReadonlyMap<number, number>): string =>
  [...nodes]
    .sort(([a], [b]) => a - b)
    .map(([node, pages]) => `${node}:${pages}`)
    .join(',');

/** The block, largest pages first: they need memory that is not in pieces yet. */
export function pageArgsText(counts: ReadonlyMap<number, string>): readonly string[] {
  return [...counts]
    .sort(([a], [b]) => b - a)
    .flatMap(([size, count]) => [`hugepagesz=${sizeText(size)}`, `hugepages=${count}`]);
}

function sizeText(kib: number): string {
  if (kib % GIB_KIB === 0) return `${kib / GIB_KIB}G`;
  return kib % 1024 === 0 ? `${kib / 1024}M` : `${kib}K`;
}

/** Whether a line has what the target asks of boot time. */
export function pagesSatisfied(
  args: readonly string[],
  targets: readonly HugepagesTarget[],
): boolean {
  if (!targets.some(({ at }) => at === 'boot')) return true;
  const { counts, unclear } = parsePageArgs(args);
  if (unclear !== undefined) return false;
  const wanted = wantedCounts(counts, targets);
  return [...wanted].every(([size, count]) => sameCount(counts.get(size), count));
}

function sameCount(a: string | undefined, b: string): boolean {
  if (a === undefined || !a.includes(':') || !b.includes(':')) return a === b;
  return nodesText(nodesOf(a)) === nodesText(nodesOf(b));
}
