import type { Faults } from '../faults.ts';
import type { Node } from '../file-tree.ts';
import { folder, line, text, type VirtualFiles } from '../virtual-files.ts';

/** A NUMA node of a machine. */
export interface NodeSpec {
  /** A CPU list: `0-15,32-47`. */
  readonly cpus: string;
  readonly memoryKiB: number;
}

const SIZES = [2048, 1048576] as const;
export type PageKiB = (typeof SIZES)[number];

const NODES = '/sys/devices/system/node';
const POOLS = '/sys/kernel/mm/hugepages';
/** What a node's own processes hold, and what of the rest no page of 1 GiB can be made of. */
const HELD_KIB = 2 * 1024 * 1024;
const WHOLE: Readonly<Record<PageKiB, number>> = { 2048: 0.95, 1048576: 0.5 };

/** The memory of a running machine: hugepages by NUMA node, of which a write takes as many as there are (host.md §7). */
export class Memory implements VirtualFiles {
  readonly roots = [NODES, POOLS];
  private readonly nodes: readonly NodeSpec[];
  private readonly faults: Faults;
  /** Pages by node. */
  private readonly pages: Record<PageKiB, number[]> = { 2048: [], 1048576: [] };

  constructor(nodes: readonly NodeSpec[], faults: Faults) {
    this.nodes = nodes;
    this.faults = faults;
  }

  /** As a kernel starts with its line: `hugepagesz=1G hugepages=4`, also `hugepages=0:2,1:2`. */
  start(args: readonly string[]): void {
    for (const size of SIZES) this.pages[size] = this.nodes.map(() => 0);
    let size: PageKiB | undefined = sizeOf(lastValue(args, 'default_hugepagesz') ?? '2M');
    for (const arg of args) {
      const [name, value = ''] = arg.split('=');
      if (name === 'hugepagesz') size = sizeOf(value);
      if (name !== 'hugepages' || size === undefined) continue;
      this.reserveAtBoot(size, value);
    }
  }

  private reserveAtBoot(size: PageKiB, value: string): void {
    for (const part of value.split(',')) {
      const [, node, count = ''] = /^(?:(\d+):)?(\d+)$/.exec(part) ?? [];
      this.reserve(size, node === undefined ? undefined : Number(node), Number(count));
    }
  }

  /** A write to one of the nr_hugepages; `undefined`: no such file. Fewer pages than asked is no error. */
  write(path: string, value: string): 'done' | { readonly error: string } | undefined {
    const place = placeOf(path);
    if (place?.file !== 'nr_hugepages') return undefined;
    if (!/^\d+$/.test(value)) return { error: 'Invalid argument' };
    this.reserve(place.size, place.node, Number(value));
    return 'done';
  }

  node(path: string): Node | undefined {
    if (this.nodes.length === 0) return undefined;
    if (path.startsWith(POOLS)) return this.pool(path.slice(POOLS.length + 1), undefined);
    return path.startsWith(NODES) ? this.below(path.slice(NODES.length + 1)) : undefined;
  }

  private below(rest: string): Node | undefined {
    const ids = [...this.nodes.keys()];
    if (rest === '') return folder(() => [...ids.map((id) => `node${id}`), 'online']);
    if (rest === 'online') return line(this.online);
    const [name, ...more] = rest.split('/');
    const id = ids.find((it) => name === `node${it}`);
    const spec = id === undefined ? undefined : this.nodes[id];
    return id === undefined || spec === undefined ? undefined : this.ofNode(id, spec, more);
  }

  private get online(): string {
    return this.nodes.length === 1 ? '0' : `0-${this.nodes.length - 1}`;
  }

  private ofNode(id: number, spec: NodeSpec, [name, ...rest]: readonly string[]): Node | undefined {
    switch (name) {
      case undefined:
        return folder(() => ['cpulist', 'hugepages', 'meminfo']);
      case 'cpulist':
        return line(spec.cpus);
      case 'meminfo':
        return text(`Node ${id} MemTotal:       ${spec.memoryKiB} kB\n`);
      case 'hugepages':
        return this.pool(rest.join('/'), id);
      default:
        return undefined;
    }
  }

  private pool(rest: string, node: number | undefined): Node | undefined {
    if (rest === '') return folder(() => SIZES.map((size) => `hugepages-${size}kB`));
    const [name, file] = rest.split('/');
    const size = SIZES.find((it) => name === `hugepages-${it}kB`);
    if (size === undefined) return undefined;
    const count = String(node === undefined ? this.total(size) : (this.pages[size][node] ?? 0));
    switch (file) {
      case undefined:
        return folder(() => ['free_hugepages', 'nr_hugepages', 'surplus_hugepages']);
      case 'nr_hugepages':
        return line(count, 0o644);
      case 'free_hugepages':
        return line(count);
      case 'surplus_hugepages':
        return line('0');
      default:
        return undefined;
    }
  }

  private total(size: PageKiB): number {
    return this.pages[size].reduce((sum, count) => sum + count, 0);
  }

  /** Brings a node, or the machine, to so many pages as far as memory goes. */
  private reserve(size: PageKiB, node: number | undefined, wanted: number): void {
    const pages = this.pages[size];
    if (node === undefined) {
      this.spread(size, wanted);
    } else if (pages[node] !== undefined) {
      pages[node] = Math.min(wanted, pages[node] + this.free(size, node));
    }
  }

  /** The file for the whole machine gives to and takes from the nodes in turns, and leaves what is there. */
  private spread(size: PageKiB, wanted: number): void {
    const pages = this.pages[size];
    for (;;) {
      const left = wanted - this.total(size);
      const room = (id: number) => (left > 0 ? this.free(size, id) : (pages[id] ?? 0));
      const ids = [...pages.keys()].filter((id) => room(id) > 0);
      if (left === 0 || ids.length === 0) return;
      const share = Math.max(1, Math.floor(Math.abs(left) / ids.length));
      let rest = Math.abs(left);
      for (const id of ids) {
        const count = Math.min(share, rest, room(id));
        rest -= count;
        pages[id] = (pages[id] ?? 0) + Math.sign(left) * count;
      }
    }
  }

  /** How many pages more a node can make. */
  private free(size: PageKiB, node: number): number {
    const taken = SIZES.reduce((sum, it) => sum + (this.pages[it][node] ?? 0) * it, 0);
    const left = ((this.nodes[node]?.memoryKiB ?? 0) - HELD_KIB - taken) * WHOLE[size];
    const scarce = this.faults.all('pages-scarce').find((fault) => fault.sizeKiB === size);
    const allowed = scarce === undefined ? Infinity : scarce.pages - this.total(size);
    return Math.max(0, Math.min(Math.floor(left / size), allowed));
  }
}

function placeOf(
  path: string,
): { readonly size: PageKiB; readonly node?: number; readonly file: string } | undefined {
  const match =
    /^\/sys\/(?:kernel\/mm|devices\/system\/node\/node(\d+))\/hugepages\/hugepages-(2048|1048576)kB\/(\w+)$/.exec(
      path,
    );
  if (match === null) return undefined;
  const [, node, size, file = ''] = match;
  return {
    size: size === '2048' ? 2048 : 1048576,
    file,
    ...(node !== undefined && { node: Number(node) }),
  };
}

function sizeOf(text: string): PageKiB | undefined {
  return ({ '2M': 2048, '1G': 1048576 } as const)[text.toUpperCase()];
}

function lastValue(args: readonly string[], name: string): string | undefined {
  return args
    .filter((arg) => arg.startsWith(`${name}=`))
    .at(-1)
    ?.slice(name.length + 1);
}
