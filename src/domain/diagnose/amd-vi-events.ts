import { compact } from '../compact.ts';

/**
 * What an event is about: memory that a device may not touch, an interrupt it may not send, a request of a form that it may
 * not make, a device that does not answer the IOMMU, or the IOMMU itself.
 */
export type AmdViKind = 'dma' | 'interrupt' | 'request' | 'no-answer' | 'iommu';

/** One event that an AMD IOMMU logged. */
export interface AmdViEvent {
  /** As the kernel prints it: `IO_PAGE_FAULT`. */
  readonly type: string;
  readonly kind: AmdViKind;
  /** `0000:02:00.0`, or `02:00.0` of kernels that print no segment; absent when the event names none. */
  readonly device?: string;
  readonly access?: 'read' | 'write';
  /** Hex digits without `0x`. */
  readonly address?: string;
  /** The domain's id. */
  readonly domain?: string;
  readonly meaning: string;
  readonly line: string;
}

/**
 * A line of iommu_print_event (drivers/iommu/amd/iommu.c): the device stands in front (`ahci 0000:02:00.0: AMD-Vi: ...`)
 * where a driver has it, else in the event (`device=0000:02:00.0`, before 6.0 without the segment).
 */
const EVENT = /AMD-Vi: Event logged \[ {0,3}([A-Z_]{3,40})\b(.{0,300})/;
const IN_FRONT = /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): AMD-Vi: Event logged/;

/** Decodes the events among lines of a log; a line that is cut short keeps what it has. */
export function amdViEvents(lines: readonly string[]): readonly AmdViEvent[] {
  return lines.flatMap((line) => {
    const [, type, rest = ''] = EVENT.exec(line) ?? [];
    return type === undefined ? [] : [eventOf(type, rest, line)];
  });
}

function eventOf(type: string, rest: string, line: string): AmdViEvent {
  const flags = hexOf(rest, 'flags');
  const device = fieldOf(rest, 'device') ?? IN_FRONT.exec(line)?.[1];
  const address = hexOf(rest, 'address') ?? hexOf(rest, 'gpa') ?? hexOf(rest, 'spa');
  const domain = hexOf(rest, 'domain');
  const meant = decoded(type, flags === undefined ? undefined : Number.parseInt(flags, 16));
  return compact({ type, ...meant, device, address, domain, line });
}

const FIELD = /\b(device|domain|address|gpa|spa|flags)=([0-9a-fx:.]{1,24})/g;

function fieldOf(rest: string, name: string): string | undefined {
  for (const [, key, value] of rest.matchAll(FIELD)) if (key === name) return value;
  return undefined;
}

const hexOf = (rest: string, name: string): string | undefined =>
  /^0x([0-9a-f]{1,16})$/.exec(fieldOf(rest, name) ?? '')?.[1];

interface Decoded {
  readonly kind: AmdViKind;
  readonly access?: 'read' | 'write';
  readonly meaning: string;
}

function decoded(type: string, flags: number | undefined): Decoded {
  if (type === 'IO_PAGE_FAULT') return pageFault(flags);
  return TYPES.get(type) ?? { kind: 'iommu', meaning: 'an event that this release does not know' };
}

/** Bits of the flags of IO_PAGE_FAULT (AMD 48882, "IO_PAGE_FAULT Event"; kernel: EVENT_FLAG_I, EVENT_FLAG_RW). */
const FLAG = { interrupt: 0x008, present: 0x010, write: 0x020, reserved: 0x080 } as const;

/** Whether it was a read or a write is said only of a page that is there. */
function pageFault(flags: number | undefined): Decoded {
  if (flags === undefined) return { kind: 'dma', meaning: 'nobody has given it this memory' };
  if ((flags & FLAG.interrupt) !== 0) {
    return { kind: 'interrupt', meaning: 'the interrupt has no valid entry in the table' };
  }
  if ((flags & FLAG.reserved) !== 0) return { kind: 'dma', meaning: 'its page tables are damaged' };
  if ((flags & FLAG.present) === 0) {
    return { kind: 'dma', meaning: 'nobody has given it this memory' };
  }
  const access = (flags & FLAG.write) === 0 ? 'read' : 'write';
  return { kind: 'dma', access, meaning: `it has this memory, but not to ${access}` };
}

/** By type (AMD 48882, "Event Log Entries"). */
const TYPES: ReadonlyMap<string, Decoded> = new Map<string, Decoded>([
  [
    'ILLEGAL_DEV_TABLE_ENTRY',
    { kind: 'iommu', meaning: 'its entry in the device table is not valid' },
  ],
  [
    'DEV_TAB_HARDWARE_ERROR',
    { kind: 'iommu', meaning: 'the device table could not be read: a fault of memory or bus' },
  ],
  [
    'PAGE_TAB_HARDWARE_ERROR',
    { kind: 'iommu', meaning: 'page tables could not be read: a fault of memory or bus' },
  ],
  [
    'ILLEGAL_COMMAND_ERROR',
    { kind: 'iommu', meaning: 'the IOMMU stopped at a command that it does not know' },
  ],
  [
    'COMMAND_HARDWARE_ERROR',
    { kind: 'iommu', meaning: 'the queue of commands could not be read: a fault of memory or bus' },
  ],
  [
    'IOTLB_INV_TIMEOUT',
    {
      kind: 'no-answer',
      meaning: 'it did not answer when it was to forget translations (ATS): it hangs, or is gone',
    },
  ],
  [
    'INVALID_DEVICE_REQUEST',
    { kind: 'request', meaning: 'it made a request that its entry in the device table forbids' },
  ],
  ['INVALID_PPR_REQUEST', { kind: 'request', meaning: 'it asked for a page and may not ask' }],
  [
    'RMP_PAGE_FAULT',
    { kind: 'dma', meaning: 'the memory belongs to a confidential guest, and not to it' },
  ],
  [
    'RMP_HW_ERROR',
    { kind: 'iommu', meaning: 'the table of who owns which page (RMP) could not be read' },
  ],
]);
