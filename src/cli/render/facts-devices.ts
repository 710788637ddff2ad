import type { DeviceFacts, IommuGroup, PciFunction } from '../../domain/device-facts.ts';
import { count } from './count.ts';
import { ranges } from './device-names.ts';
import { columns, wrapWords, type Style } from './style.ts';

/** How facts are shown. */
export interface FactsView {
  readonly style: Style;
  /** Columns of the terminal. */
  readonly width: number;
  /** Also bridges, the chipset, and each VF. */
  readonly all: boolean;
}

/** Devices as a table: a row for each function, and below it in words what the row has no room for. */
export function deviceLines(devices: DeviceFacts, view: FactsView): string[] {
  const { functions, unresolved } = devices;
  if (functions.length === 0) return [view.style.warn('DEVICES   no PCI function was read')];
  const groups = new Map(devices.groups.map((group) => [group.id, group]));
  const shown = functions.filter((it) => view.all || !isFolded(it, groups));
  const byAddress = new Map(functions.map((it) => [it.address, it]));
  const rows = columns([HEAD, ...shown.map((it) => rowOf(it))]);
  const lines = shown.flatMap((it, at) => {
    const words = detailsOf(it, { groups, byAddress, view }).join('; ').split(' ');
    return [
      rows[at + 1] ?? '',
      ...usesLines(it, view),
      ...wrapWords(words, view.width - 4).map((line) => `    ${view.style.faint(line)}`),
    ];
  });
  return [
    ...unresolved.flatMap(({ what }) => warning(`not traced to devices: ${what}`, view)),
    view.style.strong(rows[0] ?? ''),
    ...lines,
    ...foldedLines(functions, shown, view),
  ];
}

const HEAD = ['DEVICE', 'ID', 'DRIVER', 'GROUP', 'NUMA', 'LINK', 'VFS'];

function rowOf(it: PciFunction): string[] {
  const { address, vendor, device, driver, group, numaNode, sriov, vfIndex } = it;
  return [
    address,
    `${vendor}:${device}`,
    driver ?? 'none',
    group ?? '-',
    String(numaNode ?? '-'),
    linkText(it),
    sriov === undefined ? (vfIndex === undefined ? '' : `VF ${vfIndex}`) : vfCount(sriov),
  ];
}

const vfCount = ({ count: made, total }: { readonly count: number; readonly total: number }) =>
  `${made} of ${total}`;

function linkText(it: PciFunction): string {
  const { link } = it;
  if (link === undefined) return '';
  const text = [link.speed ?? 'no speed', ...(link.width === undefined ? [] : [`x${link.width}`])];
  return `${text.join(' ')}${isSlow(it) ? ' !' : ''}`;
}

/** A function, not a bridge, whose link runs below what the function can do. */
function isSlow({ link, class: kind }: PciFunction): boolean {
  if (link === undefined || kind.startsWith('06')) return false;
  const speed = (text: string | undefined) => Number.parseFloat(text ?? '0');
  const slower = link.speed !== undefined && speed(link.speed) < speed(link.maxSpeed);
  return slower || (link.width !== undefined && link.width < (link.maxWidth ?? 0));
}

/** What the host does with it: what nobody may overlook. */
function usesLines({ uses }: PciFunction, view: FactsView): string[] {
  if (uses.length === 0) return [];
  const words = `in use: ${uses.map(({ what }) => what).join(', ')}`.split(' ');
  return wrapWords(words, view.width - 4).map((line) => `    ${view.style.warn(line)}`);
}

interface Around {
  readonly groups: ReadonlyMap<string, IommuGroup>;
  readonly byAddress: ReadonlyMap<string, PciFunction>;
  readonly view: FactsView;
}

/** What it is called, and everything else worth a word. */
function detailsOf(it: PciFunction, around: Around): readonly string[] {
  return [
    it.names === undefined ? kindOf(it) : `${it.names.vendor} ${it.names.device}`,
    ...(it.subsystem === undefined ? [] : [`subsystem ${it.subsystem}`]),
    ...(it.revision === undefined ? [] : [`revision ${it.revision}`]),
    ...it.net,
    ...(it.physfn === undefined ? [] : [`of ${it.physfn}`]),
    ...groupNotes(it, around.groups),
    ...linkNotes(it),
    ...vfNotes(it, around),
    ...overrideNotes(it),
    ...resetNotes(it),
    ...(it.msix === undefined ? [] : [`${it.msix} MSI-X`]),
    ...(it.acs === undefined ? [] : [it.acs ? 'ACS isolates' : 'no ACS']),
    ...readingNotes(it),
  ];
}

