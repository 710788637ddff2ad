import type {
  AttachChange,
  BindChange,
  Change,
  HugepagesChange,
  ModulesChange,
  VfsChange,
  VfState,
} from '../../../src/domain/changes.ts';
import {
  MODPROBE_PATH,
  rulePath,
  scriptPath,
  TMPFILES_PATH,
} from '../../../src/domain/own-files.ts';
import { NOTHING_ASKED, type Target } from '../../../src/domain/spec.ts';
import { groupKinds } from '../../../src/cli/plan/group-kinds.ts';
import { sealPlan, type PlanFile, type ProbedHost } from '../../../src/cli/plan/plan-file.ts';
import { at, cmdlineChange, connection, SPEC } from './samples.ts';

/** Every kind of change, as a host with a NIC for guests and a GPU gets it. */
export const MODULES: ModulesChange = {
  kind: 'modules',
  files: [
    {
      path: MODPROBE_PATH,
      before: null,
      after:
        '# made by vfleet\nblacklist nouveau\noptions vfio_iommu_type1 allow_unsafe_interrupts=1\n',
    },
  ],
  initramfs: true,
};

export const HUGEPAGES: HugepagesChange = {
  kind: 'hugepages',
  pages: [
    { sizeKiB: 2048, node: 0, before: 0, after: 512 },
    { sizeKiB: 2048, node: 1, before: 0, after: 512 },
    { sizeKiB: 1048576, node: 0, before: 2, after: 4 },
  ],
  file: { path: TMPFILES_PATH, before: null, after: 'w /sys/x - - - - 512\n' },
};

const VFIO: VfState = { driver: 'vfio-pci', override: 'vfio-pci' };

/** Eight VFs: the first four for guests, the others for the host. */
export function vfsChange(pf: string, netdev: string | null = 'ens1f1'): VfsChange {
  const forGuests = (index: number): VfState => ({
    ...VFIO,
    vlan: 100,
    trust: true,
    mac: `02:00:00:00:00:0${index}`,
  });
  const native: VfState = { driver: 'native', override: null };
  return {
    kind: 'vfs',
    pf,
    netdev,
    before: { count: 0, autoprobe: true, mtu: 1500, vfs: [] },
    after: {
      count: 8,
      autoprobe: false,
      mtu: 9000,
      vfs: [...[0, 1, 2, 3].map(forGuests), native, native, native, native],
    },
    files: [rulePath(pf), scriptPath(pf)].map((path) => ({ path, before: null, after: 'x\n' })),
  };
}

export function bindChange(address: string, change: Partial<BindChange> = {}): BindChange {
  return {
    kind: 'bind',
    address,
    modalias: null,
    before: { driver: 'nouveau', override: null },
    after: { driver: 'vfio-pci', override: 'vfio-pci' },
    by: 'override',
    files: [{ path: rulePath(address), before: null, after: 'x\n' }],
    ...change,
  };
}

export function attachChange(domain: string, change: Partial<AttachChange> = {}): AttachChange {
  return {
    kind: 'attach',
    domain,
    devices: [{ pf: '0000:3b:00.1', vf: 0 }],
    managed: false,
    confined: 'recorded',
    pins: null,
    ...change,
  };
}

export const PINNED = attachChange('edge-gw', {
  devices: [
    { pf: '0000:3b:00.1', vf: 0 },
    { pf: '0000:3b:00.1', vf: 1 },
    { address: '0000:65:00.0' },
  ],
  confined: 'required',
  pins: { before: { '0': '0-63' }, after: { '0': '2-3', '1': '2-3', '2': '4' }, all: '0-63' },
});

export const DEVICES: readonly Change[] = [
  vfsChange('0000:3b:00.1'),
  bindChange('0000:65:00.0'),
  bindChange('0000:65:00.1', { before: { driver: 'snd_hda_intel', override: null } }),
  PINNED,
];

export const EVERY_KIND: readonly Change[] = [
  cmdlineChange(['intel_iommu=on', 'iommu=pt', 'hugepagesz=1G', 'hugepages=32']),
  MODULES,
  HUGEPAGES,
  ...DEVICES,
];

export const DEVICE_TARGET: Target = {
  ...NOTHING_ASKED,
  iommu: 'enabled',
  hostDma: 'passthrough',
  hugepages: [
    { sizeKiB: 1048576, count: 32, at: 'boot' },
    { sizeKiB: 2048, count: 512, node: 0, at: 'runtime' },
  ],
  devices: [
    {
      name: 'fast-nics',
      hosts: '!gpu_only',
      match: { id: '8086:1572' },
      guarded: 'skip',
      expect: 2,
      functions: 'matched',
      bind: 'override',
      vfs: {
        count: 8,
        mtu: 9000,
        vfs: [
          ...[0, 1, 2, 3].map(() => ({ driver: 'vfio-pci' as const, trust: true, vlan: 100 })),
          ...[4, 5, 6, 7].map(() => ({ driver: 'native' as const })),
        ],
      },
    },
    {
      name: 'gpus',
      hosts: 'gpu',
      match: { class: '0300', numaNode: 1 },
      guarded: 'refuse',
      functions: 'all',
      driver: 'vfio-pci',
      bind: 'ids',
    },
  ],
  guests: [
    {
      domain: '{{ edge_domain }}',
      hosts: 'edge',
      attach: [
        { device: 'fast-nics', pf: 0, vf: 0 },
        { device: 'gpus', pf: 1 },
      ],
      managed: false,
      confined: 'required',
      pin: 'device-node',
    },
  ],
  modules: {
    blacklist: ['nouveau'],
    load: ['vfio-pci'],
    disableIdleD3: true,
    unsafeInterrupts: true,
  },
  firmware: { minVersion: '2.10', minDate: '2023-05-01' },
  allow: ['unsafe-interrupts', 'root-disk'],
};

/** A host that needs these changes. */
export function host(
  name: string,
  changes: readonly Change[],
  more: { readonly scope?: ProbedHost['scope']; readonly left?: readonly string[] } = {},
): ProbedHost {
  const reboots = changes.some(({ kind }) => kind === 'cmdline' || kind === 'modules') ? 1 : 0;
  const { scope, left = [] } = more;
  return {
    connection: connection(name),
    guests: ['db'],
    left,
    ...(scope === undefined ? {} : { scope }),
    plan: {
      kind: 'changes',
      changes,
      reboots,
      digest: `digest of ${name}`,
      hardware: 'Intel, Debian 12, X710 x2',
      warnings: [],
      bootId: 'b',
      machineId: 'm',
    },
  };
}

export function planOf(hosts: readonly ProbedHost[], target: Target = DEVICE_TARGET): PlanFile {
  return sealPlan({
    madeAt: at(1, 0),
    probeMs: 41_000,
    specFile: 'enable-sriov.yaml',
    spec: { ...SPEC, name: 'enable-sriov', target },
    hosts: groupKinds(hosts).hosts,
  });
}
