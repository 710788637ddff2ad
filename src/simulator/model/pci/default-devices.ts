import type { CpuVendor } from '../machine.ts';
import type { PciSpec } from './pci-spec.ts';

const GEN4 = { speed: '16.0 GT/s PCIe', width: 16 };
const GEN3 = { speed: '8.0 GT/s PCIe', width: 8 };

/** A root port and what is below it. */
function port(slot: string, cpu: CpuVendor, below: readonly PciSpec[]): readonly PciSpec[] {
  const address = `0000:00:${slot}.0`;
  const ids =
    cpu === 'intel' ? { vendor: '8086', device: '347a' } : { vendor: '1022', device: '1483' };
  const bridge: PciSpec = {
    address,
    ...ids,
    class: '060400',
    numaNode: below[0]?.numaNode ?? 0,
    driver: 'pcieport',
    bridge: 'root',
    aer: true,
    link: GEN4,
  };
  return [bridge, ...below.map((spec) => ({ ...spec, below: address }))];
}

const ROOT_DISK: PciSpec = {
  address: '0000:01:00.0',
  vendor: '144d',
  device: 'a824',
  subsystem: '144d:a801',
  class: '010802',
  numaNode: 0,
  driver: 'nvme',
  aer: true,
  link: { speed: '16.0 GT/s PCIe', width: 4 },
  resets: ['flr', 'bus'],
  msix: 33,
  disk: {
    controller: 'nvme0',
    numbers: { nvme0n1: '259:0', nvme0n1p1: '259:1', nvme0n1p2: '259:2' },
  },
  temperature: { label: 'Composite', value: 36_850, critical: 84_850 },
};

/** The two ports over which the host is managed. */
const MANAGEMENT: readonly PciSpec[] = [0, 1].map((fn) => ({
  address: `0000:03:00.${fn}`,
  vendor: '8086',
  device: '1572',
  subsystem: '8086:0007',
  revision: '02',
  class: '020000',
  numaNode: 0,
  driver: 'i40e',
  aer: true,
  link: GEN3,
  resets: ['flr', 'pm'],
  msix: 65,
  sriov: { total: 64, offset: 16 + fn * 63, stride: 1, device: '154c', driver: 'iavf' },
  net: { name: `enp3s0f${fn}`, mac: `3c:fd:fe:00:03:0${fn}` },
}));

const CONSOLE: PciSpec = {
  address: '0000:05:00.0',
  vendor: '1a03',
  device: '2000',
  subsystem: '1a03:2000',
  revision: '41',
  class: '030000',
  numaNode: 0,
  driver: 'ast',
  bootVga: true,
};

/** An SR-IOV card with two ports, free for guests. */
const SRIOV_CARD: readonly PciSpec[] = [0, 1].map((fn) => ({
  address: `0000:3b:00.${fn}`,
  vendor: '8086',
  device: '1592',
  subsystem: '8086:0002',
  revision: '02',
  class: '020000',
  numaNode: 0,
  driver: 'ice',
  aer: true,
  link: GEN4,
  resets: ['flr', 'bus'],
  msix: 129,
  sriov: { total: 64, offset: 16 + fn * 63, stride: 1, device: '1889', driver: 'iavf' },
  net: { name: `enp59s0f${fn}`, mac: `b4:96:91:00:3b:0${fn}` },
  temperature: { label: 'temp1', value: 52_000, critical: 105_000 },
}));

/** A disk that nobody has mounted. */
const DATA_DISK: PciSpec = {
  ...ROOT_DISK,
  address: '0000:5e:00.0',
  numaNode: 1,
  sriov: {
    total: 32,
    offset: 1,
    stride: 1,
    device: 'a824',
    driver: 'nvme',
    keepsVfs: true,
    offlineVfs: true,
  },
  disk: { controller: 'nvme1', numbers: { nvme1n1: '259:3' } },
};

