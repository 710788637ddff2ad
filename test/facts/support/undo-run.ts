import type { AttachChange, BindChange, Change, VfsChange } from '../../../src/domain/changes.ts';
import {
  MODPROBE_PATH,
  rulePath,
  scriptPath,
  TMPFILES_PATH,
} from '../../../src/domain/own-files.ts';
import { guestCopyPath } from '../../../src/facts/guest-files.ts';
import { CONFIG, GPU, GUEST, guestXml, LIVE, PF, VF_0 } from './undo-host.ts';
import type { UndoHost } from './undo-host.ts';

const ALIAS = 'pci:v000010DEd00002204';
const PAGES_PATH = '/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages';
export const device = (address: string, file: string) => `/sys/bus/pci/devices/${address}/${file}`;
export const CONTROLLER = "    <controller type='pci' index='7' model='pcie-root-port'/>\n";
const made = (path: string, after: string) => ({ path, before: null, after });

const MODULES: Change = {
  kind: 'modules',
  files: [made(MODPROBE_PATH, 'options vfio-pci disable_idle_d3=1\n')],
  initramfs: true,
};
const PAGES: Change = {
  kind: 'hugepages',
  pages: [{ sizeKiB: 2048, node: 0, before: 0, after: 64 }],
  file: made(TMPFILES_PATH, 'w /x - - - - 64\n'),
};
export const VFS: VfsChange = {
  kind: 'vfs',
  pf: PF,
  netdev: 'ens1',
  before: { count: 0, autoprobe: true, mtu: 1500, vfs: [] },
  after: {
    count: 2,
    autoprobe: true,
    mtu: 9000,
    vfs: [
      { driver: 'vfio-pci', override: 'vfio-pci', vlan: 100 },
      { driver: 'native', override: null },
    ],
  },
  files: [made(rulePath(PF), '# VFs\n'), made(scriptPath(PF), '#!/bin/sh\n')],
};
const BIND: BindChange = {
  kind: 'bind',
  address: GPU,
  modalias: ALIAS,
  before: { driver: 'nouveau', override: null },
  after: { driver: 'vfio-pci', override: 'vfio-pci' },
  by: 'override',
  files: [made(rulePath(GPU), "# it's bound\n")],
};
const ATTACH: AttachChange = {
  kind: 'attach',
  domain: GUEST,
  devices: [{ address: GPU }, { pf: PF, vf: 0 }],
  managed: false,
  confined: 'recorded',
  pins: { before: {}, after: { '0': '2-3' }, all: '0-7' },
};
export const COPY = guestCopyPath(ATTACH);
export const ALL = [MODULES, PAGES, VFS, BIND, ATTACH];

/** The driver of a function, through an override. */
export const bindTo = (host: UndoHost, address: string, driver: string): void => {
  host.poke(device(address, 'driver_override'), driver);
  if (host.get(device(address, 'driver')) !== undefined)
    host.poke(device(address, 'driver/unbind'), address);
  host.poke('/sys/bus/pci/drivers_probe', address);
};

/** What the steps of a run do, one write after the other. */
export const STEPS: readonly (readonly [string, (host: UndoHost) => void])[] = [
  ['the note of the boot', (host) => host.put('/var/lib/vfleet/modules-boot', 'applied=boot-0\n')],
  ['modprobe.d', (host) => host.put(MODPROBE_PATH, 'options vfio-pci disable_idle_d3=1\n')],
  ['the initramfs', (host) => host.updateInitramfs()],
  ['the pages', (host) => host.poke(PAGES_PATH, '64')],
  ['fewer pages than asked', (host) => host.poke(PAGES_PATH, '40')],
  ['tmpfiles.d', (host) => host.put(TMPFILES_PATH, 'w /x - - - - 64\n')],
  ['autoprobe off', (host) => host.poke(device(PF, 'sriov_drivers_autoprobe'), '0')],
  ['the VFs', (host) => host.poke(device(PF, 'sriov_numvfs'), '2')],
  ['the MTU', (host) => host.put(device(PF, 'net/ens1/mtu'), '9000\n')],
  ['the override of a VF', (host) => host.poke(device(VF_0, 'driver_override'), 'vfio-pci')],
  ['the driver of a VF', (host) => host.poke('/sys/bus/pci/drivers_probe', VF_0)],
  ['autoprobe on', (host) => host.poke(device(PF, 'sriov_drivers_autoprobe'), '1')],
  ['the driver of the other', (host) => host.poke('/sys/bus/pci/drivers_probe', '0000:3b:02.1')],
  ['the script', (host) => host.put(scriptPath(PF), '#!/bin/sh\n')],
  ['the rule', (host) => host.put(rulePath(PF), '# VFs\n')],
  ['the override', (host) => host.poke(device(GPU, 'driver_override'), 'vfio-pci')],
  ['no driver', (host) => host.poke(device(GPU, 'driver/unbind'), GPU)],
  ['the driver', (host) => host.poke('/sys/bus/pci/drivers_probe', GPU)],
  ['the rule of the driver', (host) => host.put(rulePath(GPU), "# it's bound\n")],
  ['an initramfs that somebody made', (host) => host.updateInitramfs()],
  ['the copy of the guest', (host) => host.put(COPY, host.get(CONFIG) ?? '', 0o600)],
  ['a live device', (host) => host.put(LIVE, guestXml([GPU]), 0o600)],
  ['a device in the configuration', (host) => host.put(CONFIG, guestXml([GPU]), 0o600)],
  ['both live', (host) => host.put(LIVE, guestXml([GPU, VF_0]), 0o600)],
  ['both', (host) => host.put(CONFIG, guestXml([GPU, VF_0], CONTROLLER), 0o600)],
  ['a pin', (host) => host.put(CONFIG, guestXml([GPU, VF_0], CONTROLLER, '2-3'), 0o600)],
];

/** Does the first of them, all by default, and gives the tree from before. */
export function applied(host: UndoHost, steps = STEPS.length): Readonly<Record<string, string>> {
  const before = host.tree();
  for (const [, step] of STEPS.slice(0, steps)) step(host);
  host.said();
  return before;
}

/** All that comes before guests. */
export const BEFORE_GUESTS = STEPS.findIndex(([name]) => name === 'the copy of the guest');

export const UNDONE = { code: 0, stderr: '' };