/** Classes of what guests are given, for a host without pci.ids (its section `C`). */
const KINDS: Readonly<Record<string, string>> = {
  '0106': 'SATA controller',
  '0107': 'SAS controller',
  '0108': 'NVMe controller',
  '0200': 'Ethernet controller',
  '0207': 'InfiniBand controller',
  '0300': 'VGA controller',
  '0302': '3D controller',
  '0403': 'audio device',
  '0c03': 'USB controller',
};

const kindOf = (it: PciFunction) =>
  `${KINDS[it.class.slice(0, 4)] ?? 'device'} of class ${it.class}`;

const MEMBERS_SHOWN = 4;

function groupNotes({ address, group }: PciFunction, groups: Around['groups']): string[] {
  const found = groups.get(group ?? '');
  if (found === undefined) return [];
  const others = found.members.filter((member) => member !== address);
  const more = others.length > MEMBERS_SHOWN ? ` and ${others.length - MEMBERS_SHOWN} more` : '';
  return [
    ...(others.length === 0
      ? []
      : [`group ${found.id} with ${others.slice(0, MEMBERS_SHOWN).join(' ')}${more}`]),
    ...(found.rmrr ? ['reserved memory (RMRR): VFIO refuses it'] : []),
  ];
}

function linkNotes(it: PciFunction): string[] {
  const { link } = it;
  if (link === undefined || !isSlow(it)) return [];
  return [`link below its maximum of ${link.maxSpeed ?? 'unknown speed'} x${link.maxWidth ?? '?'}`];
}

/** VFs by driver: `VFs 0-3 vfio-pci, 4-6 igbvf`. */
function vfNotes({ sriov }: PciFunction, { byAddress, view }: Around): string[] {
  if (sriov === undefined || sriov.vfs.length === 0 || view.all) return [];
  const byDriver = new Map<string, number[]>();
  sriov.vfs.forEach((address, index) => {
    const driver = byAddress.get(address)?.driver ?? 'no driver';
    byDriver.set(driver, [...(byDriver.get(driver) ?? []), index]);
  });
  const parts = [...byDriver].map(([driver, indices]) => `${ranges(indices)} ${driver}`);
  return [`VFs ${parts.join(', ')}`];
}

function overrideNotes({ override, driver }: PciFunction): string[] {
  return override === null || override === driver ? [] : [`driver_override ${override}`];
}

function resetNotes({ resetMethods }: PciFunction): string[] {
  if (resetMethods === undefined) return [];
  return [resetMethods.length === 0 ? 'no reset' : `reset ${resetMethods.join(' ')}`];
}

function readingNotes({ aer, temperatures }: PciFunction): string[] {
  const errors = Object.entries(aer ?? {}).filter(([, value]) => value > 0);
  return [
    ...(errors.length === 0
      ? []
      : [`errors: ${errors.map(([name, value]) => `${value} ${name}`).join(', ')}`]),
    ...(temperatures ?? []).slice(0, 3).map(({ label, celsius, limit }) => {
      const of = limit === undefined ? '' : ` of ${Math.round(limit)}`;
      return `${label} ${Math.round(celsius)}${of} °C`;
    }),
  ];
}

/** Classes of the chipset, which guests are not given: memory, system peripherals, signal processing. */
const CHIPSET = /^(?:05|08|11)/;
const SMBUS = '0c05';

/** What is folded away unless asked for: bridges, idle parts of the chipset, and VFs about which there is nothing to say. */
function isFolded(it: PciFunction, groups: Around['groups']): boolean {
  if (it.uses.length > 0) return false;
  if (it.class.startsWith('06') || it.class.startsWith(SMBUS)) return true;
  if (it.physfn !== undefined) return (groups.get(it.group ?? '')?.members.length ?? 1) < 2;
  return it.driver === null && it.sriov === undefined && CHIPSET.test(it.class);
}

function foldedLines(
  functions: readonly PciFunction[],
  shown: readonly PciFunction[],
  view: FactsView,
): string[] {
  const visible = new Set(shown);
  const folded = functions.filter((it) => !visible.has(it));
  if (folded.length === 0) return [];
  const bridges = folded.filter((it) => it.class.startsWith('06')).length;
  const vfs = folded.filter((it) => it.physfn !== undefined).length;
  const rest = folded.length - bridges - vfs;
  const parts = [
    ...(bridges === 0 ? [] : [count(bridges, 'bridge')]),
    ...(vfs === 0 ? [] : [count(vfs, 'VF')]),
    ...(rest === 0 ? [] : [`${rest} of the chipset`]),
  ];
  return [`Not listed: ${parts.join(', ')}.   All of them:   ${view.style.command('--all')}`];
}

/** A line that nobody may overlook, wrapped. */
export function warning(text: string, view: FactsView): string[] {
  return wrapWords(text.split(' '), view.width - 10).map(
    (line, at) => `${at === 0 ? view.style.warn('WARNING   ') : ' '.repeat(10)}${line}`,
  );
}
