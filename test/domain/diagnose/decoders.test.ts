import { describe, expect, it } from 'vitest';
import { aerEvents } from '../../../src/domain/diagnose/aer-events.ts';
import { amdViEvents, type AmdViEvent } from '../../../src/domain/diagnose/amd-vi-events.ts';
import { dmarFaults, type DmarFault } from '../../../src/domain/diagnose/dmar-faults.ts';

/** The fault reasons of the VT-d specification, as the kernel prints them since 5.15. */
const REASONS: readonly (readonly [string, string, RegExp])[] = [
  ['0x01', 'Present bit in root entry is clear', /bus has no tables/],
  ['0x02', 'Present bit in context entry is clear', /no device under this number/],
  ['0x03', 'Invalid context entry', /entry in the tables is not valid/],
  ['0x04', 'Access beyond MGAW', /beyond what the IOMMU can translate/],
  ['0x05', 'PTE Write access is not set', /to write to/],
  ['0x06', 'PTE Read access is not set', /to read from/],
  ['0x07', 'Next page table ptr is invalid', /page tables are damaged/],
  ['0x08', 'Root table address invalid', /root table is not where/],
  ['0x09', 'Context table ptr is invalid', /context table is not where/],
  ['0x0a', 'non-zero reserved fields in RTP', /root table is damaged/],
  ['0x0b', 'non-zero reserved fields in CTP', /context table is damaged/],
  ['0x0c', 'non-zero reserved fields in PTE', /page tables are damaged/],
  ['0x0d', 'PCE for translation request specifies blocking', /blocked on purpose/],
  ['0x30', 'SM: Invalid Root Table Address', /scalable mode/],
  ['0x59', 'SM: Present bit in PASID Table is clear', /scalable mode/],
  ['0x1f', 'Unknown', /this release does not know/],
];

/** Those of interrupts. */
const INTERRUPTS: readonly (readonly [string, RegExp])[] = [
  ['0x20', /reserved bits/],
  ['0x21', /beyond the table/],
  ['0x22', /no entry in the table/],
  ['0x23', /could not be read/],
  ['0x24', /damaged/],
  ['0x25', /old form/],
  ['0x26', /another device/],
];

