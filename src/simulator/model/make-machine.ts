import { DISTRIBUTIONS } from './distributions.ts';
import type { HostTreeOptions } from './host-tree-options.ts';
import type { Machine } from './machine.ts';
import { DEFAULT_DEVICES, uplinkOf } from './pci/default-devices.ts';
import { seededUuid } from './random.ts';
import { withVolumes } from './storage.ts';

/** What a host's ids are made from. */
export function seedOf({ seed, name }: Pick<HostTreeOptions, 'seed' | 'name'>): string {
  return `${seed ?? 0}/${name}`;
}

/** What the machine is made of. */
export function makeMachine(options: HostTreeOptions): Machine {
  const { cpu = 'intel', numaNodes = 2, memoryGiB = 256 } = options;
  const { iommuFirmware = true, interruptRemapping = true } = options;
  const { onlyDevices = DEFAULT_DEVICES[cpu], devices = [] } = options;
  const all = [...onlyDevices, ...devices];
  const functions = distribution(options).family === 'rhel' ? withVolumes(all) : all;
  return {
    cpu,
    ...loaderOf(options),
    translatedType: distribution(options).translatedType,
    iommuFirmware,
    functions,
    uplink: uplinkOf(functions),
    cpus: CPUS_EACH * numaNodes,
    nodes: nodesOf(numaNodes, memoryGiB),
    interruptRemapping,
  };
}

type LoaderMachine = Pick<
  Machine,
  | 'family'
  | 'flavour'
  | 'searchHints'
  | 'rootUuid'
  | 'rootDevice'
  | 'bootUuid'
  | 'mkconfig'
  | 'intelIommuByDefault'
  | 'bootFs'
  | 'bootAbstraction'
>;

function loaderOf(options: HostTreeOptions): LoaderMachine {
  const found = distribution(options);
  const rootUuid = seededUuid(seedOf(options), 'root');
  const bootUuid = seededUuid(seedOf(options), 'boot file system');
  if (found.family === 'debian') {
    const { family, flavour } = found;
    const rootDevice = `UUID=${rootUuid}`;
    const searchHints = flavour === 'ubuntu';
    return {
      ...{ family, flavour, searchHints, rootUuid, rootDevice, bootUuid },
      ...bootFolder(options, 'ext2'),
      mkconfig: 'on-request',
      intelIommuByDefault: true,
    };
  }
  return {
    family: 'rhel',
    flavour: 'debian',
    searchHints: true,
    rootUuid,
    bootUuid,
    rootDevice: `/dev/mapper/${found.volumes}-root`,
    ...bootFolder(options, 'xfs'),
    mkconfig: found.mkconfig,
    // Its documents have intel_iommu=on added for device assignment; that its kernels leave it off is from memory.
    intelIommuByDefault: false,
  };
}

const CPUS_EACH = 16;

function nodesOf(count: number, memoryGiB: number): Machine['nodes'] {
  return Array.from({ length: count }, (_, id) => ({
    cpus: `${id * CPUS_EACH}-${(id + 1) * CPUS_EACH - 1}`,
    memoryKiB: Math.floor((memoryGiB * 1024 * 1024 - UNSEEN_KIB) / count),
  }));
}

/** What the firmware keeps of the memory. */
export const UNSEEN_KIB = 1_250_000;

/** The distribution that is installed on it; Debian 12 unless told otherwise. */
export function distribution({ os }: HostTreeOptions) {
  return DISTRIBUTIONS[os ?? 'debian-12'];
}

const bootFolder = (
  { bootFs, bootAbstraction }: HostTreeOptions,
  usual: string,
): Pick<Machine, 'bootFs' | 'bootAbstraction'> => ({
  bootFs: bootFs ?? usual,
  bootAbstraction: bootAbstraction ?? '',
});
