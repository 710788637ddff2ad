import type { Snapshot } from '../../facts/snapshot.ts';
import { lineOf, namesIn, textOf } from '../../facts/snapshot.ts';
import type { CpuVendor, Machine } from './machine.ts';
import { DEFAULT_DEVICES, uplinkOf } from './pci/default-devices.ts';

/**
 * What the model needs to know of a real machine, from what was read of it. PCI functions that were
 * not read are the model's own; those that were stay as they are, and the model's kernel does nothing with them.
 * @throws Error when its boot loader's files do not say which root file system it boots.
 */
export function machineOfSnapshot(snapshot: Snapshot): Machine {
  const loader = loaderOf(snapshot);
  const tables = namesIn(snapshot, '/sys/firmware/acpi/tables');
  const cpu: CpuVendor = cpuOf(snapshot, tables);
  const osRelease = textOf(snapshot, '/etc/os-release') ?? '';
  const probe = (query: 'grub-probe-fs' | 'grub-probe-abstraction') =>
    snapshot.queries.get(query)?.output.trim();
  return {
    cpu,
    ...loader,
    flavour: /^ID=ubuntu$/m.test(osRelease) ? 'ubuntu' : 'debian',
    iommuFirmware: tables.includes('DMAR') || tables.includes('IVRS'),
    translatedType: 'DMA',
    functions: snapshotHasPci(snapshot) ? [] : DEFAULT_DEVICES[cpu],
    nodes: [],
    uplink: uplinkOf(DEFAULT_DEVICES[cpu]),
    cpus: 1,
    interruptRemapping: true,
    bootFs: probe('grub-probe-fs') ?? 'ext2',
    bootAbstraction: probe('grub-probe-abstraction') ?? '',
  };
}

type LoaderMachine = Pick<
  Machine,
  | 'family'
  | 'rootUuid'
  | 'rootDevice'
  | 'bootUuid'
  | 'searchHints'
  | 'mkconfig'
  | 'intelIommuByDefault'
>;

/** The RHEL family is known by its entries; which release it is, the model does not need, as it leaves entries alone. */
function loaderOf(snapshot: Snapshot): LoaderMachine {
  const entries = [...snapshot.files.keys()].some((path) =>
    /^\/boot\/loader\/entries\/[^/]+\.conf$/.test(path),
  );
  const cfg = textOf(snapshot, '/boot/grub/grub.cfg') ?? '';
  const line = textOf(snapshot, '/proc/cmdline') ?? '';
  const rootDevice = entries
    ? /(?:^|\s)root=(\S+)/.exec(line)?.[1]
    : /root=(UUID=\S+)/.exec(cfg)?.[1];
  if (rootDevice === undefined) {
    throw new Error(
      'the snapshot has no grub.cfg with root=UUID=, nor entries and a line with root=',
    );
  }
  return {
    family: entries ? 'rhel' : 'debian',
    rootDevice,
    rootUuid: rootDevice.replace(/^UUID=/, ''),
    bootUuid: '',
    searchHints: cfg.includes('feature_platform_search_hint'),
    mkconfig: 'on-request',
    intelIommuByDefault: !entries,
  };
}

/** The ACPI table decides where there is one: an emulated AMD processor may sit behind an Intel IOMMU. */
function cpuOf(snapshot: Snapshot, tables: readonly string[]): CpuVendor {
  if (tables.includes('DMAR')) return 'intel';
  if (tables.includes('IVRS')) return 'amd';
  const modalias = lineOf(snapshot, '/sys/devices/system/cpu/modalias') ?? '';
  return modalias.includes('ven0002') ? 'amd' : 'intel';
}

function snapshotHasPci({ links }: Snapshot): boolean {
  return [...links.keys()].some((path) => path.startsWith('/sys/bus/pci/devices/'));
}
