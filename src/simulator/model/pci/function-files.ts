import type { Node } from '../file-tree.ts';
import { folder, line, link, text } from '../virtual-files.ts';
import { configOf } from './bridge-config.ts';
import { deviceBelow } from './device-files.ts';
import type { PciFunction } from './pci-function.ts';

type Make = (fn: PciFunction) => string | undefined;

const subsystem = (fn: PciFunction, part: 0 | 1): string =>
  `0x${(fn.spec.subsystem ?? '0000:0000').split(':')[part] ?? '0000'}`;

const express = (fn: PciFunction): boolean => fn.spec.link !== undefined || fn.physfn !== undefined;
/** A VF has no link of its own: the kernel says so (drivers/pci/pci-sysfs.c); some report their PF's. */
const speed = (fn: PciFunction, link: PciFunction['link']): string | undefined =>
  express(fn) ? (link?.speed ?? 'Unknown') : undefined;
const width = (fn: PciFunction, link: PciFunction['link']): string | undefined =>
  express(fn) ? String(link?.width ?? 0) : undefined;

/** Attributes by name; `undefined`: this function does not have it. Which ones can be written stands in WRITABLE. */
const LINES: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['vendor', ({ spec }) => `0x${spec.vendor}`],
  ['device', ({ spec }) => `0x${spec.device}`],
  ['subsystem_vendor', (fn) => subsystem(fn, 0)],
  ['subsystem_device', (fn) => subsystem(fn, 1)],
  ['class', ({ spec }) => `0x${spec.class}`],
  ['revision', ({ spec }) => `0x${spec.revision ?? '00'}`],
  ['numa_node', ({ spec }) => String(spec.numaNode ?? -1)],
  ['modalias', (fn) => fn.modalias],
  ['driver_override', (fn) => fn.override ?? '(null)'],
  ['enable', (fn) => (fn.driver === null ? '0' : '1')],
  ['power_state', () => 'D0'],
  [
    'boot_vga',
    ({ spec }) => (spec.class.startsWith('03') ? (spec.bootVga === true ? '1' : '0') : undefined),
  ],
  ['reset_method', ({ spec }) => spec.resets?.join(' ')],
  ['current_link_speed', (fn) => speed(fn, fn.link)],
  ['current_link_width', (fn) => width(fn, fn.link)],
  ['max_link_speed', (fn) => speed(fn, fn.spec.link)],
  ['max_link_width', (fn) => width(fn, fn.spec.link)],
  ['sriov_totalvfs', ({ spec }) => spec.sriov && String(spec.sriov.total)],
  ['sriov_numvfs', (fn) => fn.spec.sriov && String(fn.vfs.length)],
  ['sriov_offset', ({ spec }) => spec.sriov && String(spec.sriov.offset)],
  ['sriov_stride', ({ spec }) => spec.sriov && String(spec.sriov.stride)],
  ['sriov_vf_device', ({ spec }) => spec.sriov?.device.replace(/^0+/, '')],
  ['sriov_drivers_autoprobe', (fn) => fn.spec.sriov && (fn.autoprobe ? '1' : '0')],
]);

const WRITABLE: ReadonlySet<string> = new Set([
  'driver_override',
  'sriov_numvfs',
  'sriov_drivers_autoprobe',
]);

const LINKS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['subsystem', () => '/sys/bus/pci'],
  ['driver', ({ driver }) => (driver === null ? undefined : `/sys/bus/pci/drivers/${driver}`)],
  [
    'iommu_group',
    ({ group }) => (group === undefined ? undefined : `/sys/kernel/iommu_groups/${group}`),
  ],
]);

/** The names in AER's files and what the three counters count (drivers/pci/pcie/aer.c). */
const AER: Readonly<
  Record<string, { counter: keyof PciFunction['aer']; kinds: readonly string[]; total: string }>
> = {
  aer_dev_correctable: {
    counter: 'correctable',
    kinds: [
      'RxErr',
      'BadTLP',
      'BadDLLP',
      'Rollover',
      'Timeout',
      'NonFatalErr',
      'CorrIntErr',
      'HeaderOF',
    ],
    total: 'TOTAL_ERR_COR',
  },
  aer_dev_nonfatal: {
    counter: 'nonfatal',
    kinds: ['Undefined', 'DLP', 'CmpltTO'],
    total: 'TOTAL_ERR_NONFATAL',
  },
  aer_dev_fatal: {
    counter: 'fatal',
    kinds: ['Undefined', 'DLP', 'CmpltTO'],
    total: 'TOTAL_ERR_FATAL',
  },
};

/** Names in the folder of a function, without those of the functions below it. */
export function namesOf(fn: PciFunction): string[] {
  const names = [...LINES].flatMap(([name, make]) => (make(fn) === undefined ? [] : [name]));
  for (const [name, target] of LINKS) if (target(fn) !== undefined) names.push(name);
  if (fn.spec.aer === true) names.push(...Object.keys(AER));
  if (fn.spec.bridge !== undefined) names.push('config');
  if (vectors(fn) > 0) names.push('msi_irqs');
  if (fn.physfn !== undefined) names.push('physfn');
  names.push(...fn.vfs.map((_, index) => `virtfn${index}`), ...deviceBelow(fn).names);
  return names;
}

/** What is at a path below the folder of a function. */
export function functionFile(fn: PciFunction, rest: string): Node | undefined {
  const make = LINES.get(rest);
  if (make !== undefined) {
    const value = make(fn);
    return value === undefined ? undefined : line(value, WRITABLE.has(rest) ? 0o644 : 0o444);
  }
  return linkOf(fn, rest) ?? rarely(fn, rest);
}

function linkOf(fn: PciFunction, name: string): Node | undefined {
  if (name === 'physfn' && fn.physfn !== undefined) {
    return { kind: 'link', target: `../${fn.physfn.address}` };
  }
  const index = /^virtfn(\d+)$/.exec(name)?.[1];
  const vf = index === undefined ? undefined : fn.vfs[Number(index)];
  if (vf !== undefined) return { kind: 'link', target: `../${vf.address}` };
  const target = LINKS.get(name)?.(fn);
  return target === undefined ? undefined : link(fn.folder, target);
}

function rarely(fn: PciFunction, rest: string): Node | undefined {
  const counters = AER[rest];
  if (counters !== undefined && fn.spec.aer === true) {
    const total = fn.aer[counters.counter];
    const rows = counters.kinds.map((kind, at) => `${kind} ${at === 0 ? total : 0}\n`);
    return text(`${rows.join('')}${counters.total} ${total}\n`);
  }
  if (rest === 'config' && fn.spec.bridge !== undefined) {
    return { kind: 'file', mode: 0o644, bytes: configOf(fn.spec.bridge) };
  }
  const [top, vector, more] = rest.split('/');
  if (top === 'msi_irqs' && more === undefined) return interrupts(fn, vector);
  return deviceBelow(fn).node(rest);
}

/** Vectors that are allocated: by the function's own driver only. */
export function vectors({ driver, spec }: PciFunction): number {
  return driver === null || driver === 'vfio-pci' ? 0 : (spec.msix ?? 0);
}

const FIRST_IRQ = 40;

function interrupts(fn: PciFunction, vector: string | undefined): Node | undefined {
  const count = vectors(fn);
  if (count === 0) return undefined;
  if (vector === undefined) {
    return folder(() => Array.from({ length: count }, (_, at) => String(FIRST_IRQ + at)));
  }
  const at = Number(vector) - FIRST_IRQ;
  return at >= 0 && at < count ? line('msix') : undefined;
}
