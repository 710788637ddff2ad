import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import { FIRMWARE_EXCERPTS } from './excerpts/firmware.ts';
import { findings } from './excerpts/symptoms.ts';

/** The codes in their order, and what the first finding says. */
const CASES: readonly (readonly [keyof typeof FIRMWARE_EXCERPTS, readonly Code[], RegExp])[] = [
  ['an Intel board with VT-d off', ['firmware.no-dmar', 'iommu.no-units'], /turn on VT-d/],
  [
    'a board on which a kernel finds no unit',
    ['firmware.no-dmar', 'iommu.no-units'],
    /no DMAR table/,
  ],
  ['an AMD board with its IOMMU on Auto', ['firmware.no-ivrs', 'iommu.no-units'], /turn on AMD-Vi/],
  [
    'VMX off, as kernels before 5.19 say it',
    ['firmware.no-virtualization', 'host.no-kvm'],
    /VMX\) is off/,
  ],
  [
    'VMX off, as later kernels say it',
    ['firmware.no-virtualization', 'host.no-kvm'],
    /VMX\) is off/,
  ],
  ['SVM off', ['firmware.no-virtualization'], /SVM is off/],
  [
    'a unit that answers with all ones',
    ['firmware.table-refused', 'iommu.no-units'],
    /DMAR table of the firmware damaged/,
  ],
  [
    'a unit at address 0, and nothing left',
    ['firmware.table-refused', 'iommu.no-units'],
    /uses no IOMMU/,
  ],
  ['a unit at address 0 beside one that works', ['firmware.table-odd'], /unit \(DRHD\)/],
  [
    'a device scope of the wrong type',
    ['firmware.table-refused', 'iommu.no-units'],
    /uses no IOMMU/,
  ],
  [
    'reserved memory that the memory map does not know',
    ['firmware.table-odd'],
    /leaves it in the memory map as free/,
  ],
  [
    'reserved memory for a device under a wrong number',
    ['firmware.table-odd'],
    /under a wrong number/,
  ],
  ['an affinity of a unit that does not exist', ['firmware.table-odd'], /NUMA node/],
  [
    'an interrupt controller that is not in the IVRS',
    ['firmware.table-odd', 'iommu.no-interrupt-remapping'],
    /interrupt controller/,
  ],
  [
    'an interrupt controller below no unit',
    ['firmware.table-odd', 'iommu.no-interrupt-remapping'],
    /interrupt controller/,
  ],
  ['a card that the BMC shares', ['devices.rmrr'], /0000:01:00\.0 \(RMRR\)/],
  ['the same card before any guest was started', ['devices.rmrr'], /group 1/],
  ['the same, as kernels since 6.6 say it', ['devices.rmrr'], /group 1/],
  ['a table that the kernel does not use, and no word why', ['iommu.no-units'], /is empty/],
  ['a unit without groups', ['iommu.no-groups'], /no groups/],
];

describe('the rules of the firmware', () => {
  it.each(CASES)('find in %s what is wrong, the cause first', (name, codes, sentence) => {
    const found = findings(FIRMWARE_EXCERPTS[name]);
    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(found[0]?.sentence).toMatch(sentence);
    for (const { proof, next } of found) {
      expect(proof).not.toEqual([]);
      expect(next).not.toBe('');
    }
  });

  it('has a case for each excerpt', () => {
    expect(CASES.map(([name]) => name)).toEqual(Object.keys(FIRMWARE_EXCERPTS));
  });

  it('shows the line that proves it', () => {
    const proofs = (name: keyof typeof FIRMWARE_EXCERPTS) =>
      findings(FIRMWARE_EXCERPTS[name])[0]?.proof.map(({ source, text }) => `${source}: ${text}`);
    expect(proofs('SVM off')).toContain('dmesg: SVM disabled (by BIOS) in MSR_VM_CR');
    expect(proofs('a board on which a kernel finds no unit')).toEqual([
      '/sys/firmware/acpi/tables: neither DMAR nor IVRS is there',
      'dmesg: AMD IOMMU: Not found!',
    ]);
    expect(proofs('the same card before any guest was started')).toEqual([
      '/sys/kernel/iommu_groups/1/reserved_regions: a region of type direct',
    ]);
  });

  it('marks what only follows', () => {
    const [cause, effect] = findings(FIRMWARE_EXCERPTS['an Intel board with VT-d off']);
    expect(cause?.follows).toEqual([]);
    expect(effect?.follows).toEqual(['firmware.no-dmar']);
  });
});
