import type {
  AttachChange,
  BindChange,
  HugepagesChange,
  ModulesChange,
  VfsChange,
  VfState,
} from '../../src/domain/changes.ts';
import {
  MODPROBE_PATH,
  MODULES_LOAD_PATH,
  rulePath,
  scriptPath,
  TMPFILES_PATH,
} from '../../src/domain/own-files.ts';
import { bindRule, vfsRule, vfsScript } from '../../src/domain/udev-files.ts';

/** Changes by hand for the devices that every model host has (src/simulator/model/pci/default-devices.ts). */
export const PF = '0000:3b:00.0';
export const NETDEV = 'enp59s0f0';
export const GPU = '0000:65:00.0';
export const GPU_AUDIO = '0000:65:00.1';

const IDS: Readonly<Record<string, readonly [string, string]>> = {
  [GPU]: ['10de', '2204'],
  [GPU_AUDIO]: ['10de', '1aef'],
  '0000:3b:00.0': ['8086', '1592'],
  '0000:3b:00.1': ['8086', '1592'],
  '0000:5e:00.0': ['144d', 'a824'],
};

function idsOf(address: string): { readonly vendor: string; readonly device: string } {
  const [vendor = '', device = ''] = IDS[address] ?? [];
  return { vendor, device };
}

const asked = (driver: 'vfio-pci' | 'native', settings: Partial<VfState> = {}): VfState => ({
  driver,
  override: driver === 'vfio-pci' ? 'vfio-pci' : null,
  ...settings,
});

/** Four VFs, of which three go to vfio-pci, with settings of each kind. */
export const FOUR_VFS: readonly VfState[] = [
  asked('vfio-pci', { mac: '02:11:22:33:44:00', vlan: 100, trust: true }),
  asked('vfio-pci', { spoofCheck: false, maxRate: 1000 }),
  asked('vfio-pci'),
  asked('native'),
];

export function vfsChange(parts: {
  readonly vfs?: readonly VfState[];
  readonly before?: VfsChange['before'];
  readonly mtu?: number | null;
  readonly pf?: string;
  readonly netdev?: string | null;
}): VfsChange {
  const { vfs = FOUR_VFS, mtu = 9000, pf = PF, netdev = NETDEV } = parts;
  const hasNative = vfs.some(({ driver }) => driver === 'native');
  const plan = {
    pf,
    count: vfs.length,
    ...(mtu === null ? {} : { mtu }),
    vfs: vfs.map(({ driver, override: _, ...settings }) => ({
      ...settings,
      driver: driver === 'native' ? ('native' as const) : ('vfio-pci' as const),
    })),
  };
  return {
    kind: 'vfs',
    pf,
    netdev,
    before: parts.before ?? {
      count: 0,
      autoprobe: true,
      mtu: mtu === null ? null : 1500,
      vfs: [],
    },
    after: { count: vfs.length, autoprobe: hasNative, mtu, vfs },
    files: [
      { path: rulePath(pf), before: null, after: vfsRule({ address: pf, ...idsOf(pf) }) },
      { path: scriptPath(pf), before: null, after: vfsScript(plan) },
    ],
  };
}

export function bindChange(
  address: string,
  parts: Partial<Pick<BindChange, 'before' | 'by' | 'modalias'>> = {},
): BindChange {
  const by = parts.by ?? 'override';
  return {
    kind: 'bind',
    address,
    modalias: parts.modalias ?? null,
    before: parts.before ?? {
      driver: address === GPU ? 'nouveau' : 'snd_hda_intel',
      override: null,
    },
    after: { driver: 'vfio-pci', override: by === 'ids' ? null : 'vfio-pci' },
    by,
    files:
      by === 'override'
        ? [
            {
              path: rulePath(address),
              before: null,
              after: bindRule({ address, ...idsOf(address) }),
            },
          ]
        : [],
  };
}

export const GPU_CHANGES = [bindChange(GPU), bindChange(GPU_AUDIO)] as const;

export const modulesChange = (parts: Partial<ModulesChange> = {}): ModulesChange => ({
  kind: 'modules',
  files: [
    { path: MODPROBE_PATH, before: null, after: 'options vfio-pci disable_idle_d3=1\n' },
    { path: MODULES_LOAD_PATH, before: null, after: 'vfio-pci\n' },
  ],
  initramfs: true,
  ...parts,
});

export const hugepagesChange = (after = 16, before = 0): HugepagesChange => ({
  kind: 'hugepages',
  pages: [
    { sizeKiB: 2048, node: 0, before, after },
    { sizeKiB: 2048, node: 1, before, after },
  ],
  file: { path: TMPFILES_PATH, before: null, after: `# ${after} pages on each node\n` },
});

export const attachChange = (parts: Partial<AttachChange> = {}): AttachChange => ({
  kind: 'attach',
  domain: 'edge-gw',
  devices: [{ pf: PF, vf: 0 }],
  managed: false,
  confined: 'recorded',
  pins: null,
  ...parts,
});
