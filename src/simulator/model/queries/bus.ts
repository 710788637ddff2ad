import type { ModelHost } from '../model-host.ts';
import { configOf } from '../pci/bridge-config.ts';
import { vectors } from '../pci/function-files.ts';
import { isBridge } from '../pci/pci-spec.ts';
import { reservedRegions } from '../pci/sysfs.ts';

/** Of the model's devices, as pci.ids names them. */
const NAMES = `1022 Advanced Micro Devices, Inc. [AMD]
1022:1480 Starship/Matisse Root Complex
1022:1483 Starship/Matisse GPP Bridge
1022:790b FCH SMBus Controller
1022:790e FCH LPC Bridge
10de NVIDIA Corporation
10de:1aef GA102 High Definition Audio Controller
10de:2204 GA102 [GeForce RTX 3090]
144d Samsung Electronics Co Ltd
144d:a824 NVMe SSD Controller PM173X
1a03 ASPEED Technology, Inc.
1a03:2000 ASPEED Graphics Family
8086 Intel Corporation
8086:09a2 Ice Lake Memory Map/VT-d
8086:10c9 82576 Gigabit Network Connection
8086:1572 Ethernet Controller X710 for 10GbE SFP+
8086:1592 Ethernet Controller E810-C for QSFP
8086:1889 Ethernet Adaptive Virtual Function
8086:154c Ethernet Virtual Function 700 Series
8086:347a Ice Lake PCI Express Root Port A
8086:347c Ice Lake PCI Express Root Port C
8086:a1a3 C620 Series Chipset Family SMBus
8086:a1c8 C620 Series Chipset LPC Controller`.split('\n');

/** Those of the machine's devices. */
export function pciNames({ kernel }: ModelHost): string {
  const ids = new Set(
    [...kernel.bus.functions.values()].flatMap(({ spec }) => [
      spec.vendor,
      `${spec.vendor}:${spec.device}`,
    ]),
  );
  return NAMES.filter((row) => ids.has(row.split(' ', 1)[0] ?? '')).join('\n');
}

export function msiVectors({ kernel }: ModelHost): string {
  return sorted(kernel.bus.functions.values())
    .flatMap((fn) => (vectors(fn) === 0 ? [] : [`${fn.address} ${vectors(fn)} msix`]))
    .join('\n');
}

/** What grep finds of the totals: counter after counter, each by address. */
export function aerTotals({ kernel }: ModelHost): string {
  const counting = sorted(kernel.bus.functions.values()).filter(({ spec }) => spec.aer === true);
  const rows = (counter: 'correctable' | 'nonfatal' | 'fatal', total: string) =>
    counting.map(
      ({ address, aer }) => `${address}/aer_dev_${counter}:TOTAL_ERR_${total} ${aer[counter]}`,
    );
  return [
    ...rows('correctable', 'COR'),
    ...rows('nonfatal', 'NONFATAL'),
    ...rows('fatal', 'FATAL'),
  ].join('\n');
}

/** Reserved regions of type `direct`, by group. */
export function directRegions({ kernel }: ModelHost): string {
  return [...kernel.bus.groups]
    .map(([id, members]) => [String(id), members] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, members]) =>
      reservedRegions(members)
        .split('\n')
        .filter((row) => row.endsWith(' direct'))
        .map((row) => `${id}/reserved_regions:${row}`),
    )
    .join('\n');
}

/** `head -v -c 4096` of each bridge's config space, in base64. */
export function bridgeConfig({ kernel }: ModelHost): string {
  const bridges = sorted(kernel.bus.functions.values()).filter(({ spec }) => isBridge(spec));
  const parts = bridges.flatMap(({ address, spec }, at) => [
    Buffer.from(`${at === 0 ? '' : '\n'}==> /sys/bus/pci/devices/${address}/config <==\n`),
    configOf(spec.bridge ?? 'root'),
  ]);
  return Buffer.concat(parts).toString('base64');
}

function sorted<T extends { readonly address: string }>(items: Iterable<T>): readonly T[] {
  return [...items].sort((a, b) => (a.address < b.address ? -1 : 1));
}
