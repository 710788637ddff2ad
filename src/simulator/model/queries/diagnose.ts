import type { FileTree } from '../file-tree.ts';
import { iommuState } from '../iommu.ts';
import type { Machine } from '../machine.ts';
import type { ModelHost } from '../model-host.ts';

/** What the kernel of a model logs of its IOMMU, as Linux 6.1 words it in the lab. */
export function kernelLog({ machine, tree }: ModelHost): string {
  const args = (tree.text('/proc/cmdline') ?? '').trim().split(/\s+/);
  const remaps = (tree.text('/sys/kernel/irq/1/chip_name') ?? '').startsWith('IR-');
  const isOn = iommuState(machine, args) !== undefined;
  const lines =
    machine.cpu === 'intel'
      ? intelLines(machine, args, { isOn, remaps })
      : amdLines(machine, args, { isOn, remaps });
  return ['Linux version 6.1.0 (model)', ...lines].join('\n');
}

interface Seen {
  readonly isOn: boolean;
  readonly remaps: boolean;
}

function intelLines(machine: Machine, args: readonly string[], seen: Seen): readonly string[] {
  if (!machine.iommuFirmware) return [];
  const asked = args.filter((arg) => arg.startsWith('intel_iommu=')).at(-1);
  return [
    ...(asked === 'intel_iommu=on' ? ['DMAR: IOMMU enabled'] : []),
    ...(asked === 'intel_iommu=off' ? ['DMAR: IOMMU disabled'] : []),
    'DMAR: Host address width 46',
    'DMAR: DRHD base: 0x000000fed90000 flags: 0x1',
    seen.remaps || !seen.isOn
      ? 'DMAR-IR: Enabled IRQ remapping in x2apic mode'
      : 'DMAR-IR: Not enabling interrupt remapping',
    ...(seen.isOn ? ['DMAR: Intel(R) Virtualization Technology for Directed I/O'] : []),
  ];
}

function amdLines(machine: Machine, args: readonly string[], seen: Seen): readonly string[] {
  const words = args
    .filter((arg) => arg.startsWith('amd_iommu='))
    .flatMap((arg) => arg.slice('amd_iommu='.length).split(','));
  const unknown = words.filter((word) => word === 'on' || word === 'pt');
  return [
    ...unknown.map((word) => `AMD-Vi: Unknown option - '${word}'`),
    ...(machine.iommuFirmware && seen.isOn
      ? [
          seen.remaps
            ? 'AMD-Vi: Interrupt remapping enabled'
            : 'AMD-Vi: Disabling interrupt remapping',
        ]
      : []),
  ];
}

/** The modules that every kernel of the model has. */
export function moduleFiles({ machine }: ModelHost): string {
  const kvm = machine.cpu === 'intel' ? 'kvm_intel' : 'kvm_amd';
  return ['vfio', 'vfio_pci_core', 'vfio_pci', 'vfio_iommu_type1', 'kvm', kvm].join('\n');
}

/** Folders of modprobe.d, first the administrator's. */
const FOLDERS = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'];
const COMMAND = /^[ \t]*(?:options|install|softdep|remove|blacklist|alias)[ \t]/;
const OF_INTEREST = /vfio|kvm|iommu|blacklist|\/bin\/(?:false|true)/;

/** Lines about VFIO and blacklists, as the script finds them. */
export function modprobeLines(tree: FileTree): string {
  const files = FOLDERS.flatMap((folder) => tree.glob(`${folder}/modprobe.d/*.conf`));
  return files
    .flatMap((path) =>
      (tree.text(path) ?? '')
        .split('\n')
        .filter((row) => COMMAND.test(row) && OF_INTEREST.test(row))
        .map((row) => `${path}\t${row.slice(0, 300)}`),
    )
    .join('\n');
}
