import { compact } from '../compact.ts';

/** One error of PCI Express that the kernel logged with its device. */
export interface AerEvent {
  /** Who reported it: `0000:01:00.0`. */
  readonly device: string;
  readonly severity: 'corrected' | 'non-fatal' | 'fatal';
  /** `Physical Layer`, `Data Link Layer`, `Transaction Layer`; absent when the line does not say. */
  readonly layer?: string;
  readonly line: string;
}

/**
 * `nvme 0000:01:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)` (drivers/pci/pcie/aer.c,
 * aer_print_error); `Correctable` and `Uncorrectable` since 6.9, `AER: ` in front of it in some releases.
 */
const BUS_ERROR =
  /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:AER: )?PCIe Bus Error: severity=(Correct|Uncorrect)(?:ed|able)(?: \((Non-Fatal|Fatal)\))?(?:, type=([A-Za-z ]{1,30}))?/;

/** The errors among lines of a log, of each the line that names device and severity. */
export function aerEvents(lines: readonly string[]): readonly AerEvent[] {
  return lines.flatMap((line) => {
    const [, device, correct, fatal, layer] = BUS_ERROR.exec(line) ?? [];
    if (device === undefined) return [];
    const uncorrected = fatal === 'Fatal' ? ('fatal' as const) : ('non-fatal' as const);
    const severity = correct === 'Correct' ? ('corrected' as const) : uncorrected;
    return [compact({ device, severity, layer: layer?.trim(), line })];
  });
}
