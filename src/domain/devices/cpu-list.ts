/** Highest CPU number that is read: twice what the kernel supports on x86 (NR_CPUS is 8,192). */
const CPU_MAX = 16_384;

/** Most steps over one list: none of the kernel's names a CPU twice, and a hostile one could name all of them in every part. */
const STEPS_MAX = CPU_MAX + 1;

/** The CPUs of a list as the kernel and libvirt write it: `0-3,8`; `^2` takes one out. What is no list is none. */
export function parseCpuList(text: string): ReadonlySet<number> {
  const cpus = new Set<number>();
  let steps = 0;
  for (const part of text.slice(0, 64 * 1024).split(',')) {
    const [, not, from, to] = /^\s*(\^?)(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? [];
    if (from === undefined) continue;
    const last = Math.min(Number(to ?? from), CPU_MAX);
    for (let cpu = Number(from); cpu <= last && steps < STEPS_MAX; cpu += 1) {
      steps += 1;
      if (not === '^') cpus.delete(cpu);
      else cpus.add(cpu);
    }
  }
  return cpus;
}

/** `0-3,8`: sorted, each run of neighbours as a range. */
export function cpuListText(cpus: Iterable<number>): string {
  const ranges: [number, number][] = [];
  for (const cpu of [...cpus].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === cpu - 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** Whether all CPUs of one list are in another. */
export function isWithin(inner: string, outer: string): boolean {
  const all = parseCpuList(outer);
  return [...parseCpuList(inner)].every((cpu) => all.has(cpu));
}
