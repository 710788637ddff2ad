import type { Problem } from '../blocked.ts';
import type { Facts } from '../facts.ts';
import type { HugepagesTarget, Target } from '../spec.ts';

/** Whether the pages of a target leave the host, and each node, the memory they need (law 1). */
export function memoryProblem(facts: Facts, target: Target): Problem | undefined {
  const { hugepages, hugepagesReserveKiB } = target;
  const taken = pagesKiB(facts, hugepages);
  const left = facts.memTotalKiB - taken;
  if (left < hugepagesReserveKiB) {
    return {
      code: 'hugepages.reserve',
      sentence:
        `huge pages would take ${gib(taken)}${takenOf(facts, left)}; ` +
        `hugepagesReserve keeps ${gib(hugepagesReserveKiB)}: ask for fewer pages, or leave this host out`,
    };
  }
  return nodeMemoryProblem(facts, hugepages);
}

/** What is left of the memory, or how much there is too little of it. */
const takenOf = ({ memTotalKiB }: Facts, leftKiB: number): string =>
  leftKiB < 0
    ? `, ${gib(-leftKiB)} more than the ${gib(memTotalKiB)} of this host`
    : ` of the ${gib(memTotalKiB)} of this host and leave it ${gib(leftKiB)}`;

/** All pages as they are to be: those that the target does not name stay. */
function pagesKiB({ devices }: Facts, targets: readonly HugepagesTarget[]): number {
  const asked = targets.reduce((sum, { sizeKiB, count }) => sum + sizeKiB * count, 0);
  const others = devices.numaNodes.map((node) =>
    Object.entries(node.hugepages)
      .filter(([size]) => !isNamed(targets, Number(size), node.id))
      .reduce((sum, [size, { total }]) => sum + Number(size) * total, 0),
  );
  return others.reduce((sum, kib) => sum + kib, asked);
}

/** Pages of the whole machine are spread by the kernel, so only those of a node are held against it. */
function nodeMemoryProblem(
  { devices }: Facts,
  targets: readonly HugepagesTarget[],
): Problem | undefined {
  for (const { id, memTotalKiB } of devices.numaNodes) {
    const asked = targets
      .filter(({ node }) => node === id)
      .reduce((sum, { sizeKiB, count }) => sum + sizeKiB * count, 0);
    if (asked < memTotalKiB || asked === 0) continue;
    return {
      code: 'hugepages.node-memory',
      sentence: `huge pages would take ${gib(asked)} of NUMA node ${id}, which has ${gib(memTotalKiB)}; ask for fewer there, or spread them over the nodes`,
    };
  }
  return undefined;
}

const isNamed = (targets: readonly HugepagesTarget[], size: number, id: number): boolean =>
  targets.some(({ sizeKiB, node }) => sizeKiB === size && (node === undefined || node === id));

/** `31.2 GiB`. */
const gib = (kib: number): string => `${(kib / 1024 / 1024).toFixed(1)} GiB`;
