import { ownGroups } from '../../../support/device-facts.ts';
import { AMD, FUNCTIONS, lineOf, type Excerpt } from './symptoms.ts';

const HANDLING = 'DMAR: DRHD: handling fault status reg 3';
const corrected = (count: number): readonly string[] =>
  Array.from({ length: count }, () => [
    'pcieport 0000:00:1d.0: AER: Corrected error received: 0000:02:00.0',
    'ahci 0000:02:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)',
    'ahci 0000:02:00.0:   device [15b7:5006] error status/mask=00000001/0000e000',
  ]).flat();

/** Lines of running hosts, of both vendors and several releases. */
export const FAULT_EXCERPTS = {
  'a read that nobody allowed, since 5.15': {
    log: [
      HANDLING,
      'DMAR: [DMA Read NO_PASID] Request device [04:00.0] fault addr 0xfff01000 [fault reason 0x06] PTE Read access is not set',
      HANDLING,
      'DMAR: [DMA Read NO_PASID] Request device [04:00.0] fault addr 0xfff02000 [fault reason 0x06] PTE Read access is not set',
    ],
  },
  'a write of a guest that was ended, 5.10': {
    log: [
      HANDLING,
      'DMAR: [DMA Write] Request device [01:00.0] PASID ffffffff fault addr 76406000 [fault reason 05] PTE Write access is not set',
    ],
  },
  'a SATA card under the number of another function': {
    log: [
      HANDLING,
      'DMAR: [DMA Write NO_PASID] Request device [02:00.1] fault addr 0xfffc0000 [fault reason 0x02] Present bit in context entry is clear',
    ],
  },
  'the two lines of an old kernel': {
    log: [
      'dmar: DRHD: handling fault status reg 2',
      'dmar: DMAR:[DMA Read] Request device [04:00.0] fault addr fff00000 ',
      'DMAR:[fault reason 06] PTE Read access is not set',
    ],
  },
  'an address with 0x in all its parts': {
    log: [
      'DMAR: [DMA Read NO_PASID] Request device [0x04:0x00.0] fault addr 0x3a800000 [fault reason 0x51] SM: Present bit in Directory Entry is clear',
    ],
  },
  'an interrupt of the chipset': {
    log: [
      'DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 0x0 [fault reason 0x25] Blocked a compatibility format interrupt request',
    ],
  },
  'an interrupt of another device, in decimal': {
    log: [
      'DMAR: [INTR-REMAP] Request device [02:00.0] fault index 80 [fault reason 38] Blocked an interrupt request due to source-id verification failure',
    ],
  },
  'an AMD host: a write to memory that is only to be read': {
    facts: AMD,
    log: [
      'ahci 0000:02:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0043 address=0xecdd5004 flags=0x0070]',
    ],
  },
  'an AMD host: memory that is not there': {
    facts: AMD,
    log: [
      'i40e 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x001e address=0x41137800 flags=0x0000]',
      'i40e 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x001e address=0xc1595098 flags=0x0000]',
    ],
  },
  'an AMD host before 6.0, without the segment': {
    facts: AMD,
    log: [
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=01:00.0 domain=0x000d address=0x00000000fd000000 flags=0x0050]',
    ],
  },
  'an AMD host: an interrupt without an entry': {
    facts: AMD,
    log: [
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:02:00.0 domain=0x0000 address=0xfffffffdf8020200 flags=0x0008]',
    ],
  },
  'an AMD host: a device that does not answer': {
    facts: AMD,
    log: [
      'iommu ivhd0: AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=01:00.0 address=0x42b5b01a0]',
      'iommu ivhd0: AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=01:00.0 address=0x42b5b01c0]',
    ],
  },
  'an AMD host: an entry that is not valid': {
    facts: AMD,
    log: [
      'iommu ivhd0: AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=0000:02:00.0 pasid=0x00000 address=0x135300000 flags=0x0080]',
      'AMD-Vi: DTE[0]: 7d90000000000003',
    ],
  },
  'an AMD host: a request that is forbidden': {
    facts: AMD,
    log: [
      'iommu ivhd0: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:03:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]',
    ],
  },
  'an AMD host that waits for a device': {
    facts: AMD,
    log: ['AMD-Vi: Completion-Wait loop timed out', 'AMD-Vi: Completion-Wait loop timed out'],
  },
  'an Intel host that waits for a device': {
    log: [
      'DMAR: VT-d detected Invalidation Time-out Error: SID 0',
      'DMAR: DRHD: handling fault status reg 40',
      'DMAR: QI HEAD: Device-TLB Invalidation qw0 = 0xaf0300100003, qw1 = 0x7ffffffffffff001',
    ],
  },
  'a link that corrects all the time': { log: corrected(12) },
  'an error that was not corrected, 5.4': {
    log: [
      'pcieport 0000:00:1c.5: AER: Uncorrected (Non-Fatal) error received: 0000:03:00.0',
      'i40e 0000:03:00.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)',
      'i40e 0000:03:00.0:   device [8086:1572] error status/mask=00004000/00000000',
    ],
  },
  'a fatal error behind a port that shut its link, 6.9': {
    log: [
      'pcieport 0000:00:01.0: DPC: containment event, status:0x200d, ERR_FATAL received from 0000:01:00.0',
      'vfio-pci 0000:01:00.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Data Link Layer, (Receiver ID)',
      'vfio-pci 0000:01:00.0: not ready 65535ms after bus reset; giving up',
      'vfio-pci 0000:01:00.0: Unable to change power state from D3cold to D0, device inaccessible',
    ],
  },
  'a card that the console of the firmware holds': {
    log: [
      "vfio-pci 0000:01:00.0: BAR 1: can't reserve [mem 0xd0000000-0xdfffffff 64bit pref]",
      "vfio-pci 0000:01:00.0: BAR 1: can't reserve [mem 0xd0000000-0xdfffffff 64bit pref]",
    ],
  },
  'a card whose ROM is off': {
    log: ['vfio-pci 0000:01:00.0: Invalid PCI ROM header signature: expecting 0xaa55, got 0xffff'],
  },
  'a device without a group': {
    log: ['vfio-pci: probe of 0000:04:00.0 failed with error -22'],
  },
  'a guest with too little locked memory': {
    log: ['vfio_pin_pages_remote: RLIMIT_MEMLOCK (9663676416) exceeded'],
  },
  'VFIO without an IOMMU': {
    log: ['vfio-pci 0000:01:00.0: Adding kernel taint for vfio-noiommu group on device'],
  },
  'interrupts that are not remapped': {
    facts: {
      ...lineOf('intel_iommu=on'),
      iommu: { units: ['dmar0'], groups: [{ id: '0', type: 'DMA' }], interruptRemapping: false },
    },
    over: { irqChips: { '0': 'IO-APIC', '2': 'XT-PIC' } },
    log: [
      'vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform',
    ],
  },
  'the same, and declared harmless': {
    facts: {
      ...lineOf('intel_iommu=on'),
      iommu: { units: ['dmar0'], groups: [{ id: '0', type: 'DMA' }], interruptRemapping: false },
    },
    devices: { unsafeInterrupts: true },
    over: {
      irqChips: { '0': 'IO-APIC' },
      configLines: [
        {
          path: '/etc/modprobe.d/iommu.conf',
          text: 'options vfio_iommu_type1 allow_unsafe_interrupts=1',
        },
      ],
    },
  },
  'declared harmless, and not needed': { devices: { unsafeInterrupts: true } },
} as const satisfies Readonly<Record<string, Excerpt>>;

