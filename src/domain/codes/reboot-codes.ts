import type { CodeEntries } from './code-entry.ts';

/** The reboot, and what came back from it. */
export const REBOOT_CODES = {
  'reboot.other-kernel': {
    sentence: 'The next boot would use another kernel than the one that runs.',
    symptom: 'The host is held at reboot, up and unchanged, before it is told to reboot.',
    causes: [
      'a kernel was installed or removed since the plan: unattended upgrades, dnf-automatic',
    ],
    exits: [
      '`vfleet skip NAME HOST --reason TEXT`, reboot the host into the new kernel, then start again for it',
      'or remove the new kernel on the host, then `vfleet retry NAME HOST`',
    ],
  },
  'reboot.did-not-happen': {
    sentence: 'The host was told to reboot and still runs the same boot.',
    symptom: 'The host is held at wait: it answers, drained, on its old kernel line.',
    causes: [
      'a service does not stop, or an inhibitor delays the shutdown',
      'the order to reboot was lost with its connection',
    ],
    exits: [
      'see on the host: `systemctl list-jobs` and `systemd-inhibit --list`',
      'then `vfleet retry NAME HOST`: it is told to reboot again',
      'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'reboot.no-return': {
    sentence: 'The host was told to reboot and did not answer in time.',
    symptom:
      'The host is held at wait, down and drained. On trial the old kernel line is still the default: a power cycle boots it.',
    causes: [
      'the machine hangs in firmware, in the boot loader or early in the kernel',
      'it is slow: memory test, RAID check, file system check',
      'it is up and its network or SSH is not',
    ],
    exits: [
      'look at its console (BMC); power-cycle it if it hangs',
      'then `vfleet retry NAME HOST`: it waits again, and says which kernel line came up',
      'when it answers: `vfleet rollback NAME HOST --reason TEXT` takes the changes back',
      'broken hardware: `vfleet skip NAME HOST --reason TEXT` leaves it down, and counts it failed',
    ],
  },
  'reboot.not-back-yet': {
    sentence: 'The host is not back yet; it is looked for again.',
    symptom: "Seen in the engine's history only, once for each look at a host that boots.",
    causes: ['the host is still booting'],
    exits: ['wait: after reboot.timeout of the spec it is held with `reboot.no-return`'],
  },
  'reboot.one-shot-failed': {
    sentence: 'grub-reboot did not arm the trial entry.',
    symptom: 'The host is held at reboot, up and drained; it was not told to reboot.',
    causes: ['/boot is full or read-only', '/boot/grub/grubenv is damaged or missing'],
    exits: [
      'see on the host: `grub-editenv - list`, `df /boot`, `findmnt --target /boot`',
      'a missing or damaged file is made by `grub-editenv - create`; then `vfleet retry NAME HOST`',
      'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'reboot.refused': {
    sentence: 'systemctl reboot did not exit with 0.',
    symptom: 'The host is held at reboot, up and drained, on its old kernel line.',
    causes: ['an inhibitor forbids it', 'systemd does not answer, or is shutting down already'],
    exits: [
      'see its output: `vfleet host NAME HOST`; and on the host `systemd-inhibit --list`, `systemctl is-system-running`',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'reboot.trial-failed': {
    sentence:
      'The trial boot failed; the host returned by itself on the old line and is unchanged.',
    symptom: 'The host is held at wait: up, drained, on its old kernel line, which is the default.',
    causes: [
      'the kernel panicked with the new arguments, and rebooted',
      'somebody power-cycled it, or chose another entry, during the trial',
      'the boot loader did not take the one-shot entry',
    ],
    exits: [
      'take the changes back, without a reboot: `vfleet rollback NAME HOST --reason TEXT`',
      'see on its console (BMC) how the trial ends: `vfleet retry NAME HOST` boots it on trial once more',
      'nothing of a crashed trial is in the journal; look in `ls /sys/fs/pstore`',
    ],
  },
  'reboot.unexpected-line': {
    sentence: 'The host runs neither the old nor the new kernel line.',
    symptom: 'The host is held at wait: up, drained, on a kernel line that nobody planned.',
    causes: [
      'somebody changed the boot loader between the plan and the boot',
      'another entry was chosen at the console, or by kexec',
    ],
    exits: [
      'see both lines: `vfleet host NAME HOST`; and on the host `cat /proc/cmdline`',
      'take the changes back: `vfleet rollback NAME HOST --reason TEXT`',
      'or boot once more: `vfleet retry NAME HOST`',
    ],
  },
} as const satisfies CodeEntries;
