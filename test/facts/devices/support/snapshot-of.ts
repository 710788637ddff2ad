import { fileURLToPath } from 'node:url';
import { loadCapture } from '../../../../src/facts/capture.ts';
import type { QueryName, Snapshot } from '../../../../src/facts/snapshot.ts';

/** What a host holds, in the kernel's own formats. */
export interface Holds {
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly dirs?: Readonly<Record<string, readonly string[]>>;
  readonly queries?: Partial<Readonly<Record<QueryName, string>>>;
}

/** A snapshot of it; several parts are laid over each other. */
export function snapshotOf(...parts: readonly Holds[]): Snapshot {
  const all = <T>(pick: (part: Holds) => Readonly<Record<string, T>> | undefined) =>
    parts.flatMap((part) => Object.entries(pick(part) ?? {}));
  return {
    files: new Map(all((it) => it.files).map(([path, text]) => [path, Buffer.from(text)])),
    links: new Map(all((it) => it.links)),
    dirs: new Map(all((it) => it.dirs)),
    queries: new Map(
      all((it) => it.queries as Record<string, string> | undefined).map(([name, output]) => [
        name as QueryName,
        { code: 0, output },
      ]),
    ),
  };
}

/** A function on the PCI bus below the root port 0000:00:01.0; `attributes` over those of a plain endpoint. */
export function pci(
  address: string,
  attributes: Readonly<Record<string, string>> = {},
  links: Readonly<Record<string, string>> = {},
): Holds {
  const folder = `/sys/bus/pci/devices/${address}`;
  const files = { vendor: '0x8086', device: '0x1572', class: '0x020000', ...attributes };
  return {
    files: Object.fromEntries(
      Object.entries(files).map(([name, value]) => [`${folder}/${name}`, `${value}\n`]),
    ),
    links: {
      [folder]: `../../../devices/pci0000:00/0000:00:01.0/${address}`,
      ...Object.fromEntries(
        Object.entries(links).map(([name, target]) => [`${folder}/${name}`, target]),
      ),
    },
  };
}

/** A block device; `place` below /sys/devices. */
export function block(name: string, place: string, number: string, slaves?: string[]): Holds {
  const folder = `/sys/class/block/${name}`;
  return {
    files: { [`${folder}/dev`]: `${number}\n` },
    links: { [folder]: `../../devices/${place}` },
    ...(slaves && { dirs: { [`${folder}/slaves`]: slaves } }),
  };
}

/** A disk of the NVMe controller at an address. */
export const nvme = (name: string, address: string, number: string): Holds =>
  block(name, `pci0000:00/0000:00:01.0/${address}/nvme/${name.slice(0, -2)}/${name}`, number, []);

export const dm = (name: string, mapping: string, number: string, slaves: string[]): Holds => {
  const device = block(name, `virtual/block/${name}`, number, slaves);
  const file = { [`/sys/class/block/${name}/dm/name`]: `${mapping}\n` };
  return { ...device, files: { ...device.files, ...file } };
};

/** A network interface of a function; without one, a virtual one over others. */
export function net(
  name: string,
  address: string | undefined,
  lower: readonly string[] = [],
): Holds {
  const folder = `/sys/class/net/${name}`;
  const place =
    address === undefined
      ? `virtual/net/${name}`
      : `pci0000:00/0000:00:01.0/${address}/net/${name}`;
  return {
    links: {
      [folder]: `../../devices/${place}`,
      ...Object.fromEntries(lower.map((it) => [`${folder}/lower_${it}`, `../${it}`])),
    },
  };
}

/** Addresses of interfaces as `ip -j address show` has them. */
export const addresses = (owners: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    Object.entries(owners).map(([local, ifname]) => ({
      ifname,
      addr_info: [{ family: local.includes(':') ? 'inet6' : 'inet', local, scope: 'global' }],
    })),
  );

/** Mounts in lines of mountinfo: `MAJ:MIN POINT TYPE SOURCE [OPTIONS]`. */
export const mounts = (...rows: readonly string[]): string =>
  rows
    .map((row, at) => {
      const [number, point, type, source, options = 'rw'] = row.split(' ');
      return `${at + 20} 1 ${number!} / ${point!} rw,relatime shared:1 - ${type!} ${source!} ${options}`;
    })
    .join('\n');

/** A host whose routes and SSH connection lead to nothing but the loopback: no network card is critical. */
export const NO_NETWORK: Holds = {
  links: { '/sys/class/net/lo': '../../devices/virtual/net/lo' },
  queries: {
    'ssh-connection': '127.0.0.1 1 127.0.0.1 22',
    'ssh-route': '[{"dst":"127.0.0.1","dev":"lo","flags":[]}]',
    'ip-addresses': '[{"ifname":"lo","addr_info":[{"local":"127.0.0.1","scope":"host"}]}]',
    'default-routes': '[]\n[]',
  },
};

/** A host whose root file system lies in memory: no disk is critical. */
export const NO_DISK: Holds = { queries: { mounts: mounts('0:1 / tmpfs none') } };

/** A capture in test/fixtures. */
export const captured = (name: string): Promise<Snapshot> =>
  loadCapture(fileURLToPath(new URL(`../../../fixtures/captures/${name}`, import.meta.url)));
