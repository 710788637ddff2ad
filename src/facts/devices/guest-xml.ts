import { compact } from '../../domain/compact.ts';
import { isPciAddress } from '../../domain/own-files.ts';
import { shortText, wholeNumber } from './text.ts';
import { all, first, parseXml, type XmlElement } from './xml-tree.ts';

/** What one document of libvirt says of a guest: its configuration, or its state while it runs (libvirt formatdomain). */
export interface GuestXml {
  readonly name: string;
  readonly memoryKiB?: number;
  readonly vcpus?: number;
  readonly pins: Readonly<Record<string, string>>;
  readonly nodeset?: string;
  readonly hugepages: boolean;
  readonly locked: boolean;
  readonly ballooning: boolean;
  readonly hostdevs: readonly { readonly address: string; readonly managed: boolean }[];
  readonly confinement?: string;
  /** Block devices below its disks. */
  readonly disks: readonly string[];
  /** Interfaces of the host that its networks are on: bridges, and the lower ones of macvtaps. */
  readonly interfaces: readonly string[];
}

/** Guests with more of something are not the work of libvirt. */
const PARTS_MAX = 1024;

/** A guest, or `undefined` when the text is none that vfleet can read whole. */
export function parseGuestXml(text: string): GuestXml | undefined {
  const root = parseXml(text);
  const domain = root?.name === 'domstatus' ? first(root, 'domain') : root;
  const name = shortText(first(domain, 'name')?.text);
  if (domain?.name !== 'domain' || name === undefined) return undefined;
  const hostdevs = hostdevsOf(domain);
  return hostdevs === undefined ? undefined : { name, hostdevs, ...settingsOf(domain) };
}

function settingsOf(domain: XmlElement): Omit<GuestXml, 'name' | 'hostdevs'> {
  return compact({
    memoryKiB: kibibytes(first(domain, 'memory')),
    vcpus: wholeNumber(first(domain, 'vcpu')?.text),
    pins: pinsOf(domain),
    nodeset: cpuSet(first(domain, 'numatune', 'memory')?.attributes['nodeset']),
    hugepages: first(domain, 'memoryBacking', 'hugepages') !== undefined,
    locked: first(domain, 'memoryBacking', 'locked') !== undefined,
    // libvirt gives every guest one that does not say `none`.
    ballooning: first(domain, 'devices', 'memballoon')?.attributes['model'] !== 'none',
    confinement: confinementOf(domain),
    disks: sources(domain, 'disk', ['dev', 'file']),
    interfaces: sources(domain, 'interface', ['bridge', 'dev']),
  });
}

/** What the sources of a kind of device name: the first of the attributes that each has. */
function sources(
  domain: XmlElement,
  kind: 'disk' | 'interface',
  names: readonly string[],
): readonly string[] {
  return all(domain, 'devices', kind, 'source')
    .slice(0, PARTS_MAX)
    .flatMap(({ attributes }) => {
      const name = names.find((it) => attributes[it] !== undefined);
      return shortText(name === undefined ? undefined : attributes[name]) ?? [];
    });
}

/**
 * PCI devices of `<hostdev>`, of `<interface type='hostdev'>`, of an interface that got a VF from a pool of libvirt
 * (`<actual type='hostdev'>` in the state of a running guest), and of `<disk type='nvme'>`; `undefined` when one of them cannot be told.
 */
function hostdevsOf(domain: XmlElement): GuestXml['hostdevs'] | undefined {
  const pci = [
    ...all(domain, 'devices', 'hostdev').filter(({ attributes }) => attributes['type'] === 'pci'),
    ...all(domain, 'devices', 'interface').filter(
      (element) => element.attributes['type'] === 'hostdev' || ownsFunction(element),
    ),
    ...all(domain, 'devices', 'disk').filter(ownsFunction),
  ];
  const found: { address: string; managed: boolean }[] = [];
  for (const element of pci) {
    const address = addressOf(sourceAddresses(element)[0]);
    if (address === undefined || found.length >= PARTS_MAX) return undefined;
    // `yes` is libvirt's default only where it is written out; absent means no.
    found.push({ address, managed: element.attributes['managed'] === 'yes' });
  }
  return found;
}

/** Of its source, also within `<actual>`, which the read script may leave out. */
const sourceAddresses = (element: XmlElement): readonly XmlElement[] => [
  ...all(element, 'source', 'address'),
  ...all(element, 'actual', 'source', 'address'),
];

const ownsFunction = (element: XmlElement): boolean =>
  sourceAddresses(element).some(({ attributes }) => attributes['slot'] !== undefined);

/** `domain='0x0000' bus='0x03' slot='0x10' function='0x0'`, also decimal; the domain may be left out. */
function addressOf(element: XmlElement | undefined): string | undefined {
  const part = (name: string, digits: number) => {
    const text = element?.attributes[name] ?? (name === 'domain' ? '0' : '');
    if (!/^(?:0x[0-9a-fA-F]{1,8}|\d{1,10})$/.test(text)) return undefined;
    return Number(text).toString(16).padStart(digits, '0');
  };
  const [pciDomain, bus, slot, fn] = [
    part('domain', 4),
    part('bus', 2),
    part('slot', 2),
    part('function', 1),
  ];
  const address = `${pciDomain ?? '?'}:${bus ?? '?'}:${slot ?? '?'}.${fn ?? '?'}`;
  return isPciAddress(address) ? address : undefined;
}

/** Bytes in a unit of libvirt: `KiB` when none is given. */
const UNITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    b: 1,
    bytes: 1,
    KB: 1e3,
    k: 1024,
    KiB: 1024,
    MB: 1e6,
    M: 1024 ** 2,
    MiB: 1024 ** 2,
    GB: 1e9,
    G: 1024 ** 3,
    GiB: 1024 ** 3,
    TB: 1e12,
    T: 1024 ** 4,
    TiB: 1024 ** 4,
  }),
);

function kibibytes(element: XmlElement | undefined): number | undefined {
  const value = wholeNumber(element?.text);
  const unit = UNITS.get(element?.attributes['unit'] ?? 'KiB');
  if (value === undefined || unit === undefined) return undefined;
  const size = Math.ceil((value * unit) / 1024);
  return Number.isSafeInteger(size) ? size : undefined;
}

function pinsOf(domain: XmlElement): Readonly<Record<string, string>> {
  const pins: [string, string][] = [];
  for (const { attributes } of all(domain, 'cputune', 'vcpupin').slice(0, PARTS_MAX)) {
    const [vcpu, cpus] = [attributes['vcpu'] ?? '', cpuSet(attributes['cpuset'])];
    if (/^\d{1,4}$/.test(vcpu) && cpus !== undefined) pins.push([vcpu, cpus]);
  }
  return Object.fromEntries(pins);
}

/** `0-3,^2`: a set of CPUs or nodes. */
function cpuSet(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9,^-]{1,300}$/.test(text) ? text : undefined;
}

/** The label of AppArmor or SELinux; libvirt writes one for file owners (`dac`) beside it. */
function confinementOf(domain: XmlElement): string | undefined {
  const label = all(domain, 'seclabel').find(
    ({ attributes }) => attributes['model'] === 'apparmor' || attributes['model'] === 'selinux',
  );
  return shortText(first(label, 'label')?.text);
}
