import { compact } from '../compact.ts';

/** One fault that an Intel IOMMU reported. */
export interface DmarFault {
  readonly kind: 'dma' | 'interrupt';
  /** `04:00.0`: the unit does not say its PCI segment. */
  readonly device: string;
  readonly access?: 'read' | 'write';
  /** Of the memory, or the index of the interrupt; hex digits without `0x`. */
  readonly at: string;
  /** The fault reason of the VT-d specification; absent when the line was cut before it. */
  readonly code?: number;
  /** What that means, in a half-sentence. */
  readonly meaning: string;
  readonly line: string;
}

/**
 * A line of dmar_fault_do_one (drivers/iommu/intel/dmar.c) in the forms it has had: `DMAR:[DMA Write] Request device
 * [01:00.0] fault addr fffc0000` with the reason on a line of its own, `PASID ffffffff` behind the device (5.x), and
 * `[DMA Read NO_PASID] Request device [0x04:0x00.0] fault addr 0xfff01000 [fault reason 0x06]` (5.15 and later).
 */
const FAULT =
  /\[(DMA Read|DMA Write|INTR-REMAP)(?: NO_PASID| PASID (?:0x)?[0-9a-f]{1,8})?\] Request device \[(?:0x)?([0-9a-f]{2}):(?:0x)?([0-9a-f]{2})\.(?:0x)?([0-7])\](?: PASID [0-9a-f]{1,8})? fault (?:addr|index) (?:0x)?([0-9a-f]{1,16})\b(?: {0,3}\[fault reason (0x)?([0-9a-f]{1,2})\])?/i;

/** The reason by itself, in the line after its fault: `DMAR:[fault reason 05] PTE Write access is not set`. */
const REASON_ALONE = /^DMAR: ?\[fault reason (0x)?([0-9a-f]{1,2})\]/i;

/** Decodes the faults among lines of a log. */
export function dmarFaults(lines: readonly string[]): readonly DmarFault[] {
  return lines.flatMap((line, at) => {
    const match = FAULT.exec(line);
    return match === null ? [] : [faultOf(match, line, lines[at + 1])];
  });
}

function faultOf(match: RegExpExecArray, line: string, next: string | undefined): DmarFault {
  const [, what = '', bus = '', slot = '', fn = '', address = '', hex, digits] = match;
  const code = reasonCode(hex, digits) ?? reasonAlone(next);
  const common = {
    device: `${bus}:${slot}.${fn}`.toLowerCase(),
    at: address.toLowerCase(),
    ...compact({ code }),
    meaning: meaningOf(code),
    line,
  };
  if (what.toUpperCase() === 'INTR-REMAP') return { kind: 'interrupt', ...common };
  return { kind: 'dma', access: /read$/i.test(what) ? 'read' : 'write', ...common };
}

function reasonAlone(next: string | undefined): number | undefined {
  const [, hex, digits] = REASON_ALONE.exec(next ?? '') ?? [];
  return reasonCode(hex, digits);
}

/** Kernels before 5.15 print the reason in decimal, later ones in hex with `0x`. */
function reasonCode(hex: string | undefined, digits: string | undefined): number | undefined {
  if (digits === undefined) return undefined;
  const code = Number.parseInt(digits, hex === undefined ? 10 : 16);
  return Number.isNaN(code) ? undefined : code;
}

function meaningOf(code: number | undefined): string {
  if (code === undefined) return 'the log does not say why';
  const known = MEANINGS.get(code);
  if (known !== undefined) return known;
  if (code >= 0x30) return 'the tables of scalable mode do not allow it';
  return 'a reason that this release does not know';
}

/** By fault reason (VT-d specification, "Fault conditions"; the kernel's texts stand in dmar.c). */
const MEANINGS: ReadonlyMap<number, string> = new Map([
  [0x00, 'the kernel blocked it'],
  [0x01, 'its bus has no tables in the IOMMU'],
  [0x02, 'the kernel knows no device under this number, so it may touch no memory at all'],
  [0x03, 'its entry in the tables is not valid'],
  [0x04, 'the address is beyond what the IOMMU can translate'],
  [0x05, 'nobody has given it this memory to write to'],
  [0x06, 'nobody has given it this memory to read from'],
  [0x07, 'its page tables are damaged'],
  [0x08, 'the root table is not where the IOMMU was told'],
  [0x09, 'the context table is not where the IOMMU was told'],
  [0x0a, 'the root table is damaged'],
  [0x0b, 'the context table is damaged'],
  [0x0c, 'its page tables are damaged'],
  [0x0d, 'its DMA is blocked on purpose'],
  [0x20, 'the interrupt has reserved bits set'],
  [0x21, 'the interrupt has a number beyond the table'],
  [0x22, 'the interrupt has no entry in the table: it was freed, or never asked for'],
  [0x23, 'the table of interrupts could not be read'],
  [0x24, 'the entry of the interrupt is damaged'],
  [0x25, 'the interrupt has the old form without remapping, which is blocked'],
  [0x26, 'the interrupt belongs to another device'],
]);

/** Whether the reason says that the kernel knows no such device, rather than no such memory. */
export const isUnknownDevice = ({ code }: DmarFault): boolean => code === 0x01 || code === 0x02;
