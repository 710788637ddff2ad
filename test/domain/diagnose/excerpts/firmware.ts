import { deviceFacts, ownGroups } from '../../../support/device-facts.ts';
import { AMD, FUNCTIONS, NO_IOMMU, RMRR_GROUP, lineOf, type Excerpt } from './symptoms.ts';

const OFF = { iommu: NO_IOMMU, firmware: { dmar: false, ivrs: false } };
const otherGroups = deviceFacts(FUNCTIONS, { groups: ownGroups(FUNCTIONS) }).groups.filter(
  ({ id }) => id !== '1',
);

/** Lines as boards in the field show them. */
export const FIRMWARE_EXCERPTS = {
  'an Intel board with VT-d off': { facts: OFF },
  'a board on which a kernel finds no unit': {
    facts: OFF,
    log: ['AMD IOMMU: Not found!', 'iommu: Default domain type: Translated'],
  },
  'an AMD board with its IOMMU on Auto': {
    facts: { ...AMD, ...OFF },
    log: [
      'iommu: Default domain type: Translated',
      'iommu: DMA domain TLB invalidation policy: lazy mode',
    ],
  },
  'VMX off, as kernels before 5.19 say it': {
    facts: { cpu: { vendor: 'intel', virtualization: false }, kvm: false },
    log: ['x86/cpu: VMX (outside TXT) disabled by BIOS', 'kvm: disabled by bios'],
  },
  'VMX off, as later kernels say it': {
    facts: { cpu: { vendor: 'intel', virtualization: false }, kvm: false },
    log: ['kvm_intel: VMX not enabled (by BIOS) in MSR_IA32_FEAT_CTL on CPU 0'],
  },
  'SVM off': {
    facts: { ...AMD, cpu: { vendor: 'amd', virtualization: false } },
    log: ['SVM disabled (by BIOS) in MSR_VM_CR'],
  },
  'a unit that answers with all ones': {
    facts: { iommu: NO_IOMMU },
    log: [
      'DMAR: [Firmware Bug]: Your BIOS is broken; DMAR reported at address fed64000 returns all ones!',
      'DMAR: parse DMAR table failure.',
    ],
  },
  'a unit at address 0, and nothing left': {
    facts: { iommu: NO_IOMMU },
    log: ['Your BIOS is broken; DMAR reported at address 0!', 'dmar: parse DMAR table failure.'],
  },
  'a unit at address 0 beside one that works': {
    log: [
      'DMAR: [Firmware Bug]: Your BIOS is broken; DMAR reported at address 0!',
      'DMAR: DRHD base: 0x000000fed90000 flags: 0x0',
      'DMAR: dmar0: reg_base_addr fed90000 ver 4:0 cap 1c0000c40660462 ecap 69e2ff0505e',
    ],
  },
  'a device scope of the wrong type': {
    facts: { iommu: NO_IOMMU },
    log: [
      'DMAR: Device scope type does not match for 0000:85:00.0',
      'DMAR: Failed to initialize DMAR device scope',
    ],
  },
  'reserved memory that the memory map does not know': {
    log: [
      'DMAR: RMRR base: 0x0000003e2e0000 end: 0x0000003e2fffff',
      'DMAR: [Firmware Bug]: No firmware reserved region can cover this RMRR [0x000000003e2e0000-0x000000003e2fffff], contact BIOS vendor for fixes',
      'DMAR: [Firmware Bug]: Your BIOS is broken; bad RMRR [0x000000003e2e0000-0x000000003e2fffff]',
    ],
  },
  'reserved memory for a device under a wrong number': {
    log: ['DMAR: [Firmware Bug]: RMRR entry for device 02:00.0 is broken - applying workaround'],
  },
  'an affinity of a unit that does not exist': {
    log: [
      'DMAR: [Firmware Bug]: Your BIOS is broken; RHSA refers to non-existent DMAR unit at fbffc000',
    ],
  },
  'an interrupt controller that is not in the IVRS': {
    facts: { ...AMD, iommu: { ...AMD.iommu!, interruptRemapping: false } },
    over: { irqChips: { '1': 'IO-APIC' } },
    log: [
      'AMD-Vi: [Firmware Bug]: : IOAPIC[4] not in IVRS table',
      'AMD-Vi: [Firmware Bug]: : No southbridge IOAPIC found',
      'AMD-Vi: Disabling interrupt remapping',
    ],
  },
  'an interrupt controller below no unit': {
    facts: {
      iommu: { units: ['dmar0'], groups: [{ id: '0', type: 'DMA' }], interruptRemapping: false },
    },
    over: { irqChips: { '1': 'IO-APIC' } },
    log: [
      'DMAR-IR: IOAPIC id 2 under DRHD base  0xfed91000 IOMMU 1',
      'DMAR-IR: [Firmware Bug]: ioapic 0 has no mapping iommu, interrupt remapping will be disabled',
      'DMAR-IR: Not enabling interrupt remapping',
      'DMAR-IR: Failed to enable irq remapping. You are vulnerable to irq-injection attacks.',
    ],
  },
  'a card that the BMC shares': {
    devices: { groups: [...otherGroups, RMRR_GROUP] },
    log: [
      'vfio-pci 0000:01:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.',
    ],
  },
  'the same card before any guest was started': {
    devices: { groups: [...otherGroups, RMRR_GROUP] },
  },
  'the same, as kernels since 6.6 say it': {
    log: [
      'vfio-pci 0000:01:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
    ],
  },
  'a table that the kernel does not use, and no word why': {
    facts: { iommu: NO_IOMMU, ...lineOf('intel_iommu=on') },
  },
  'a unit without groups': {
    facts: { iommu: { units: ['dmar0'], groups: [], interruptRemapping: true } },
  },
} as const satisfies Readonly<Record<string, Excerpt>>;
