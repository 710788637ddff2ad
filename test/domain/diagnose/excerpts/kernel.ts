import { grubWith } from '../../../support/device-facts.ts';
import { AMD, NO_IOMMU, lineOf, type Excerpt } from './symptoms.ts';

const ON = ['root=UUID=58589ca0', 'ro', 'intel_iommu=on', 'iommu=pt'];

/** Lines of the kernel and of the files that make its line. */
export const KERNEL_EXCERPTS = {
  'intel_iommu=off in /etc/default/grub': {
    facts: { iommu: NO_IOMMU, ...lineOf('console=ttyS0', 'intel_iommu=off', 'quiet') },
    over: {
      configLines: [
        { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX="console=ttyS0 intel_iommu=off"' },
      ],
    },
    log: ['DMAR: IOMMU disabled', 'DMAR: Host address width 39'],
  },
  'a later off in a drop-in, which wins': {
    facts: { iommu: NO_IOMMU, ...lineOf('intel_iommu=on', 'iommu=pt', 'intel_iommu=off') },
    over: {
      configLines: [
        { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX="intel_iommu=on iommu=pt"' },
        {
          path: '/etc/default/grub.d/50-site.cfg',
          text: 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT intel_iommu=off"',
        },
      ],
    },
  },
  'a later on, which wins': {
    facts: lineOf('intel_iommu=off', 'intel_iommu=on'),
  },
  'iommu=off, which nothing takes back': {
    facts: { iommu: NO_IOMMU, ...lineOf('iommu=off', 'intel_iommu=on') },
  },
  'amd_iommu=off': {
    facts: { ...AMD, iommu: NO_IOMMU, ...lineOf('amd_iommu=off') },
  },
  'off in this boot, and no more in the next': {
    facts: {
      iommu: NO_IOMMU,
      runningArgs: [...ON, 'intel_iommu=off'],
      bootLoader: grubWith(ON),
    },
  },
  'a kernel that has it off unless asked': {
    facts: { iommu: NO_IOMMU, ...lineOf('quiet') },
  },
  'asked for, but not booted yet': {
    facts: {
      iommu: NO_IOMMU,
      runningArgs: ['root=UUID=58589ca0', 'ro'],
      bootLoader: grubWith(ON),
    },
  },
  'amd_iommu=on, which does nothing': {
    facts: { ...AMD, ...lineOf('amd_iommu=on', 'iommu=pt') },
    log: [
      "AMD-Vi: Unknown option - 'on'",
      'AMD-Vi: Using global IVHD EFR:0x246577efa2254afa, EFR2:0x0',
    ],
  },
  'amd_iommu=pt, meant as iommu=pt': {
    facts: { ...AMD, ...lineOf('amd_iommu=pt') },
    log: ["AMD-Vi: Unknown option - 'pt'"],
  },
  'pt and nopt on one line': {
    facts: lineOf('intel_iommu=on', 'iommu=pt', 'iommu.passthrough=0'),
  },
  'intremap=off': {
    facts: {
      ...lineOf('intel_iommu=on', 'intremap=off'),
      iommu: { units: ['dmar0'], groups: [{ id: '0', type: 'DMA' }], interruptRemapping: false },
    },
    over: { irqChips: { '1': 'IO-APIC' } },
    log: ['DMAR-IR: Not enabling interrupt remapping'],
  },
  'an edit that update-grub has not seen': {
    facts: lineOf('intel_iommu=on'),
    over: {
      configLines: [
        { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX="intel_iommu=on intel_iommu=off"' },
      ],
    },
  },
  'a new kernel that is not booted': {
    facts: { kernelRelease: '6.1.0-55-amd64' },
  },
  'an edit that is not booted': {
    facts: {
      runningArgs: ON,
      bootLoader: grubWith([...ON, 'pci=realloc', 'rd.iscsi.password=geheim']),
    },
  },
  'CentOS 7': {
    facts: {
      kernelRelease: '3.10.0-1160.el7.x86_64',
      bootLoader: { supported: false, reason: 'no entries' },
    },
  },
  'a small cloud kernel': {
    over: { moduleFiles: ['kvm', 'kvm_intel'] },
    devices: { modules: ['kvm_intel'] },
  },
  'vfio-pci that may not be loaded': {
    over: {
      configLines: [
        { path: '/etc/modprobe.d/hardening.conf', text: 'install vfio-pci /bin/false' },
      ],
    },
  },
  'KVM that is not loaded': { facts: { kvm: false } },
  'no QEMU': { facts: { qemu: false } },
} as const satisfies Readonly<Record<string, Excerpt>>;
