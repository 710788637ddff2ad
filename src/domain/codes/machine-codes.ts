import type { CodeEntries } from './code-entry.ts';

/** What the machine itself lacks: firmware, kernel, and the proof of the IOMMU. */
export const MACHINE_CODES = {
  'firmware.no-dmar': {
    sentence: 'The firmware has no DMAR table: VT-d is off in its setup.',
    symptom: 'The host is blocked before anything is written.',
    causes: [
      'VT-d ("Intel Virtualization for Directed I/O") is off in setup',
      'a firmware update put setup back to its defaults',
      'the board has no VT-d, or the host is itself a guest without a virtual IOMMU',
    ],
    exits: [
      'see it on the host: `ls /sys/firmware/acpi/tables/DMAR`',
      'turn VT-d on in setup (`systemctl reboot --firmware-setup` leads there), then `vfleet retry NAME HOST`',
    ],
  },
  'firmware.no-ivrs': {
    sentence: 'The firmware has no IVRS table: AMD-Vi is off in its setup.',
    symptom: 'The host is blocked before anything is written.',
    causes: [
      'AMD-Vi (called IOMMU, often under NBIO) is off in setup, or on "Auto"',
      'a firmware update put setup back to its defaults',
      'the host is itself a guest without a virtual IOMMU',
    ],
    exits: [
      'see it on the host: `ls /sys/firmware/acpi/tables/IVRS`',
      'turn the IOMMU on in setup (`systemctl reboot --firmware-setup` leads there), then `vfleet retry NAME HOST`',
    ],
  },
  'firmware.no-virtualization': {
    sentence: 'VMX or SVM is off in the setup of the firmware.',
    symptom: 'The host is blocked before anything is written.',
    causes: ['VT-x (Intel) or SVM (AMD) is off in setup', 'the host is itself a guest without it'],
    exits: [
      "see it on the host: `grep -owE 'vmx|svm' /proc/cpuinfo | sort -u`",
      'turn it on in setup (`systemctl reboot --firmware-setup` leads there), then `vfleet retry NAME HOST`',
    ],
  },
  'iommu.no-groups': {
    sentence: 'The IOMMU is on and has no groups.',
    symptom:
      'Held at iommu: the host runs the new line on trial, and the old one is still the default. Blocked: the line was as asked already.',
    causes: ['the kernel found the IOMMU and failed to set it up for its devices'],
    exits: [
      "see on the host: `dmesg | grep -iE 'dmar|amd-vi|iommu'` and `ls /sys/kernel/iommu_groups`",
      'take the line back: `vfleet rollback NAME HOST --reason TEXT`',
      'or mend it (firmware, kernel), then `vfleet retry NAME HOST`: the proofs are read again',
    ],
  },
  'iommu.no-units': {
    sentence: 'No IOMMU is in use on the running kernel.',
    symptom:
      'Held at iommu: the host runs the new line on trial, and the old one is still the default. Blocked: the line was as asked already.',
    causes: [
      'the tables of the firmware are broken, and the kernel refused them',
      'the kernel was built without the driver for this IOMMU',
      'another argument of the line turns it off',
    ],
    exits: [
      "see on the host: `ls /sys/class/iommu` and `dmesg | grep -iE 'dmar|amd-vi|iommu'`",
      'take the line back: `vfleet rollback NAME HOST --reason TEXT`',
      'or mend it (firmware, kernel), then `vfleet retry NAME HOST`: the proofs are read again',
    ],
  },
  'iommu.still-on': {
    sentence: 'The IOMMU was to be off and is in use.',
    symptom:
      'Held at iommu: the host runs the new line on trial, and the old one is still the default. Blocked: the line was as asked already.',
    causes: [
      'the platform asks for it (DMA protection, interrupt remapping) and the kernel obeys that',
      'a later argument of the line turns it on again',
    ],
    exits: [
      "see on the host: `cat /proc/cmdline` and `dmesg | grep -iE 'dmar|amd-vi|iommu'`",
      'take the line back: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'iommu.wrong-type': {
    sentence: 'Groups are not of the domain type that was asked for.',
    symptom:
      'The IOMMU is in use, but /sys/kernel/iommu_groups/*/type is not identity (passthrough) or DMA (translated) as asked.',
    causes: [
      'a later argument of the line wins, e.g. iommu.passthrough=0',
      'the kernel forces a type on a device: an untrusted (external) port, or a quirk',
      'somebody wrote to the type file of a group',
    ],
    exits: [
      'see on the host: `grep . /sys/kernel/iommu_groups/*/type` and `cat /proc/cmdline`',
      'take the line back: `vfleet rollback NAME HOST --reason TEXT`',
      'or take the cause away, then `vfleet retry NAME HOST`: the proofs are read again',
    ],
  },
  'kernel.too-old': {
    sentence: 'The kernel is older than 4.10.',
    symptom: 'The host is blocked before anything is written.',
    causes: ['the host was not upgraded', 'it booted an old kernel: another default in GRUB'],
    exits: [
      'see it on the host: `uname -r`',
      'boot a kernel of 4.10 or newer, then `vfleet retry NAME HOST`',
    ],
  },
} as const satisfies CodeEntries;
