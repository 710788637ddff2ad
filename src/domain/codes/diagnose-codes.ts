import type { CodeEntries } from './code-entry.ts';

const FOUND = '`vfleet diagnose` finds it on a host, or in a capture of one; it holds no rollout.';
const AGAIN = 'then `vfleet diagnose HOST -i INVENTORY`';

/** What `vfleet diagnose` finds of the kernel line and the firmware beside what holds or blocks a host. */
export const DIAGNOSE_CODES = {
  'cmdline.interrupts-off': {
    sentence: 'The running kernel line turns interrupt remapping off.',
    symptom: `${FOUND} Guests with devices do not start: VFIO refuses them.`,
    causes: [
      'intremap=off or nointremap was a workaround for a fault of the firmware',
      'a guide for an old board said so',
    ],
    exits: [
      'see it on the host: `cat /proc/cmdline`',
      'list the argument under kernelArgs.absent of the spec, then `vfleet plan SPEC`',
    ],
  },
  'cmdline.iommu-not-asked': {
    sentence:
      'The kernel leaves an Intel IOMMU off unless its line asks for it, and the line does not.',
    symptom: `${FOUND} /sys/class/iommu is empty, and the firmware has its DMAR table.`,
    causes: [
      'the host was never prepared for passthrough',
      'the argument stands in a file that the boot loader does not use',
    ],
    exits: [
      'write `iommu: enabled` in the target of a spec, then `vfleet plan SPEC`: the new line is booted on trial first',
      'see the lines of this boot and the next: `vfleet facts HOST -i INVENTORY`',
    ],
  },
  'cmdline.iommu-off': {
    sentence: 'An argument on the running kernel line turns the IOMMU off.',
    symptom: `${FOUND} The proof names the argument, and the files that hold it.`,
    causes: [
      'intel_iommu=off, amd_iommu=off or iommu=off was a workaround, in /etc/default/grub or a file of /etc/default/grub.d',
      'a later intel_iommu=off overrules an earlier intel_iommu=on: the last word counts',
    ],
    exits: [
      'list the argument under kernelArgs.absent of the spec, then `vfleet plan SPEC`',
      'or take it out on the host, run `update-grub` (`grubby --update-kernel=ALL --remove-args=ARG` on the RHEL family), and reboot',
    ],
  },
  'cmdline.off-in-file': {
    sentence:
      'A file of the boot loader holds an argument that turns the IOMMU off, and the next update would bring it onto the line.',
    symptom: `${FOUND} The running line and that of the next boot are well.`,
    causes: [
      'somebody edited the file and has not run update-grub or grub2-mkconfig since',
      'the line was changed in the entries only (grubby), and not in /etc/default/grub',
    ],
    exits: [
      'take the argument out of the file that the proof names',
      'or list it under kernelArgs.absent of the spec, then `vfleet plan SPEC`',
    ],
  },
  'cmdline.overruled': {
    sentence: 'The kernel line contradicts itself; the last word counts.',
    symptom: `${FOUND} Nothing is wrong today.`,
    causes: ['several files or tools add to the line, each without a look at the others'],
    exits: [
      'see the line on the host: `cat /proc/cmdline`',
      'list what does not count under kernelArgs.absent of the spec, then `vfleet plan SPEC`',
    ],
  },
  'cmdline.unknown-option': {
    sentence: 'The IOMMU driver does not know an option on the kernel line, which does nothing.',
    symptom: `${FOUND} The kernel logs: Unknown option.`,
    causes: [
      'amd_iommu=on: AMD-Vi is on by itself, and there is no such option',
      'amd_iommu=pt was meant as iommu=pt',
    ],
    exits: [
      'see it on the host: `dmesg | grep "Unknown option"`',
      'list it under kernelArgs.absent of the spec, then `vfleet plan SPEC`; nothing changes by leaving it',
    ],
  },
  'firmware.table-odd': {
    sentence:
      'The kernel found a mistake in the IOMMU table of the firmware and goes on without that part.',
    symptom: `${FOUND} The proof is the kernel's own line.`,
    causes: [
      'an old version of the firmware',
      'reserved memory (RMRR) that is not in the memory map, an interrupt controller or a unit (DRHD) that is described wrongly',
    ],
    exits: [
      'see all of it on the host: `dmesg | grep -iE "dmar|amd-vi|firmware bug"`',
      `update the firmware of the board, ${AGAIN}`,
    ],
  },
  'firmware.table-refused': {
    sentence: 'The kernel found the IOMMU table of the firmware damaged and uses no IOMMU.',
    symptom: `${FOUND} The table is there, and /sys/class/iommu is empty.`,
    causes: [
      'a fault of the firmware: a unit at address 0, or one that answers with all ones',
      'VT-d is half on in setup, which some boards allow',
    ],
    exits: [
      'see it on the host: `dmesg | grep -iE "dmar|amd-vi"`',
      `update the firmware, turn VT-d or AMD-Vi off and on again in setup, ${AGAIN}`,
    ],
  },
} as const satisfies CodeEntries;