/** What healthy hosts log; nothing is to be found there. */
export const HEALTHY_EXCERPTS = {
  'an Intel server on Debian 12': {
    log: [
      'Linux version 6.1.0-26-amd64 (debian-kernel@lists.debian.org)',
      'DMAR: IOMMU enabled',
      'DMAR: Host address width 46',
      'DMAR: DRHD base: 0x000000d37fc000 flags: 0x0',
      'DMAR: dmar0: reg_base_addr d37fc000 ver 1:0 cap 8d2078c106f0466 ecap f020df',
      'DMAR: RMRR base: 0x0000006e2ae000 end: 0x0000006e7b0fff',
      'DMAR: ATSR flags: 0x0',
      'DMAR: RHSA base: 0x000000d37fc000 proximity domain: 0x0',
      'DMAR-IR: IOAPIC id 12 under DRHD base  0xc5ffc000 IOMMU 6',
      'DMAR-IR: HPET id 0 under DRHD base 0xc5ffc000',
      'DMAR-IR: x2apic is disabled because BIOS sets x2apic opt out bit.',
      'DMAR-IR: Enabled IRQ remapping in xapic mode',
      'DMAR: No SATC found',
      'DMAR: dmar0: Using Queued invalidation',
      'iommu: Default domain type: Passthrough (set via kernel command line)',
      'DMAR: Intel(R) Virtualization Technology for Directed I/O',
    ],
  },
  'an AMD server on Ubuntu 24.04': {
    facts: AMD,
    log: [
      'AMD-Vi: Using global IVHD EFR:0x59f77efa2094ade, EFR2:0x0',
      'iommu: Default domain type: Translated',
      'iommu: DMA domain TLB invalidation policy: lazy mode',
      'pci 0000:60:00.2: AMD-Vi: IOMMU performance counters supported',
      'AMD-Vi: Extended features (0x59f77efa2094ade, 0x0): PPR X2APIC NX IA GA PC',
      'AMD-Vi: Interrupt remapping enabled',
      'AMD-Vi: X2APIC enabled',
      'AMD-Vi: AMD IOMMUv2 functionality not available on this system - This is not a bug.',
      'perf/amd_iommu: Detected AMD IOMMU #0 (2 banks, 4 counters/bank).',
    ],
  },
  'a graphics card of a guest that is reset': {
    facts: AMD,
    log: [
      'vfio-pci 0000:01:00.0: vfio_ecap_init: hiding ecap 0x1e@0x258',
      'vfio-pci 0000:01:00.0: enabling device (0000 -> 0003)',
      'vfio-pci 0000:01:00.0: resetting',
      'iommu ivhd0: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:00:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]',
      'vfio-pci 0000:01:00.0: not ready 1023ms after bus reset; waiting',
    ],
  },
  'a link that was trained at boot': { log: corrected(2) },
  'a kernel that limits a fast card': {
    log: [
      'i40e 0000:03:00.0: 63.008 Gb/s available PCIe bandwidth (8.0 GT/s PCIe x8 link)',
      'NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.',
    ],
  },
  'reserved memory for a device of the host': {
    devices: {
      groups: ownGroups(FUNCTIONS).map((group) =>
        group.members.includes('0000:02:00.0') ? { ...group, rmrr: true } : group,
      ),
    },
  },
  'a host of which nothing beside its facts was read': {
    unread: ['kernelLog', 'irqChips', 'configLines', 'moduleFiles'],
  },
} as const satisfies Readonly<Record<string, Excerpt>>;
