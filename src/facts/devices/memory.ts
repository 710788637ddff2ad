import type { NumaNode } from '../../domain/device-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';
import { between, wholeNumber } from './text.ts';

const NODES = '/sys/devices/system/node/';

/** NUMA nodes with their processors, memory and hugepages, by id; a kernel without NUMA shows none. */
export function parseNumaNodes(snapshot: Snapshot): readonly NumaNode[] {
  return between(snapshot.files, NODES, '/cpulist')
    .flatMap(([name]) => {
      const id = /^node(\d{1,4})$/.exec(name)?.[1];
      if (id === undefined) return [];
      const cpus = lineOf(snapshot, `${NODES}${name}/cpulist`)?.slice(0, 2000) ?? '';
      return [
        {
          id: Number(id),
          cpus: /^[0-9,-]*$/.test(cpus) ? cpus : '',
          memTotalKiB: memTotal(lineOf(snapshot, `${NODES}${name}/meminfo`)),
          hugepages: hugepagesOf(snapshot, name),
        },
      ];
    })
    .sort((a, b) => a.id - b.id);
}

/** `Node 0 MemTotal:       65636356 kB`, the first line of a node's meminfo (drivers/base/node.c). */
function memTotal(line: string | undefined): number {
  const match = /^Node \d{1,4} MemTotal:\s{1,40}(\d{1,15}) kB/.exec(line?.slice(0, 200) ?? '');
  return Number(match?.[1] ?? 0);
}

/** By size in KiB: folders `hugepages-1048576kB`. */
function hugepagesOf(snapshot: Snapshot, node: string): NumaNode['hugepages'] {
  const sizes = between(snapshot.files, `${NODES}${node}/hugepages/`, '/nr_hugepages');
  return Object.fromEntries(
    sizes.flatMap(([name]) => {
      const size = /^hugepages-(\d{1,9})kB$/.exec(name)?.[1];
      const count = (file: string) =>
        wholeNumber(lineOf(snapshot, `${NODES}${node}/hugepages/${name}/${file}`)) ?? 0;
      return size === undefined
        ? []
        : [[size, { total: count('nr_hugepages'), free: count('free_hugepages') }] as const];
    }),
  );
}
