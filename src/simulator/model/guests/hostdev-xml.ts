import { portText, pinText } from './guest-text.ts';

/** A PCI device in a guest's document. */
export interface Hostdev {
  readonly address: string;
  readonly managed: boolean;
  /** The whole element as it stands there, with its newline. */
  readonly text: string;
}

const ELEMENT = /^ *<hostdev [^>]*type='pci'[^>]*>[\s\S]*?<\/hostdev>\n/gm;
const SOURCE =
  /<source>\s*<address domain=["']0x([0-9a-f]+)["'] bus=["']0x([0-9a-f]+)["'] slot=["']0x([0-9a-f]+)["'] function=["']0x([0-7])["']\s*\/>\s*<\/source>/i;

/** PCI devices of a document of a guest, in order. */
export function hostdevsIn(xml: string): readonly Hostdev[] {
  return [...xml.matchAll(ELEMENT)].flatMap(([text]) => {
    const address = sourceAddress(text);
    return address === undefined
      ? []
      : [{ address, text, managed: /managed=["']yes["']/.test(text) }];
  });
}

/** The device that a file for attach-device names, or `undefined` when it names none that the model can read. */
export function parseDeviceFile(
  text: string,
): { readonly address: string; readonly managed: boolean } | undefined {
  const address = sourceAddress(text);
  if (address === undefined || !/<hostdev\s/.test(text)) return undefined;
  return { address, managed: /managed=["']yes["']/.test(text) };
}

function sourceAddress(text: string): string | undefined {
  const [, domain = '', bus = '', slot = '', fn = ''] = SOURCE.exec(text) ?? [];
  if (fn === '') return undefined;
  return `${domain.padStart(4, '0')}:${bus.padStart(2, '0')}:${slot.padStart(2, '0')}.${fn}`.toLowerCase();
}

/**
 * Adds a device in the order of libvirt's format: in front of what comes after devices of the host. `undefined`: there is no
 * empty root port; a configuration then gets a new one, which stays when the device is detached (lab).
 */
export function addHostdev(
  xml: string,
  device: { readonly address: string; readonly managed: boolean; readonly live: boolean },
): string | undefined {
  const free = freePort(xml);
  if (free !== undefined) return insert(xml, hostdevText(device, free, xml));
  if (device.live) return undefined;
  const ports = indices(xml);
  const index = Math.max(0, ...ports) + 1;
  const pad = /^( *)<controller type='pci'/m.exec(xml)?.[1]?.length ?? 4;
  const port = `${portText(index)}\n`.replace(/^ {4}/gm, ' '.repeat(pad));
  const at = lastController(xml);
  const wider = xml.slice(0, at) + port + xml.slice(at);
  return insert(wider, hostdevText(device, index, wider));
}

/** Takes a device out. */
export function removeHostdev(xml: string, address: string): string {
  const found = hostdevsIn(xml).find((it) => it.address === address);
  return found === undefined ? xml : xml.replace(found.text, () => '');
}

function hostdevText(
  { address, managed, live }: { address: string; managed: boolean; live: boolean },
  port: number,
  xml: string,
): string {
  const [domain, bus, slot, fn] = address.split(/[:.]/);
  const pad = ' '.repeat(/^( *)<emulator>/m.exec(xml)?.[1]?.length ?? 4);
  const hex = port.toString(16).padStart(2, '0');
  return [
    `<hostdev mode='subsystem' type='pci' managed='${managed ? 'yes' : 'no'}'>`,
    ...(live ? [`  <driver name='vfio'/>`] : []),
    `  <source>`,
    `    <address domain='0x${domain}' bus='0x${bus}' slot='0x${slot}' function='0x${fn}'/>`,
    `  </source>`,
    ...(live ? [`  <alias name='hostdev${hostdevsIn(xml).length}'/>`] : []),
    `  <address type='pci' domain='0x0000' bus='0x${hex}' slot='0x00' function='0x0'/>`,
    `</hostdev>`,
    '',
  ]
    .map((line) => (line === '' ? '' : pad + line))
    .join('\n');
}

/** What libvirt formats behind devices of the host (virDomainDefFormatInternal). */
const BEHIND =
  /^ *<(redirdev|hub|watchdog|memballoon|rng|nvram|panic|shmem|iommu|vsock)[ >/]|^ *<\/devices>/m;

function insert(xml: string, text: string): string {
  const at = BEHIND.exec(xml)?.index ?? xml.length;
  return xml.slice(0, at) + text + xml.slice(at);
}

function indices(xml: string): readonly number[] {
  return [...xml.matchAll(/<controller type='pci' index='(\d+)' model='pcie-root-port'/g)].map(
    ([, index]) => Number(index),
  );
}

function freePort(xml: string): number | undefined {
  const used = new Set(
    [...xml.matchAll(/<address type='pci' domain='0x0000' bus='0x([0-9a-f]+)'/g)].map(([, bus]) =>
      parseInt(bus ?? '0', 16),
    ),
  );
  return indices(xml).find((index) => !used.has(index));
}

function lastController(xml: string): number {
  const all = [
    ...xml.matchAll(/^ *<controller type='pci'[^>]*(?:\/>|>[\s\S]*?<\/controller>)\n/gm),
  ];
  const last = all.at(-1);
  return last === undefined ? xml.length : last.index + last[0].length;
}

/** Pins one vCPU, in a `cputune` of its own when there is none. */
export function setPin(xml: string, vcpu: string, cpus: string): string {
  const line = pinText(vcpu, cpus).trim();
  const known = new RegExp(`<vcpupin vcpu='${vcpu}' cpuset='[^']*'/>`);
  if (known.test(xml)) return xml.replace(known, line);
  const pad = /^( *)<vcpu[ >]/m.exec(xml)?.[1] ?? '';
  if (xml.includes('</cputune>')) {
    const others = [...xml.matchAll(/^ *<vcpupin vcpu='(\d+)'.*\n/gm)];
    const next = others.find(([, other]) => Number(other) > Number(vcpu));
    const at = next?.index ?? xml.search(/^ *<\/cputune>/m);
    return `${xml.slice(0, at)}${pad}  ${line}\n${xml.slice(at)}`;
  }
  const block = `${pad}<cputune>\n${pad}  ${line}\n${pad}</cputune>\n`;
  return xml.replace(/^( *<vcpu[ >].*<\/vcpu>\n)/m, (vcpuLine) => vcpuLine + block);
}
