import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import { FAULT_EXCERPTS, HEALTHY_EXCERPTS } from './excerpts/faults.ts';
import { findings } from './excerpts/symptoms.ts';

/** The codes in their order, and what the first finding says. */
const CASES: readonly (readonly [keyof typeof FAULT_EXCERPTS, readonly Code[], RegExp])[] = [
  [
    'a read that nobody allowed, since 5.15',
    ['fault.dma-blocked'],
    /^0000:04:00\.0, mpt3sas was kept 2 times from reading memory at 0xfff01000: nobody/,
  ],
  [
    'a write of a guest that was ended, 5.10',
    ['fault.dma-blocked'],
    /^0000:01:00\.0, vfio-pci, guest edge-gw runs with it was kept once from writing/,
  ],
  [
    'a SATA card under the number of another function',
    ['fault.dma-blocked'],
    /^02:00\.1 was kept once .* the kernel knows no device under this number/,
  ],
  [
    'the two lines of an old kernel',
    ['fault.dma-blocked'],
    /^0000:04:00\.0.* reading memory at 0xfff00000: nobody has given it this memory to read/,
  ],
  ['an address with 0x in all its parts', ['fault.dma-blocked'], /^0000:04:00\.0.*scalable mode/],
  ['an interrupt of the chipset', ['fault.interrupt-blocked'], /^f0:1f\.0 .*old form/],
  [
    'an interrupt of another device, in decimal',
    ['fault.interrupt-blocked'],
    /^0000:02:00\.0, ahci .*belongs to another device/,
  ],
  [
    'an AMD host: a write to memory that is only to be read',
    ['fault.dma-blocked'],
    /^0000:02:00\.0, ahci was kept once from writing to memory at 0xecdd5004.*not to write/,
  ],
  [
    'an AMD host: memory that is not there',
    ['fault.dma-blocked'],
    /^0000:03:00\.0 \(eth0\), i40e was kept 2 times from memory at 0x41137800/,
  ],
  [
    'an AMD host before 6.0, without the segment',
    ['fault.dma-blocked'],
    /^0000:01:00\.0, vfio-pci.* reading memory/,
  ],
  [
    'an AMD host: an interrupt without an entry',
    ['fault.interrupt-blocked'],
    /^0000:02:00\.0, ahci sent an interrupt/,
  ],
  [
    'an AMD host: a device that does not answer',
    ['fault.iommu-error'],
    /0000:01:00\.0, .* 2 times: it did not answer/,
  ],
  ['an AMD host: an entry that is not valid', ['fault.iommu-error'], /0000:02:00\.0.*not valid/],
  ['an AMD host: a request that is forbidden', ['fault.request-refused'], /0000:03:00\.0/],
  ['an AMD host that waits for a device', ['fault.iommu-error'], /did not end .* 2 times/],
  ['an Intel host that waits for a device', ['fault.iommu-error'], /did not end .* once/],
  [
    'a link that corrects all the time',
    ['fault.aer-corrected'],
    /^0000:02:00\.0, ahci logged corrected errors .*\(Physical Layer\) 12 times/,
  ],
  ['an error that was not corrected, 5.4', ['fault.aer-uncorrected'], /non-fatal .*Transaction/],
  [
    'a fatal error behind a port that shut its link, 6.9',
    ['fault.aer-uncorrected', 'vfio.device-stuck'],
    /^0000:01:00\.0, .* fatal errors .*Data Link Layer/,
  ],
  ['a card that the console of the firmware holds', ['vfio.bar-in-use'], /efifb.*2 times/],
  ['a card whose ROM is off', ['vfio.rom-unreadable'], /^0000:01:00\.0.* has a ROM/],
  ['a device without a group', ['vfio.probe-failed'], /^0000:04:00\.0/],
  ['a guest with too little locked memory', ['vfio.memory-limit'], /^a device of a guest could/],
  ['VFIO without an IOMMU', ['vfio.no-iommu-mode'], /without any IOMMU/],
  ['interrupts that are not remapped', ['iommu.no-interrupt-remapping'], /not remapped/],
  [
    'the same, and declared harmless',
    ['iommu.no-interrupt-remapping', 'vfio.unsafe-interrupts'],
    /not remapped/,
  ],
  ['declared harmless, and not needed', ['vfio.unsafe-interrupts'], /unsafe interrupts/],
];

const HEALTHY = Object.keys(HEALTHY_EXCERPTS) as readonly (keyof typeof HEALTHY_EXCERPTS)[];

describe('the rules of faults', () => {
  it.each(CASES)('find in %s what is wrong, the cause first', (name, codes, sentence) => {
    const found = findings(FAULT_EXCERPTS[name]);
    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(found[0]?.sentence).toMatch(sentence);
    for (const { proof, next } of found) {
      expect(proof).not.toEqual([]);
      expect(next).not.toBe('');
    }
  });

  it('has a case for each excerpt', () => {
    expect(CASES.map(([name]) => name)).toEqual(Object.keys(FAULT_EXCERPTS));
  });

  it.each(HEALTHY)('find nothing in %s', (name) => {
    expect(findings(HEALTHY_EXCERPTS[name])).toEqual([]);
  });

  it('tell whose fault it is likely to be, by who has the device', () => {
    const next = (name: keyof typeof FAULT_EXCERPTS) => findings(FAULT_EXCERPTS[name])[0]?.next;
    expect(next('a write of a guest that was ended, 5.10')).toContain('look at the guest');
    expect(next('a read that nobody allowed, since 5.15')).toContain('update the driver');
    expect(next('a SATA card under the number of another function')).toContain('no such function');
    expect(next('an interrupt of the chipset')).toContain('f0:1f');
  });

  it('say why unsafe interrupts are none of the ways out, and which file asks for them', () => {
    const [remapping, unsafe] = findings(FAULT_EXCERPTS['the same, and declared harmless']);
    expect(remapping?.next).toContain('do not write allow_unsafe_interrupts');
    expect(unsafe?.follows).toEqual(['iommu.no-interrupt-remapping']);
    expect(unsafe?.proof.map(({ source }) => source)).toContain('/etc/modprobe.d/iommu.conf');
    expect(unsafe?.next).toContain('turn interrupt remapping on');
    const [needless] = findings(FAULT_EXCERPTS['declared harmless, and not needed']);
    expect(needless?.next).toContain('nothing needs it');
  });

  it('say of ten thousand faults of one device one thing, with the first and the last line', () => {
    const log = Array.from(
      { length: 10_000 },
      (_, at) =>
        `DMAR: [DMA Read NO_PASID] Request device [04:00.0] fault addr 0x${at.toString(16)}000 [fault reason 0x06] PTE Read access is not set`,
    );
    const found = findings({ log });
    expect(found).toHaveLength(1);
    expect(found[0]?.sentence).toContain('10000 times');
    expect(found[0]?.proof.map(({ text }) => text)).toEqual([log[0], log[1], log[9_999]]);
  });
});
