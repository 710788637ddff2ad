import { diagnose, type RankedFinding } from '../../../../src/domain/diagnose/diagnose.ts';
import { FAULTS_RULES } from '../../../../src/domain/diagnose/faults.ts';
import type { Symptoms } from '../../../../src/domain/diagnose/finding.ts';
import { FIRMWARE_RULES } from '../../../../src/domain/diagnose/firmware.ts';
import { KERNEL_RULES } from '../../../../src/domain/diagnose/kernel.ts';
import type { DeviceFacts, PciFunction } from '../../../../src/domain/device-facts.ts';
import type { Facts } from '../../../../src/domain/facts.ts';
import {
  deviceFacts,
  grubWith,
  hostWith,
  iommuGroup,
  ownGroups,
  pciFunction,
} from '../../../support/device-facts.ts';

/** What a host shows, in its real formats, beside what every healthy host of the tests has. */
export interface Excerpt {
  /** As the script prints it: without times. */
  readonly log?: readonly string[];
  readonly facts?: Partial<Facts>;
  readonly devices?: Partial<DeviceFacts>;
  readonly over?: Partial<Symptoms>;
  /** Parts that were not to be read. */
  readonly unread?: readonly (keyof Symptoms)[];
}

/** The functions of the tests' host: a NIC of the host, a GPU of a guest, a SATA card, and the host bridge. */
export const FUNCTIONS: readonly PciFunction[] = [
  pciFunction('0000:00:00.0', { class: '060000', driver: null, parents: [] }),
  pciFunction('0000:01:00.0', {
    driver: 'vfio-pci',
    override: 'vfio-pci',
    class: '030000',
    uses: [{ kind: 'guest', what: 'guest edge-gw runs with it' }],
  }),
  pciFunction('0000:02:00.0', { driver: 'ahci', class: '010601' }),
  pciFunction('0000:03:00.0', { net: ['eth0'] }),
  pciFunction('0000:04:00.0', { driver: 'mpt3sas', class: '010700' }),
];

/** A healthy Intel host with its IOMMU on, translated; everything was read. */
export function symptomsOf({
  log = [],
  facts = {},
  devices = {},
  over = {},
  unread = [],
}: Excerpt): Symptoms {
  const found = deviceFacts(FUNCTIONS, {
    groups: ownGroups(FUNCTIONS),
    modules: ['vfio_pci', 'kvm_intel'],
    ...devices,
  });
  const all: Symptoms = {
    facts: hostWith(found, facts),
    kernelLog: log,
    guestLogs: {},
    bootStatus: {},
    irqChips: { '1': 'IR-IO-APIC', '2': 'XT-PIC' },
    moduleFiles: ['vfio', 'vfio_pci', 'vfio_iommu_type1', 'kvm', 'kvm_intel'],
    configLines: [],
    ...over,
  };
  const kept = Object.entries(all).filter(([name]) => !unread.some((part) => part === name));
  return Object.fromEntries(kept) as unknown as Symptoms;
}

/** The same host with this line, in this boot and the next. */
export const lineOf = (...args: readonly string[]): Partial<Facts> => {
  const line = ['root=UUID=58589ca0', 'ro', ...args];
  return { runningArgs: line, bootLoader: grubWith(line) };
};

/** An AMD host with its IOMMU on. */
export const AMD: Partial<Facts> = {
  ...lineOf(),
  cpu: { vendor: 'amd', virtualization: true },
  firmware: { dmar: false, ivrs: true },
  iommu: { units: ['ivhd0'], groups: [{ id: '0', type: 'DMA-FQ' }], interruptRemapping: true },
};

export const NO_IOMMU: Facts['iommu'] = { units: [], groups: [], interruptRemapping: false };

/** A group with reserved memory, of the guest's card. */
export const RMRR_GROUP = iommuGroup('1', ['0000:01:00.0'], { rmrr: true });

/** What the rules of the firmware, the kernel and faults find, in order. */
export const findings = (excerpt: Excerpt): readonly RankedFinding[] =>
  diagnose(symptomsOf(excerpt), [...FIRMWARE_RULES, ...KERNEL_RULES, ...FAULTS_RULES]);
