import type { Code } from '../codes.ts';
import { deviceNamed } from './device-named.ts';
import type { Severity, Symptoms } from './finding.ts';
import { groupedBy, logLines, logProofs, timesText } from './proof.ts';
import type { Found } from './rule-parts.ts';

/** An error of VFIO in the kernel's log. */
export interface VfioError {
  readonly code: Code;
  readonly severity: Severity;
  readonly pattern: RegExp;
  /** What the device does, after its name. */
  readonly says: string;
  readonly next: string;
}

/** The address in front of a line (`vfio-pci 0000:01:00.0: ...`) or in it (`probe of 0000:01:00.0 failed`). */
const ADDRESS = /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b/;

/** By code; drivers/vfio, drivers/pci/{pci,rom,setup-res}.c. */
export const VFIO_ERRORS: readonly VfioError[] = [
  {
    code: 'vfio.no-iommu-mode',
    severity: 'critical',
    pattern: /Adding kernel taint for vfio-noiommu group|vfio-noiommu device opened by user/,
    says: 'is given out without any IOMMU: who has it can read and write all memory of the host',
    next: 'turn the IOMMU on, and take enable_unsafe_noiommu_mode out of modprobe.d and the kernel line',
  },
  {
    code: 'vfio.device-stuck',
    severity: 'warning',
    pattern:
      /not ready \d{1,7}ms after (?:FLR|bus reset|resume|D3hot->D0|[A-Za-z0-9 >-]{1,20}); giving up|vfio-pci .*(?:Unable to change power state|[Rr]efused to change power state)|vfio_bar_restore: reset recovery/,
    says: 'did not come back from a reset or from sleep',
    next: 'only power brings such a device back: power-cycle the host (a reboot may not do); disable_idle_d3 for vfio-pci keeps it from sleeping',
  },
  {
    code: 'vfio.bar-in-use',
    severity: 'warning',
    pattern: /vfio-pci .*BAR \d{1,2}.{0,60}can't reserve/,
    says: 'has memory that something else on the host holds, most often the console of the firmware (efifb, simplefb)',
    next: 'keep the console off the card: another card as the first one in setup, or video=efifb:off (before 5.15), initcall_blacklist=sysfb_init (since) on the kernel line',
  },
  {
    code: 'vfio.probe-failed',
    severity: 'warning',
    pattern:
      /vfio[-_]pci(?:: probe of [0-9a-f:.]{10,20}| [0-9a-f:.]{10,20}: probe with driver vfio-pci) failed with error -\d{1,3}|found in denylist, driver .{0,20}will not|vfio-pci .*(?:denylist|blacklist)/,
    says: 'could not be bound to vfio-pci',
    next: 'see that it has an IOMMU group (error -22 says that it has none), and that vfio-pci does not refuse the model',
  },
  {
    code: 'vfio.memory-limit',
    severity: 'critical',
    pattern: /vfio_pin_\w{1,30}: RLIMIT_MEMLOCK \(\d{1,20}\) exceeded/,
    says: 'could not have the memory of its guest: the limit of locked memory is too low',
    next: 'let libvirt start the guest, which sets the limit, or raise hard_limit of its memtune; a guest without libvirt needs ulimit -l',
  },
  {
    code: 'vfio.rom-unreadable',
    severity: 'note',
    pattern: /vfio-pci .*(?:Invalid PCI ROM header signature|Invalid PCI ROM data signature)/,
    says: 'has a ROM that cannot be read, which a guest may need to show anything before its driver is loaded',
    next: 'give the guest the ROM as a file (<rom file=...> in its hostdev), or none at all (<rom bar="off"/>)',
  },
];

/** The errors of one code, together for each device. */
export function vfioErrors(symptoms: Symptoms, code: Code): readonly Found[] {
  const error = VFIO_ERRORS.find((one) => one.code === code);
  if (error === undefined) return [];
  const lines = logLines(symptoms, error.pattern);
  const addressOf = (line: string): string => ADDRESS.exec(line)?.[1] ?? '';
  return [...groupedBy(lines, addressOf)].map(([address, mine]) => {
    const { text } = deviceNamed(symptoms.facts.devices, address);
    const name = address === '' ? 'a device of a guest' : text;
    return {
      sentence: `${name} ${error.says} (${timesText(mine.length)})`,
      proof: logProofs(mine),
      next: error.next,
    };
  });
}
