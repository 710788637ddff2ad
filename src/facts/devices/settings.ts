import { compact } from '../../domain/compact.ts';
import type { BootModule, DeviceFacts, VfCountOwner } from '../../domain/device-facts.ts';
import { isOwnDeviceFile, isPciAddress } from '../../domain/own-files.ts';
import type { Snapshot } from '../snapshot.ts';
import { lineOf, textOf } from '../snapshot.ts';
import { baseName, between, linesOf, outputOf, shortLine, shortText, wholeNumber } from './text.ts';

/** Our own files, whole, by path: those that were read and are at most as large as any that vfleet writes. */
export function parseOwnFiles(snapshot: Snapshot): DeviceFacts['ownFiles'] {
  const files: Record<string, string> = {};
  for (const path of [...snapshot.files.keys()].filter(isOwnDeviceFile).sort()) {
    files[path] = textOf(snapshot, path) ?? '';
  }
  return files;
}

/** What driverctl sets, from files `/etc/driverctl.d/pci-0000:03:00.0` that hold a driver's name. */
export function parseDriverctl(snapshot: Snapshot): DeviceFacts['driverctl'] {
  const drivers: Record<string, string> = {};
  for (const [name] of between(snapshot.files, '/etc/driverctl.d/pci-')) {
    const driver = shortLine(snapshot, `/etc/driverctl.d/pci-${name}`);
    if (isPciAddress(name) && driver !== undefined) drivers[name] = driver;
  }
  return drivers;
}

/** Names of the loaded modules, the first word of each line; the kernel writes `-` as `_` there. */
export function parseModules(snapshot: Snapshot): readonly string[] {
  return linesOf(textOf(snapshot, '/proc/modules')).flatMap(
    (row) => /^[A-Za-z0-9_]{1,64}(?= \d)/.exec(row)?.[0] ?? [],
  );
}

/** Most modules that our file is read for. */
const BOOT_MODULES_MAX = 256;

/** Where the running kernel has the modules of our modules-load.d file; lines that are not of the query are left out. */
export function parseBootModules(snapshot: Snapshot): DeviceFacts['bootModules'] {
  const output = outputOf(snapshot, 'boot-modules');
  if (output === undefined) return undefined;
  const found = linesOf(output).flatMap((row): [string, BootModule][] => {
    const [, name, where] = /^([A-Za-z0-9_]{1,64}) (builtin|file|none)$/.exec(row) ?? [];
    return name === undefined ? [] : [[name, where as BootModule]];
  });
  return Object.fromEntries(found.slice(0, BOOT_MODULES_MAX));
}

/** `Y` or `N` where the module is there. */
export function parseUnsafeInterrupts(snapshot: Snapshot): boolean | undefined {
  const value = lineOf(snapshot, '/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts');
  return value === 'Y' || value === 'N' ? value === 'Y' : undefined;
}

/** DMI as the firmware fills it in, which may be nothing at all. */
export function parseDmi(snapshot: Snapshot): DeviceFacts['dmi'] {
  const line = (name: string) => shortLine(snapshot, `/sys/class/dmi/id/${name}`);
  return compact({
    vendor: line('sys_vendor'),
    product: line('product_name'),
    biosVersion: line('bios_version'),
    biosDate: isoDate(line('bios_date')),
  });
}

/** SMBIOS has MM/DD/YYYY, or MM/DD/YY of the last century (DSP0134, BIOS Release Date). */
function isoDate(text: string | undefined): string | undefined {
  const [, month = '', day = '', year = ''] =
    /^(\d{2})\/(\d{2})\/(\d{4}|\d{2})$/.exec(text ?? '') ?? [];
  const iso = `${year.length === 2 ? '19' : ''}${year}-${month}-${day}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) ? iso : undefined;
}

/** Owners by the folder of their files. */
const OWNERS: readonly (readonly [RegExp, string])[] = [
  [/\/NetworkManager\/|\/network-scripts\//, 'NetworkManager'],
  [/\/netplan\//, 'netplan'],
  [/\/systemd\/network\//, 'systemd .link'],
  [/\/systemd\/system\//, 'systemd unit'],
  [/\/udev\//, 'udev rule'],
  [/\/network\/interfaces/, 'ifupdown'],
  [/\/tmpfiles\.d\//, 'systemd-tmpfiles'],
  [/sysfs/, 'sysfsutils'],
];
const OWNERS_MAX = 256;

/** Whoever sets a count of VFs beside vfleet. Within a file a count belongs to the name in front of it, else to the first. */
export function parseVfCountOwners(snapshot: Snapshot): readonly VfCountOwner[] {
  const owners: VfCountOwner[] = [];
  const names = new Map<string, string>();
  const rows = linesOf(outputOf(snapshot, 'vf-count-owners')).map((row) =>
    /^(\/[^\t]{1,300})\t(count|name)=(.{0,300})$/.exec(row),
  );
  const firstName = (where: string) =>
    rows.find((row) => row?.[1] === where && row[2] === 'name')?.[3];
  for (const [, where = '', key, value = ''] of rows.flatMap((row) =>
    row === null ? [] : [row],
  )) {
    if (key === 'name') names.set(where, value);
    // A count of 0 makes none; a script's count is not told.
    else if (wholeNumber(value) !== 0 && owners.length < OWNERS_MAX) {
      const owner = OWNERS.find(([pattern]) => pattern.test(where))?.[1] ?? baseName(where);
      owners.push(
        compact({ owner, where, names: shortText(names.get(where) ?? firstName(where)) }),
      );
    }
  }
  return owners;
}
