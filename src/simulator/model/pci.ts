import type { FileTree } from './file-tree.ts';
import { deviceFolder } from './iommu.ts';
import type { CpuVendor } from './machine.ts';

interface PciFunction {
  readonly address: string;
  readonly vendor: string;
  readonly device: string;
  readonly class: string;
}

/** Vendor, device and class as lspci -n shows them; a plain two-port-NIC server. */
const COMMON: readonly PciFunction[] = [
  { address: '0000:01:00.0', vendor: '0x144d', device: '0xa824', class: '0x010802' },
  { address: '0000:03:00.0', vendor: '0x8086', device: '0x1572', class: '0x020000' },
  { address: '0000:03:00.1', vendor: '0x8086', device: '0x1572', class: '0x020000' },
  { address: '0000:05:00.0', vendor: '0x1a03', device: '0x2000', class: '0x030000' },
];

const CHIPSET: Readonly<Record<CpuVendor, readonly PciFunction[]>> = {
  intel: [
    { address: '0000:00:00.0', vendor: '0x8086', device: '0x09a2', class: '0x088000' },
    { address: '0000:00:1f.0', vendor: '0x8086', device: '0xa1c8', class: '0x060100' },
    { address: '0000:00:1f.4', vendor: '0x8086', device: '0xa1a3', class: '0x0c0500' },
  ],
  amd: [
    { address: '0000:00:00.0', vendor: '0x1022', device: '0x1480', class: '0x060000' },
    { address: '0000:00:14.0', vendor: '0x1022', device: '0x790b', class: '0x0c0500' },
    { address: '0000:00:14.3', vendor: '0x1022', device: '0x790e', class: '0x060100' },
  ],
};

/** The IOMMU groups of the model's machines: the functions of the chipset's last slot share one. */
export function defaultGroups(cpu: CpuVendor): readonly (readonly string[])[] {
  const [bridge, ...slot] = CHIPSET[cpu].map(({ address }) => address);
  return [[bridge ?? ''], slot, ...COMMON.map(({ address }) => [address])];
}

/** Puts the functions into sysfs. */
export function showPci(tree: FileTree, cpu: CpuVendor): void {
  for (const { address, ...attributes } of [...CHIPSET[cpu], ...COMMON]) {
    const folder = deviceFolder(address);
    for (const [name, value] of Object.entries(attributes))
      tree.put(`${folder}/${name}`, `${value}\n`);
    tree.put(`${folder}/numa_node`, '0\n');
    tree.link(`/sys/bus/pci/devices/${address}`, `../../../devices/pci0000:00/${address}`);
  }
}
