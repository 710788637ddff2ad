import type { DeviceFacts, GuestFacts, NumaNode } from '../../domain/device-facts.ts';
import type { FactsView } from './facts-devices.ts';
import { columns, wrapWords } from './style.ts';

const HEAD = ['GUEST', 'STATE', 'MEMORY', 'VCPUS', 'DEVICES'];

/** Guests with what matters for giving them devices. */
export function guestLines({ guests }: DeviceFacts, view: FactsView): string[] {
  if (guests.length === 0) return [];
  const rows = columns([HEAD, ...guests.map(rowOf)]);
  return [
    view.style.strong(rows[0] ?? ''),
    ...guests.flatMap((guest, at) => [
      rows[at + 1] ?? '',
      ...wrapWords(detailsOf(guest).join('; ').split(' '), view.width - 4).map(
        (line) => `    ${view.style.faint(line)}`,
      ),
    ]),
  ];
}

function rowOf({ name, running, persistent, memoryKiB, vcpus, hostdevs }: GuestFacts): string[] {
  return [
    name,
    `${running ? 'running' : 'off'}${persistent ? '' : ', transient'}`,
    memoryKiB === undefined ? '-' : `${Math.round(memoryKiB / 1024)} MiB`,
    String(vcpus ?? '-'),
    String(hostdevs.length),
  ];
}

function detailsOf(guest: GuestFacts): string[] {
  const { hostdevs, pins, nodeset, hugepages, locked, ballooning, confinement } = guest;
  const pinned = Object.entries(pins).map(([vcpu, cpus]) => `${vcpu}:${cpus}`);
  return [
    ...hostdevs.map(({ address, managed, live, config }) => {
      const where = live && config ? 'live and configured' : live ? 'only live' : 'configured';
      return `${address} ${where}${managed ? ', managed' : ''}`;
    }),
    ...(pinned.length === 0 ? [] : [`pinned ${pinned.join(' ')}`]),
    ...(nodeset === undefined ? [] : [`memory on node ${nodeset}`]),
    hugepages ? 'hugepages' : 'no hugepages',
    ...(locked ? ['memory locked'] : []),
    ...(ballooning ? ['ballooning'] : []),
    ...(confinement === undefined ? [] : [`confined as ${confinement}`]),
  ];
}

/** Rows of the list at the top: firmware, nodes with their hugepages, and who else sets up devices. */
export function settingRows(devices: DeviceFacts): string[][] {
  const { dmi, numaNodes, vfCountOwners, driverctl, ownFiles } = devices;
  const names = [dmi.vendor, dmi.product].filter((it) => it !== undefined).join(' ');
  const nodes = numaNodes.map((node) => ['', nodeText(node)]);
  return [
    ['hardware', names === '' ? 'not told by DMI' : names],
    ['bios', `version ${dmi.biosVersion ?? 'unknown'} of ${dmi.biosDate ?? 'unknown date'}`],
    ...labelled('nodes', nodes),
    ...labelled(
      'VF counts',
      vfCountOwners.map(({ owner, where, names: name }) => [
        '',
        `set by ${owner}${name === undefined ? '' : ` for ${name}`} in ${where}`,
      ]),
    ),
    ...labelled(
      'driverctl',
      Object.entries(driverctl).map(([address, driver]) => ['', `${address} ${driver}`]),
    ),
    ...labelled(
      'our files',
      Object.keys(ownFiles).map((path) => ['', path]),
    ),
    ...(devices.unsafeInterrupts === true
      ? [['WARNING', 'vfio_iommu_type1 allows unsafe interrupts']]
      : []),
  ];
}

const labelled = (label: string, rows: readonly string[][]): string[][] =>
  rows.map(([, text = ''], at) => [at === 0 ? label : '', text]);

function nodeText({ id, cpus, memTotalKiB, hugepages }: NumaNode): string {
  const pages = Object.entries(hugepages)
    .filter(([, { total }]) => total > 0)
    .map(([sizeKiB, { total, free }]) => `${total} x ${sizeText(Number(sizeKiB))} (${free} free)`);
  const memory = `${Math.round(memTotalKiB / 1024)} MiB`;
  return `${id}: CPUs ${cpus}, ${memory}, hugepages ${pages.join(', ') || 'none'}`;
}

function sizeText(sizeKiB: number): string {
  return sizeKiB % 1_048_576 === 0 ? `${sizeKiB / 1_048_576} GiB` : `${sizeKiB / 1024} MiB`;
}
