import { seededUuid } from '../random.ts';

/** A libvirt guest as a host is made with it; most options may be left out. */
export interface GuestSpec {
  readonly name: string;
  /** Running unless told otherwise. */
  readonly running?: boolean;
  /** A transient guest has no configuration. */
  readonly persistent?: boolean;
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  /** CPU sets by vCPU. */
  readonly pins?: Readonly<Record<string, string>>;
  readonly hugepages?: boolean;
  readonly locked?: boolean;
  readonly ballooning?: boolean;
  /** AppArmor, as Debian and Ubuntu have it, unless told otherwise. */
  readonly confined?: boolean;
  /** PCI devices in its configuration, and live while it runs; not managed unless told so. */
  readonly hostdevs?: readonly { readonly address: string; readonly managed?: boolean }[];
  /** Empty root ports for devices to come: 3 unless told otherwise. */
  readonly ports?: number;
  /** Of its VNC server: what must never leave the host. */
  readonly password?: string;
  readonly autostart?: boolean;
}

export const CONFIG_FOLDER = '/etc/libvirt/qemu';
export const LIVE_FOLDER = '/run/libvirt/qemu';
export const configPath = (name: string): string => `${CONFIG_FOLDER}/${name}.xml`;
export const livePath = (name: string): string => `${LIVE_FOLDER}/${name}.xml`;

/** The comment that libvirt puts in front of each configuration. */
export const headerOf = (name: string): string => `<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE
OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:
  virsh edit ${name}
or other application using the libvirt API.
-->

`;

/** The configuration of a guest, formatted as libvirt 9.0 does (lab), without its devices of the host. */
export function domainText(spec: GuestSpec, seed: string): string {
  const kiB = (spec.memoryMiB ?? 8192) * 1024;
  return [
    `<domain type='kvm'>`,
    `  <name>${spec.name}</name>`,
    `  <uuid>${seededUuid(seed, 'guest', spec.name)}</uuid>`,
    `  <memory unit='KiB'>${kiB}</memory>`,
    `  <currentMemory unit='KiB'>${kiB}</currentMemory>`,
    ...backing(spec),
    `  <vcpu placement='static'>${spec.vcpus ?? 4}</vcpu>`,
    ...pinLines(spec.pins ?? {}),
    `  <os>`,
    `    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>`,
    `    <boot dev='hd'/>`,
    `  </os>`,
    `  <features>`,
    `    <acpi/>`,
    `  </features>`,
    `  <on_poweroff>destroy</on_poweroff>`,
    `  <on_reboot>restart</on_reboot>`,
    `  <on_crash>destroy</on_crash>`,
    `  <devices>`,
    `    <emulator>/usr/bin/qemu-system-x86_64</emulator>`,
    `    <controller type='pci' index='0' model='pcie-root'/>`,
    ...Array.from({ length: spec.ports ?? 3 }, (_, at) => portText(at + 1)),
    ...(spec.password === undefined
      ? []
      : [`    <graphics type='vnc' port='-1' autoport='yes' passwd='${spec.password}'/>`]),
    `    <audio id='1' type='none'/>`,
    `    <memballoon model='${spec.ballooning === true ? 'virtio' : 'none'}'/>`,
    `  </devices>`,
    `</domain>`,
    '',
  ].join('\n');
}

function backing({ hugepages, locked }: GuestSpec): readonly string[] {
  if (hugepages !== true && locked !== true) return [];
  return [
    '  <memoryBacking>',
    ...(hugepages === true ? ['    <hugepages/>'] : []),
    ...(locked === true ? ['    <locked/>'] : []),
    '  </memoryBacking>',
  ];
}

function pinLines(pins: Readonly<Record<string, string>>): readonly string[] {
  const lines = Object.entries(pins).map(([vcpu, cpus]) => pinText(vcpu, cpus));
  return lines.length === 0 ? [] : ['  <cputune>', ...lines, '  </cputune>'];
}

export const pinText = (vcpu: string, cpus: string): string =>
  `    <vcpupin vcpu='${vcpu}' cpuset='${cpus}'/>`;

/** A root port as libvirt numbers and places it. */
export function portText(index: number): string {
  const [slot, fn] = [1 + ((index - 1) >> 3), (index - 1) & 7];
  const shared = fn === 0 ? ` multifunction='on'` : '';
  return [
    `    <controller type='pci' index='${index}' model='pcie-root-port'>`,
    `      <model name='pcie-root-port'/>`,
    `      <target chassis='${index}' port='0x${(7 + index).toString(16)}'/>`,
    `      <address type='pci' domain='0x0000' bus='0x00' slot='0x0${slot}' function='0x${fn}'${shared}/>`,
    `    </controller>`,
  ].join('\n');
}

/** What libvirt keeps of a guest that runs: its own state around the configuration, and how it is confined. */
export function statusText(config: string, id: number, confined: boolean): string {
  const uuid = /<uuid>(.*)<\/uuid>/.exec(config)?.[1] ?? '';
  const label = confined
    ? [
        `  <seclabel type='dynamic' model='apparmor' relabel='yes'>`,
        `    <label>libvirt-${uuid}</label>`,
        `    <imagelabel>libvirt-${uuid}</imagelabel>`,
        `  </seclabel>`,
      ]
    : [];
  const owner = [
    `  <seclabel type='dynamic' model='dac' relabel='yes'>`,
    `    <label>+64055:+64055</label>`,
    `    <imagelabel>+64055:+64055</imagelabel>`,
    `  </seclabel>`,
    `</domain>`,
  ];
  const domain = config
    .replace(/^<domain type='(\w+)'>/m, `<domain type='$1' id='${id}'>`)
    .replace(/<\/domain>\n?$/, [...label, ...owner].join('\n'));
  const indented = domain.replace(/^(?=.)/gm, '  ');
  return `<domstatus state='running' reason='booted' pid='${4000 + id}'>\n${indented}\n</domstatus>\n`;
}

/** The domain in a guest's live document, as dumpxml prints it. */
export function domainOfStatus(text: string): string {
  const start = text.indexOf('<domain ');
  const end = text.lastIndexOf('</domain>');
  return `${text.slice(start, end)}</domain>\n`.replace(/^ {2}/gm, '');
}
