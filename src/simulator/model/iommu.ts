import type { FileTree } from './file-tree.ts';
import type { Machine } from './machine.ts';

/** What the kernel made of the IOMMU at boot: `undefined` when it is not in use. */
export interface IommuState {
  readonly unit: 'dmar0' | 'ivhd0';
  readonly type: string;
}

/**
 * What a kernel line amounts to. Intel: on unless `intel_iommu=off` (Debian 6.1 and Ubuntu 6.8 have it on by default;
 * tried: lab/README). AMD: on unless `amd_iommu=off`. `iommu=off` switches either off (no_iommu, arch/x86/kernel/pci-dma.c).
 * The last argument counts. `iommu=pt` and `iommu.passthrough=1` make groups `identity` (host.md §8).
 */
export function iommuState(machine: Machine, args: readonly string[]): IommuState | undefined {
  const values = (name: string) =>
    args
      .filter((arg) => arg.startsWith(`${name}=`))
      .flatMap((arg) => arg.slice(name.length + 1).split(','));
  const own = values(machine.cpu === 'intel' ? 'intel_iommu' : 'amd_iommu');
  const switched = own.filter((value) => value === 'on' || value === 'off').at(-1);
  // For AMD `on` is an unknown option, which leaves things as they were.
  const off = machine.cpu === 'intel' ? switched === 'off' : own.includes('off');
  if (!machine.iommuFirmware || off || values('iommu').includes('off')) return undefined;
  return {
    unit: machine.cpu === 'intel' ? 'dmar0' : 'ivhd0',
    type: isPassthrough(args) ? 'identity' : machine.translatedType,
  };
}

function isPassthrough(args: readonly string[]): boolean {
  const verdicts = args.flatMap((arg) => {
    if (arg.startsWith('iommu.passthrough=')) return [/=(1|y|on)$/i.test(arg)];
    if (!arg.startsWith('iommu=')) return [];
    const values = arg.slice('iommu='.length).split(',');
    if (values.includes('pt')) return [true];
    return values.includes('nopt') ? [false] : [];
  });
  return verdicts.at(-1) ?? false;
}

/** Writes the IOMMU's state into sysfs, in place of what an earlier boot left. */
export function showIommu(tree: FileTree, machine: Machine, state: IommuState | undefined): void {
  for (const folder of [
    '/sys/class/iommu',
    '/sys/kernel/iommu_groups',
    '/sys/devices/virtual/iommu',
  ]) {
    tree.remove(folder);
    tree.mkdir(folder);
  }
  for (const address of machine.groups.flat()) tree.remove(`${deviceFolder(address)}/iommu_group`);
  if (state === undefined) return;
  tree.mkdir(`/sys/devices/virtual/iommu/${state.unit}/devices`);
  tree.link(`/sys/class/iommu/${state.unit}`, `../../devices/virtual/iommu/${state.unit}`);
  for (const [id, addresses] of machine.groups.entries()) {
    const group = `/sys/kernel/iommu_groups/${id}`;
    tree.put(`${group}/type`, `${state.type}\n`);
    tree.put(`${group}/reserved_regions`, '0x00000000fee00000 0x00000000feefffff msi\n', 0o444);
    for (const address of addresses) {
      tree.link(`${group}/devices/${address}`, `../../../../devices/pci0000:00/${address}`);
      tree.link(`${deviceFolder(address)}/iommu_group`, `../../../kernel/iommu_groups/${id}`);
    }
  }
}

/** Where a function's attributes are. The model keeps every function right below the root complex. */
export function deviceFolder(address: string): string {
  return `/sys/devices/pci0000:00/${address}`;
}
