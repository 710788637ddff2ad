import type {
  AttachTarget,
  DeviceMatch,
  DeviceTarget,
  FirmwareTarget,
  GuestTarget,
  HugepagesTarget,
  ModulesTarget,
  Target,
  VfsTarget,
} from '../../domain/spec.ts';
import { settingsText } from './describe-devices.ts';
import { vfNames } from './device-names.ts';
import { groupedBy } from './grouped-by.ts';

/** What a target asks of devices, guests, memory, modules and firmware, as rows of a label and a text. */
export function deviceRows(target: Target): string[][] {
  return [
    ...rows('hugepages', hugepagesTexts(target)),
    ...rows('modules', modulesTexts(target.modules)),
    ...rows('firmware', firmwareTexts(target.firmware)),
    ...rows('devices', target.devices.map(deviceText)),
    ...rows('guests', target.guests.map(guestText)),
    ...rows('allow', target.allow.length === 0 ? [] : [target.allow.join(', ')]),
  ];
}

function rows(label: string, texts: readonly string[]): string[][] {
  return texts.map((text, at) => [at === 0 ? label : '', text]);
}

const KIB_PER_GIB = 1024 * 1024;

function hugepagesTexts({ hugepages, hugepagesReserveKiB }: Target): string[] {
  if (hugepages.length === 0) return [];
  const reserve = Number((hugepagesReserveKiB / KIB_PER_GIB).toFixed(1));
  return [`${hugepages.map(pagesText).join(', ')}; ${reserve} GiB must be left to the host`];
}

function pagesText({ sizeKiB, count, node, at }: HugepagesTarget): string {
  const where = node === undefined ? '' : ` on node ${node}`;
  const when = at === 'boot' ? 'at boot' : 'at run time';
  return `${count} of ${sizeKiB === 2048 ? '2M' : '1G'}${where} ${when}`;
}

function modulesTexts(modules: ModulesTarget): string[] {
  const { blacklist, load, disableIdleD3, unsafeInterrupts } = modules;
  return [
    ...(blacklist.length === 0 ? [] : [`never by themselves: ${blacklist.join(' ')}`]),
    ...(load.length === 0 ? [] : [`at each boot: ${load.join(' ')}`]),
    ...(disableIdleD3 ? ['idle vfio devices stay powered (disable_idle_d3)'] : []),
    ...(unsafeInterrupts ? ['unsafe interrupts allowed (allow_unsafe_interrupts)'] : []),
  ];
}

function firmwareTexts({ minVersion, minDate }: FirmwareTarget): string[] {
  const parts = [
    ...(minVersion === undefined ? [] : [`version ${minVersion} or newer`]),
    ...(minDate === undefined ? [] : [`of ${minDate} or later`]),
  ];
  return parts.length === 0 ? [] : [parts.join(', ')];
}

function deviceText(device: DeviceTarget): string {
  const { name, hosts, match, guarded, expect, functions, driver, bind, vfs } = device;
  const which = [
    matchText(match),
    ...(functions === 'all' ? ['with all functions of its slot'] : []),
    ...(expect === undefined ? [] : [`${expect} expected`]),
    guarded === 'skip' ? 'guarded ones skipped' : 'refused when one is guarded',
  ];
  const what = [
    ...(driver === undefined ? [] : [`driver ${driver}${bind === 'ids' ? ' by ids=' : ''}`]),
    ...(vfs === undefined ? [] : vfsTexts(vfs)),
  ];
  return `${name}${onHosts(hosts)}: ${which.join(', ')} -> ${what.join('; ')}`;
}

const MATCH_WORDS = {
  address: 'address',
  id: 'id',
  subsystem: 'subsystem',
  revision: 'revision',
  class: 'class',
  netdev: 'network interface',
  driver: 'driver',
  numaNode: 'NUMA node',
} as const satisfies Record<keyof DeviceMatch, string>;

function matchText(match: DeviceMatch): string {
  const parts = Object.entries(MATCH_WORDS).flatMap(([key, word]) => {
    const value = match[key as keyof DeviceMatch];
    return value === undefined ? [] : [`${word} ${value}`];
  });
  return parts.join(' and ');
}

function vfsTexts({ count, mtu, vfs }: VfsTarget): string[] {
  const told = vfs.map((vf, index) => ({
    index,
    text: [vf.driver, settingsText(vf, { exact: true })].filter((part) => part !== '').join(', '),
  }));
  return [
    `${count} VFs${mtu === undefined ? '' : `, mtu ${mtu}`}`,
    ...groupedBy(told, ({ text }) => text).map(([text, group]) => {
      const indices = group.map(({ index }) => index);
      return `${indices.length === count && count > 1 ? 'all' : vfNames(indices, count)} ${text}`;
    }),
  ];
}

function guestText(guest: GuestTarget): string {
  const { domain, hosts, attach, managed, confined, pin } = guest;
  const how = [
    ...(managed ? ['managed by libvirt'] : []),
    ...(confined === 'required' ? ['must be confined'] : []),
    ...(pin === 'device-node' ? ['vCPUs pinned to the node of the device'] : []),
  ];
  const gets = attach.map(attachText).join(', ');
  return `${domain}${onHosts(hosts)}: + ${[gets, ...how].join('; ')}`;
}

function attachText({ device, pf, vf }: AttachTarget): string {
  return vf === undefined ? `${device}[${pf}]` : `VF ${vf} of ${device}[${pf}]`;
}

function onHosts(hosts: string | undefined): string {
  return hosts === undefined ? '' : ` (hosts ${hosts})`;
}
