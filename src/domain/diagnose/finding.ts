import type { Code } from '../codes.ts';
import type { Temperature } from '../device-facts.ts';
import type { Facts } from '../facts.ts';

/** `critical`: guests cannot own devices safely, or at all; `warning`: it works, and will bite; `note`: worth knowing. */
export type Severity = 'critical' | 'warning' | 'note';

export type Topic =
  'firmware' | 'kernel' | 'faults' | 'isolation' | 'driver' | 'traces' | 'guests' | 'hardware';

/** Everything that rules look at: what was read of one host, or of a capture. Absent: it could not be read. */
export interface Symptoms {
  readonly facts: Facts;
  /** Lines of the kernel's log of this boot without time stamps, oldest first, of what matters here (src/host/scripts). */
  readonly kernelLog?: readonly string[];
  /** The last lines of /var/log/libvirt/qemu/GUEST.log, by guest. */
  readonly guestLogs: Readonly<Record<string, readonly string[]>>;
  /** Denials of AppArmor or SELinux in the audit log, where that is not the kernel's log. */
  readonly auditLog?: readonly string[];
  /** Why the machine booted last, by watchdog: `bootstatus` of /sys/class/watchdog, not 0. */
  readonly bootStatus: Readonly<Record<string, number>>;
  /** Chips of the interrupts 0 to 9, by number: /sys/kernel/irq/N/chip_name; `IR-` in front when interrupts are remapped. */
  readonly irqChips?: Readonly<Record<string, string>>;
  /** Of the modules that VFIO and KVM consist of: those that the running kernel has, loaded or not, with `_`. */
  readonly moduleFiles?: readonly string[];
  /**
   * Sensors of the machine itself by chip: /sys/class/hwmon/hwmonN/{name,tempM_label,tempM_input,tempM_crit,tempM_max}, in
   * thousandths of a degree there, the limit as for a function's (`crit`, else `max`). Those of PCI functions, whose `device`
   * link leads below a PCI address, stand in their facts already.
   */
  readonly hwmon?: Readonly<Record<string, readonly Temperature[]>>;
  /** Lines about the IOMMU, VFIO and blacklists in the files of the boot loader and of modprobe, without comments. */
  readonly configLines?: readonly ConfigLine[];
}

/** One line of a configuration file. */
export interface ConfigLine {
  readonly path: string;
  readonly text: string;
}

/** The line or the value that proves a finding. */
export interface Proof {
  /** A path, `dmesg`, or the name of what was read. */
  readonly source: string;
  /** In one line of at most 300 characters, as it was found. */
  readonly text: string;
}

/** What one rule says of one host. */
export interface Finding {
  readonly code: Code;
  readonly topic: Topic;
  readonly severity: Severity;
  /** What is so here, with names, addresses and numbers. */
  readonly sentence: string;
  readonly proof: readonly Proof[];
  /** The next command, or the next thing to do, in one line. */
  readonly next: string;
}

/**
 * A rule: data, and one pure function. Its code has an entry in src/domain/codes, which says symptom, causes and exits. The
 * findings of a rule that `explains` others stand before theirs, which are then effects and not causes.
 */
export interface Rule {
  readonly code: Code;
  readonly topic: Topic;
  readonly severity: Severity;
  readonly explains?: readonly Code[];
  readonly find: (symptoms: Symptoms) => readonly Pick<Finding, 'sentence' | 'proof' | 'next'>[];
}
