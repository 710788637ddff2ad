import type { Node } from '../file-tree.ts';
import { folder, line, link } from '../virtual-files.ts';
import type { PciFunction } from './pci-function.ts';

/** What a driver makes below its function: interfaces, disks, sensors. */
export interface DeviceBelow {
  readonly names: readonly string[];
  node(rest: string): Node | undefined;
}

const NOTHING: DeviceBelow = { names: [], node: () => undefined };

/** Nothing while no driver of the host's own is bound. */
export function deviceBelow(fn: PciFunction): DeviceBelow {
  if (fn.driver === null || fn.driver === 'vfio-pci') return NOTHING;
  if (fn.net !== undefined) return interfaceBelow(fn);
  return fn.spec.disk === undefined ? NOTHING : diskBelow(fn);
}

function interfaceBelow(fn: PciFunction): DeviceBelow {
  const name = fn.netdev ?? '';
  const sensor = fn.spec.temperature === undefined ? [] : ['hwmon'];
  return {
    names: ['net', ...sensor],
    node: (rest) => {
      if (rest === 'net') return folder(() => [name]);
      if (rest === `net/${name}`) return folder(() => INTERFACE_FILES.keys());
      if (rest.startsWith('hwmon')) return sensorFile(fn, rest, 'hwmon');
      const file = rest.startsWith(`net/${name}/`) ? rest.slice(name.length + 5) : '';
      return INTERFACE_FILES.get(file)?.(fn);
    },
  };
}

const INTERFACE_FILES = new Map<string, (fn: PciFunction) => Node>([
  ['address', ({ spec }) => line(spec.net?.mac ?? '')],
  ['device', ({ address }) => ({ kind: 'link', target: `../../../${address}` })],
  ['mtu', ({ net }) => line(String(net?.mtu ?? 1500), 0o644)],
  ['operstate', ({ net }) => line(net?.up === true ? 'up' : 'down')],
  ['subsystem', (fn) => link(`${fn.folder}/net/${fn.netdev ?? ''}`, '/sys/class/net')],
  ['type', () => line('1')],
]);

function diskBelow(fn: PciFunction): DeviceBelow {
  const { controller = '', numbers = {} } = fn.spec.disk ?? {};
  const [disk = '', ...parts] = Object.keys(numbers);
  const top = `nvme/${controller}`;
  const folders: Readonly<Record<string, readonly string[]>> = {
    nvme: [controller],
    [top]: [disk, ...(fn.spec.temperature === undefined ? [] : ['hwmon0'])],
    [`${top}/${disk}`]: ['dev', 'slaves', ...parts],
    [`${top}/${disk}/slaves`]: [],
    ...Object.fromEntries(parts.map((part) => [`${top}/${disk}/${part}`, ['dev', 'partition']])),
  };
  return {
    names: ['nvme'],
    node: (rest) => {
      const names = folders[rest];
      if (names !== undefined) return folder(() => names);
      if (rest.startsWith(`${top}/hwmon0`)) return sensorFile(fn, rest, `${top}/hwmon0`);
      const [name = '', attribute] = rest.split('/').slice(-2);
      if (attribute === 'dev' && numbers[name] !== undefined) return line(numbers[name]);
      return attribute === 'partition' && parts.includes(name)
        ? line(String(parts.indexOf(name) + 1))
        : undefined;
    },
  };
}

/** Where the block devices of a function lie, by name. */
export function disksOf(fn: PciFunction): ReadonlyMap<string, string> {
  const { disk } = fn.spec;
  if (disk === undefined || fn.driver !== 'nvme') return new Map();
  const [whole = '', ...parts] = Object.keys(disk.numbers);
  const folder = `${fn.folder}/nvme/${disk.controller}/${whole}`;
  return new Map([[whole, folder], ...parts.map((part) => [part, `${folder}/${part}`] as const)]);
}

/** A sensor's folder: `hwmon/hwmonN` for most drivers, `hwmonN` of its controller for nvme (lab). */
function sensorFile(fn: PciFunction, rest: string, at: string): Node | undefined {
  const sensor = fn.spec.temperature;
  if (sensor === undefined) return undefined;
  const chip = at === 'hwmon' ? 'hwmon/hwmon1' : at;
  if (rest === 'hwmon') return folder(() => ['hwmon1']);
  const files: Readonly<Record<string, string>> = {
    name: fn.driver ?? '',
    temp1_crit: String(sensor.critical),
    temp1_input: String(fn.heat ?? sensor.value),
    temp1_label: sensor.label,
  };
  if (rest === chip) return folder(() => Object.keys(files));
  const value = files[rest.slice(chip.length + 1)];
  return value === undefined ? undefined : line(value);
}
