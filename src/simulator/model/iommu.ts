import type { FileTree } from './file-tree.ts';
import type { Machine } from './machine.ts';

/** What the kernel made of the IOMMU at boot: `undefined` when it is not in use. */
export interface IommuState {
  readonly unit: 'dmar0' | 'ivhd0';
  readonly type: string;
}

/**
 * What a kernel line amounts to. Intel: on unless `intel_iommu=off` (Debian 6.1 and Ubuntu 6.8 have it on by default;
 * tried: lab/README), or, where the machine says so, only with `intel_iommu=on`. AMD: on unless `amd_iommu=off`. `iommu=off` switches either off (no_iommu, arch/x86/kernel/pci-dma.c).
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
  const off =
    machine.cpu === 'intel'
      ? (switched ?? (machine.intelIommuByDefault ? 'on' : 'off')) === 'off'
      : own.includes('off');
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

/** Writes the IOMMU's unit into sysfs, in place of what an earlier boot left. Groups are the bus's. */
export function showIommu(tree: FileTree, state: IommuState | undefined): void {
  for (const folder of ['/sys/class/iommu', '/sys/devices/virtual/iommu']) {
    tree.remove(folder);
    tree.mkdir(folder);
  }
  if (state === undefined) return;
  tree.mkdir(`/sys/devices/virtual/iommu/${state.unit}/devices`);
  tree.link(`/sys/class/iommu/${state.unit}`, `../../devices/virtual/iommu/${state.unit}`);
}
