import type { FileTree } from './file-tree.ts';
import { iommuState, showIommu } from './iommu.ts';
import type { Machine } from './machine.ts';
import { seededUuid } from './random.ts';

/** One boot of one host. */
export interface KernelStart {
  /** /proc/cmdline: `BOOT_IMAGE=...` and the arguments. */
  readonly words: readonly string[];
  readonly name: string;
  /** Number of this boot, for its id. */
  readonly boot: number;
  readonly seed: string;
}

/** Writes what a kernel shows after it has started: line, boot id, ACPI tables, IOMMU; and what was in memory is gone. */
export function startKernel(tree: FileTree, machine: Machine, start: KernelStart): void {
  const [, ...args] = start.words;
  tree.put('/proc/cmdline', `${start.words.join(' ')}\n`, 0o444);
  tree.put('/proc/sys/kernel/random/boot_id', `${seededUuid(start.seed, 'boot', start.boot)}\n`);
  tree.put('/proc/sys/kernel/hostname', `${start.name}\n`);
  tree.put('/proc/sys/kernel/panic', `${lastValue(args, 'panic') ?? '0'}\n`);
  tree.put('/proc/sys/kernel/panic_on_oops', args.includes('oops=panic') ? '1\n' : '0\n');
  tree.put('/sys/kernel/kexec_crash_loaded', '0\n', 0o444);
  const release = /vmlinuz-(\S+)/.exec(start.words[0] ?? '')?.[1];
  if (release !== undefined) tree.put('/proc/sys/kernel/osrelease', `${release}\n`);
  showAcpi(tree, machine);
  const iommu = iommuState(machine, args);
  showIommu(tree, iommu);
  const remaps = iommu !== undefined && machine.interruptRemapping;
  tree.put('/sys/kernel/irq/1/chip_name', remaps ? 'IR-IO-APIC\n' : 'IO-APIC\n', 0o444);
}

/** Tables as the lab's machines have them; DMAR or IVRS only when firmware has the IOMMU switched on. */
function showAcpi(tree: FileTree, machine: Machine): void {
  const tables = '/sys/firmware/acpi/tables';
  const names = ['APIC', 'DSDT', 'FACP', 'FACS', 'HPET', 'MCFG', 'WAET'];
  if (machine.iommuFirmware) names.push(machine.cpu === 'intel' ? 'DMAR' : 'IVRS');
  tree.remove(tables);
  tree.mkdir(`${tables}/data`);
  tree.mkdir(`${tables}/dynamic`);
  for (const name of names) tree.put(`${tables}/${name}`, name.padEnd(36, '\0'), 0o400);
}

function lastValue(args: readonly string[], name: string): string | undefined {
  return args
    .filter((arg) => arg.startsWith(`${name}=`))
    .at(-1)
    ?.slice(name.length + 1);
}