/** Each type of the event log, with its line as the kernel prints it, and what is read of it. */
const EVENTS: readonly (readonly [string, Partial<AmdViEvent>])[] = [
  [
    'nvme 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a address=0xf01f1000 flags=0x0050]',
    { kind: 'dma', device: '0000:01:00.0', access: 'read', address: 'f01f1000', domain: '000a' },
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:06:00.0 domain=0x0000 address=0xdc707028 flags=0x0030]',
    { kind: 'dma', device: '0000:06:00.0', access: 'write' },
  ],
  [
    'xhci_hcd 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000d address=0xdc707028 flags=0x0090]',
    { kind: 'dma', meaning: 'its page tables are damaged' },
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=00:14.0 domain=0x0000 address=0xfffffffdf8020200 flags=0x0008]',
    { kind: 'interrupt', device: '00:14.0' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=0000:06:00.0 pasid=0x00000 address=0x135300000 flags=0x0080]',
    { kind: 'iommu', device: '0000:06:00.0', address: '135300000' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [DEV_TAB_HARDWARE_ERROR device=0000:06:00.0 address=0x1000 flags=0x0010]',
    { kind: 'iommu', type: 'DEV_TAB_HARDWARE_ERROR' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [PAGE_TAB_HARDWARE_ERROR device=0000:06:00.0 pasid=0x0000 address=0x1000 flags=0x0010]',
    { kind: 'iommu', type: 'PAGE_TAB_HARDWARE_ERROR' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x42b5b01a0]',
    { kind: 'iommu', type: 'ILLEGAL_COMMAND_ERROR' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR address=0x42b5b01a0 flags=0x0000]',
    { kind: 'iommu', type: 'COMMAND_HARDWARE_ERROR' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=63:00.0 address=0x42b5b01a0]',
    { kind: 'no-answer', device: '63:00.0' },
  ],
  [
    'iommu ivhd1: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:00:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]',
    { kind: 'request', device: '0000:00:00.0' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [INVALID_PPR_REQUEST device=0000:06:00.0 pasid=0x00001 address=0x7f00 flags=0x0000 tag=0x001]',
    { kind: 'request', type: 'INVALID_PPR_REQUEST' },
  ],
  [
    'nvme 0000:01:00.0: AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag=0x0000, gpa=0x1000, flags_rmp=0x0001, flags=0x0020]',
    { kind: 'dma', device: '0000:01:00.0', address: '1000' },
  ],
  [
    'AMD-Vi: Event logged [RMP_HW_ERROR device=0000:06:00.0, vmg_tag=0x0000, spa=0x2000, flags=0x0020]',
    { kind: 'iommu', device: '0000:06:00.0', address: '2000' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [UNKNOWN event[0]=0x00000001 event[1]=0x90000000 event[2]=0x00000000 event[3]=0x00000000',
    { kind: 'iommu', meaning: 'an event that this release does not know' },
  ],
];

const dma = (reason: string, text: string): string =>
  `DMAR: [DMA Read NO_PASID] Request device [04:00.0] fault addr 0xfff01000 [fault reason ${reason}] ${text}`;

describe('the decoder of Intel faults', () => {
  it.each(REASONS)('knows reason %s, %s', (reason, text, meaning) => {
    const [fault] = dmarFaults([dma(reason, text)]);
    expect(fault).toMatchObject({ kind: 'dma', device: '04:00.0', access: 'read', at: 'fff01000' });
    expect(fault?.meaning).toMatch(meaning);
  });

  it.each(INTERRUPTS)('knows reason %s of interrupts', (reason, meaning) => {
    const line = `DMAR: [INTR-REMAP] Request device [e2:00.0] fault index 0xa00 [fault reason ${reason}] x`;
    const [fault] = dmarFaults([line]);
    expect(fault).toMatchObject({ kind: 'interrupt', device: 'e2:00.0', at: 'a00' });
    expect(fault).not.toHaveProperty('access');
    expect(fault?.meaning).toMatch(meaning);
  });

  it('reads every form that the line has had', () => {
    const forms = [
      'dmar: DMAR:[DMA Write] Request device [04:00.0] fault addr fff01000 \nDMAR:[fault reason 05] PTE Write access is not set',
      'DMAR: [DMA Write] Request device [04:00.0] fault addr fff01000 [fault reason 05] PTE Write access is not set',
      'DMAR: [DMA Write] Request device [04:00.0] PASID ffffffff fault addr fff01000 [fault reason 05] PTE Write access is not set',
      'DMAR: [DMA Write NO_PASID] Request device [04:00.0] fault addr 0xfff01000 [fault reason 0x05] PTE Write access is not set',
      'DMAR: [DMA Write NO_PASID] Request device [0x04:0x00.0] fault addr 0xfff01000 [fault reason 0x05] PTE Write access is not set',
      'DMAR: [DMA Write PASID 0x12] Request device [04:00.0] fault addr 0xfff01000 [fault reason 0x05] PTE Write access is not set',
    ];
    const expected: Partial<DmarFault> = {
      device: '04:00.0',
      access: 'write',
      at: 'fff01000',
      code: 5,
    };
    for (const form of forms) expect(dmarFaults(form.split('\n'))).toMatchObject([expected]);
  });

  it('reads a reason above 9 in decimal where there is no 0x in front', () => {
    expect(dmarFaults([dma('12', 'non-zero reserved fields in PTE')])[0]?.code).toBe(12);
    expect(dmarFaults([dma('0x0c', 'non-zero reserved fields in PTE')])[0]?.code).toBe(12);
  });

  it('says of a line without its reason that the log does not say why', () => {
    const [fault] = dmarFaults(['DMAR:[DMA Read] Request device [04:00.0] fault addr fff00000 ']);
    expect(fault).toMatchObject({ meaning: 'the log does not say why' });
    expect(fault).not.toHaveProperty('code');
  });
});

describe('the decoder of AMD events', () => {
  it.each(EVENTS)('reads %s', (line, expected) => {
    expect(amdViEvents([line])).toMatchObject([expected]);
  });

  it('says nothing of read or write where the page is not there', () => {
    const line =
      'bnxt_en 0000:21:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x001e address=0x41137800 flags=0x0020]';
    expect(amdViEvents([line])[0]).not.toHaveProperty('access');
  });

  it('reads what is left of a line that was cut', () => {
    expect(amdViEvents(['AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:06'])).toMatchObject([
      { kind: 'dma', meaning: 'nobody has given it this memory' },
    ]);
  });
});

describe('the reader of PCI Express errors', () => {
  it.each([
    [
      'nvme 0000:02:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)',
      { device: '0000:02:00.0', severity: 'corrected', layer: 'Physical Layer' },
    ],
    [
      'pcieport 0000:00:1c.0: AER: PCIe Bus Error: severity=Corrected, type=Data Link Layer, (Transmitter ID)',
      { device: '0000:00:1c.0', severity: 'corrected', layer: 'Data Link Layer' },
    ],
    [
      'vfio-pci 0000:03:00.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, (Requester ID)',
      { device: '0000:03:00.0', severity: 'non-fatal', layer: 'Transaction Layer' },
    ],
    [
      '0000:40:00.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer, id=0500(Requester ID)',
      { device: '0000:40:00.0', severity: 'fatal' },
    ],
    [
      'nvme 0000:02:00.0: PCIe Bus Error: severity=Correctable, type=Physical Layer, (Receiver ID)',
      { severity: 'corrected' },
    ],
  ])('reads %s', (line, expected) => {
    expect(aerEvents([line])).toMatchObject([expected]);
  });
});
