import { compact } from '../../domain/compact.ts';
import type { PciFunction } from '../../domain/device-facts.ts';
import { isPciAddress } from '../../domain/own-files.ts';
import type { Snapshot } from '../snapshot.ts';
import { baseName, functionsIn, hexDigits, shortText, wholeNumber } from './text.ts';

/** Most functions that facts hold; a host with more is said to be unknown in part. */
export const FUNCTIONS_MAX = 4096;

const PREFIX = '/sys/bus/pci/devices/';
const decoder = new TextDecoder('utf-8', { fatal: false });

/** What sysfs shows of one function: attributes and links by their path below its folder. */
export interface RawFunction {
  readonly address: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly links: ReadonlyMap<string, string>;
  /** Target of the link on the bus, which is the function's place in the tree. */
  readonly place: string;
}

/** Every function on the PCI bus that has a valid address, sorted; `cut` when there are more than facts hold. */
export function rawFunctions(snapshot: Snapshot): {
  readonly functions: readonly RawFunction[];
  readonly cut: boolean;
} {
  const found = new Map<string, { attributes: Map<string, string>; links: Map<string, string> }>();
  const places = new Map<string, string>();
  const at = (path: string) => {
    if (!path.startsWith(PREFIX)) return undefined;
    const [address = '', ...rest] = path.slice(PREFIX.length).split('/');
    if (!isPciAddress(address)) return undefined;
    const entry = found.get(address) ?? { attributes: new Map(), links: new Map() };
    found.set(address, entry);
    return { address, name: rest.join('/'), entry };
  };
  for (const [path, bytes] of snapshot.files) {
    const place = at(path);
    if (place === undefined || place.name === '') continue;
    const line = decoder.decode(bytes.subarray(0, 1024)).split('\n', 1)[0] ?? '';
    place.entry.attributes.set(place.name, line.trim());
  }
  for (const [path, target] of snapshot.links) {
    const place = at(path);
    if (place === undefined) continue;
    if (place.name === '') places.set(place.address, target);
    else place.entry.links.set(place.name, target);
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    functions: sorted
      .slice(0, FUNCTIONS_MAX)
      .map(([address, entry]) => ({ address, ...entry, place: places.get(address) ?? '' })),
    cut: sorted.length > FUNCTIONS_MAX,
  };
}

/** What a function's own attributes and links say; the rest of `PciFunction` comes from elsewhere. */
export type OwnFacts = Omit<
  PciFunction,
  'names' | 'net' | 'uses' | 'msix' | 'acs' | 'aer' | 'temperatures' | 'sriov'
>;

/** Facts of one function, or `undefined` when it does not even say what it is. */
export function ownFacts(raw: RawFunction): OwnFacts | undefined {
  const { address, attributes, links, place } = raw;
  const hex = (name: string, digits: number) => hexDigits(attributes.get(name), digits);
  const [vendor, device, pciClass] = [hex('vendor', 4), hex('device', 4), hex('class', 6)];
  if (vendor === undefined || device === undefined || pciClass === undefined) return undefined;
  const [subVendor, subDevice] = [hex('subsystem_vendor', 4), hex('subsystem_device', 4)];
  const subsystem = subDevice === undefined ? undefined : `${subVendor ?? '0000'}:${subDevice}`;
  const physfn = linkedFunction(links.get('physfn'));
  return compact({
    address,
    vendor,
    device,
    subsystem,
    revision: hex('revision', 2),
    class: pciClass,
    driver: shortText(baseName(links.get('driver') ?? '')) ?? null,
    override: overrideOf(attributes.get('driver_override')),
    modalias: modaliasOf({ vendor, device, subVendor, subDevice, pciClass }),
    group: groupOf(links.get('iommu_group')),
    // -1: the firmware does not say.
    numaNode: wholeNumber(attributes.get('numa_node')),
    parents: functionsIn(place).slice(0, -1),
    bootVga: attributes.get('boot_vga') === '1',
    physfn,
    link: linkState(attributes),
    resetMethods: resetMethods(attributes.get('reset_method')),
  });
}

/** The function that a link of sysfs leads to: `../0000:03:10.0`. */
export function linkedFunction(target: string | undefined): string | undefined {
  const address = baseName(target ?? '');
  return isPciAddress(address) ? address : undefined;
}

/** `(null)` stands for none (drivers/pci/pci-sysfs.c, driver_override_show). */
function overrideOf(text: string | undefined): string | null {
  const override = shortText(text);
  return override === undefined || override === '(null)' ? null : override;
}

function groupOf(target: string | undefined): string | undefined {
  const id = baseName(target ?? '');
  return /^\d{1,9}$/.test(id) ? id : undefined;
}

/** As the kernel makes it from the ids (drivers/pci/pci-sysfs.c, modalias_show), so that it need not be read. */
function modaliasOf(ids: {
  readonly vendor: string;
  readonly device: string;
  readonly subVendor: string | undefined;
  readonly subDevice: string | undefined;
  readonly pciClass: string;
}): string {
  const wide = (hex: string | undefined) => (hex ?? '').toUpperCase().padStart(8, '0');
  const [base, sub, programming] = ids.pciClass.toUpperCase().match(/../g) ?? [];
  const { vendor, device, subVendor, subDevice } = ids;
  return `pci:v${wide(vendor)}d${wide(device)}sv${wide(subVendor)}sd${wide(subDevice)}bc${base ?? ''}sc${sub ?? ''}i${programming ?? ''}`;
}

/** Of a function without a link of its own the kernel says `Unknown` or width 0 (VFs), or 255 lanes (a dead link). */
function linkState(attributes: ReadonlyMap<string, string>): PciFunction['link'] {
  const speed = (name: string) =>
    /^\d{1,3}(?:\.\d{1,2})? GT\/s/.exec(attributes.get(name)?.slice(0, 40) ?? '')?.[0];
  const width = (name: string) => {
    const lanes = wholeNumber(attributes.get(name));
    return lanes !== undefined && lanes > 0 && lanes <= 32 ? lanes : undefined;
  };
  const link = compact({
    speed: speed('current_link_speed'),
    width: width('current_link_width'),
    maxSpeed: speed('max_link_speed'),
    maxWidth: width('max_link_width'),
  });
  return Object.keys(link).length === 0 ? undefined : link;
}

/** Absent before Linux 5.15; empty when the function cannot be reset. */
function resetMethods(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  return text
    .slice(0, 200)
    .split(/\s+/)
    .filter((word) => /^[a-z0-9_]{1,30}$/.test(word));
}
