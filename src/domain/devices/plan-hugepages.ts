import type { Problem } from '../blocked.ts';
import type { FileChange, HugepagesChange } from '../changes.ts';
import type { NumaNode } from '../device-facts.ts';
import type { Facts } from '../facts.ts';
import { TMPFILES_PATH } from '../own-files.ts';
import { kernelIsAtLeast } from '../kernel-version.ts';
import type { HugepagesTarget, Target } from '../spec.ts';
import { fileChange } from './own-text.ts';
import { memoryProblem } from './pages-memory.ts';
import type { PagesLine } from './tmpfiles.ts';
import { parseTmpfiles, tmpfilesText } from './tmpfiles.ts';

type Pages = HugepagesChange['pages'][number];

/** The change of run-time huge pages, none when they are as asked, or why the host cannot have them. */
export function planHugepages(facts: Facts, target: Target): HugepagesChange | Problem | undefined {
  const { hugepages } = target;
  if (hugepages.length === 0) return undefined;
  const pages = runtimePages(facts, hugepages);
  if ('code' in pages) return pages;
  const file = tmpfilesChange(facts, hugepages);
  if ('code' in file) return file;
  const moved = pages.filter(({ before, after }) => before !== after);
  if (moved.length === 0 && file.before === file.after) return undefined;
  const problem = inUseProblem(facts, moved) ?? memoryProblem(facts, target);
  return problem ?? { kind: 'hugepages', pages: moved, file };
}

/** Pages of boot time: why the kernel line cannot ask for them here. */
export function bootPagesProblem(facts: Facts, target: Target): Problem | undefined {
  const boot = target.hugepages.filter(({ at }) => at === 'boot');
  if (boot.some(({ node }) => node !== undefined) && !kernelIsAtLeast(facts, NODES_AT_BOOT)) {
    return {
      code: 'hugepages.node-at-boot',
      sentence: `kernel ${facts.kernelRelease} takes no huge pages by node at boot (from ${NODES_AT_BOOT.join('.')} on); write at: runtime for those with a node, or leave node out`,
    };
  }
  return nodeProblem(facts, boot) ?? memoryProblem(facts, target);
}

/** Commit b5389086ad7b, of the merge window of 5.16. */
const NODES_AT_BOOT = [5, 16] as const;

/** The line asks for them and was booted, and yet they are not there. */
export function missingBootPages(facts: Facts, target: Target): Problem | undefined {
  for (const { sizeKiB, count, node, at } of target.hugepages) {
    const now = at === 'boot' ? countNow(facts, sizeKiB, node) : undefined;
    if (now === undefined || now >= count) continue;
    const where = node === undefined ? '' : ` on node ${node}`;
    return {
      code: 'hugepages.fewer-than-asked',
      sentence: `the kernel line asks for ${count} pages of ${sizeText(sizeKiB)}${where} and ${now} are there: memory ran out at boot, or somebody gave some back; ask for fewer, or reboot the host`,
    };
  }
  return undefined;
}

const sizeText = (sizeKiB: number): string => (sizeKiB === 2048 ? '2 MiB' : '1 GiB');

function runtimePages(
  facts: Facts,
  hugepages: readonly HugepagesTarget[],
): readonly Pages[] | Problem {
  const runtime = hugepages.filter(({ at }) => at === 'runtime');
  const problem = nodeProblem(facts, runtime);
  if (problem !== undefined) return problem;
  const pages: Pages[] = [];
  for (const { sizeKiB, count, node } of runtime) {
    const before = countNow(facts, sizeKiB, node);
    if (before === undefined) return noSize(sizeKiB);
    pages.push({ sizeKiB, node: node ?? null, before, after: count });
  }
  return pages;
}

function nodeProblem({ devices }: Facts, targets: readonly HugepagesTarget[]): Problem | undefined {
  const ids = devices.numaNodes.map(({ id }) => id);
  const unknown = targets.find(({ node }) => node !== undefined && !ids.includes(node));
  if (unknown === undefined) return undefined;
  return {
    code: 'hugepages.no-node',
    sentence: `target.hugepages asks for pages on NUMA node ${unknown.node ?? ''}, and this host has ${ids.length === 0 ? 'none' : `node ${ids.join(', ')}`}; change node, or leave this host out`,
  };
}

function noSize(sizeKiB: number): Problem {
  return {
    code: 'hugepages.refused',
    sentence: `this kernel has no pages of ${sizeText(sizeKiB)}${sizeKiB === 2048 ? '' : ': its CPU may lack them (flag pdpe1gb)'}; ask for the other size`,
  };
}

/** Pages of a size that are set aside now; `undefined` when the kernel has none of that size. */
function countNow(
  { devices }: Facts,
  sizeKiB: number,
  node: number | undefined,
): number | undefined {
  const nodes = devices.numaNodes.filter(({ id }) => node === undefined || id === node);
  const counts = nodes.flatMap((one) => pagesOn(one, sizeKiB) ?? []);
  return counts.length === 0 ? undefined : counts.reduce((sum, { total }) => sum + total, 0);
}

const pagesOn = ({ hugepages }: NumaNode, sizeKiB: number) => hugepages[String(sizeKiB)];

/** The kernel takes only free pages back; the rest would go when their users do, against what the plan says. */
function inUseProblem({ devices }: Facts, pages: readonly Pages[]): Problem | undefined {
  for (const { sizeKiB, node, after } of pages) {
    const used = devices.numaNodes
      .filter(({ id }) => node === null || id === node)
      .reduce((sum, one) => {
        const { total, free } = pagesOn(one, sizeKiB) ?? { total: 0, free: 0 };
        return sum + total - free;
      }, 0);
    if (used <= after) continue;
    return {
      code: 'hugepages.in-use',
      sentence: `${used} pages of ${sizeText(sizeKiB)} are in use and the spec asks for ${after}; shut down what runs on them first, or ask for at least ${used}`,
    };
  }
  return undefined;
}

/** Our lines for the next boot: those of the target in place of the same size and node; sizes of the kernel line go. */
function tmpfilesChange(
  { devices }: Facts,
  hugepages: readonly HugepagesTarget[],
): FileChange | Problem {
  const text = devices.ownFiles[TMPFILES_PATH];
  const asked = hugepages.flatMap(({ sizeKiB, node, count, at }): PagesLine[] =>
    at === 'runtime' ? [{ sizeKiB, node: node ?? null, count }] : [],
  );
  const isReplaced = (line: PagesLine): boolean =>
    hugepages.some(
      ({ sizeKiB, node }) =>
        sizeKiB === line.sizeKiB &&
        (node === undefined || line.node === null || node === line.node),
    );
  const kept = (text === undefined ? [] : (parseTmpfiles(text) ?? [])).filter(
    (line) => !isReplaced(line),
  );
  const isOurs = (found: string) => parseTmpfiles(found) !== undefined;
  const before = text ?? null;
  return (
    fileChange(devices, TMPFILES_PATH, tmpfilesText([...kept, ...asked]), isOurs) ?? {
      path: TMPFILES_PATH,
      before,
      after: before,
    }
  );
}