/** A graphics card with its audio function, in one IOMMU group as no ACS parts them. */
const GPU: readonly PciSpec[] = [
  {
    address: '0000:65:00.0',
    vendor: '10de',
    device: '2204',
    subsystem: '10de:1454',
    revision: 'a1',
    class: '030000',
    numaNode: 1,
    driver: 'nouveau',
    aer: true,
    link: GEN4,
    resets: ['bus'],
    group: 'gpu',
  },
  {
    address: '0000:65:00.1',
    vendor: '10de',
    device: '1aef',
    subsystem: '10de:1454',
    revision: 'a1',
    class: '040300',
    numaNode: 1,
    driver: 'snd_hda_intel',
    aer: true,
    link: GEN4,
    resets: ['bus'],
    group: 'gpu',
  },
];

const CHIPSET: Readonly<Record<CpuVendor, readonly PciSpec[]>> = {
  intel: [
    { address: '0000:00:00.0', vendor: '8086', device: '09a2', class: '088000', numaNode: 0 },
    {
      address: '0000:00:1f.0',
      vendor: '8086',
      device: 'a1c8',
      class: '060100',
      numaNode: 0,
      driver: 'lpc_ich',
      group: 'chipset',
    },
    {
      address: '0000:00:1f.4',
      vendor: '8086',
      device: 'a1a3',
      class: '0c0500',
      numaNode: 0,
      driver: 'i801_smbus',
      group: 'chipset',
    },
  ],
  amd: [
    { address: '0000:00:00.0', vendor: '1022', device: '1480', class: '060000', numaNode: 0 },
    {
      address: '0000:00:14.0',
      vendor: '1022',
      device: '790b',
      class: '0c0500',
      numaNode: 0,
      driver: 'piix4_smbus',
      group: 'chipset',
    },
    {
      address: '0000:00:14.3',
      vendor: '1022',
      device: '790e',
      class: '060100',
      numaNode: 0,
      group: 'chipset',
    },
  ],
};

const make = (cpu: CpuVendor): readonly PciSpec[] => [
  ...CHIPSET[cpu],
  ...port('01', cpu, [ROOT_DISK]),
  ...port('02', cpu, MANAGEMENT),
  ...port('03', cpu, [CONSOLE]),
  ...port('04', cpu, SRIOV_CARD),
  ...port('05', cpu, [DATA_DISK]),
  ...port('06', cpu, GPU),
];

/**
 * The functions of a two-socket server: a root disk, a management card, an SR-IOV card, a free disk, a graphics card with
 * its audio function. Made once: hosts share them.
 */
export const DEFAULT_DEVICES: Readonly<Record<CpuVendor, readonly PciSpec[]>> = {
  intel: make('intel'),
  amd: make('amd'),
};

/** The interface of the first network card: the model's management network is there. */
export function uplinkOf(specs: readonly PciSpec[]): string {
  const cards = specs.filter(({ net }) => net !== undefined);
  const first = [...cards].sort((a, b) => (a.address < b.address ? -1 : 1))[0];
  return first?.net?.name ?? '';
}

/** So many network functions more, sixteen below each bridge: for hosts with hundreds of functions. */
export function manyFunctions(count: number): readonly PciSpec[] {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  const specs: PciSpec[] = [];
  for (let bus = 0x80; specs.length < count; bus += 1) {
    const address = `0000:00:${hex(8 + ((bus - 0x80) >> 3))}.${(bus - 0x80) & 7}`;
    specs.push({
      address,
      vendor: '8086',
      device: '347c',
      class: '060400',
      numaNode: 0,
      driver: 'pcieport',
      bridge: 'root',
    });
    for (let at = 0; at < 16 && specs.length < count; at += 1) {
      specs.push({
        address: `0000:${hex(bus)}:${hex(at >> 3)}.${at & 7}`,
        below: address,
        vendor: '8086',
        device: '10c9',
        subsystem: '8086:a03c',
        revision: '01',
        class: '020000',
        numaNode: 0,
        driver: 'igb',
        link: { speed: '2.5 GT/s PCIe', width: 4 },
        resets: ['flr'],
        msix: 10,
        net: { name: `enp${bus}s${at >> 3}f${at & 7}`, mac: `00:1b:21:00:${hex(bus)}:${hex(at)}` },
      });
    }
  }
  return specs;
}
