import type { CodeEntries } from './code-entry.ts';

/** The boot loader, and the kernel line in its files. */
export const BOOT_CODES = {
  'bootloader.default-grub-unclear': {
    sentence: '/etc/default/grub sets the kernel line in a way that cannot be edited safely.',
    symptom: 'The host is blocked before anything is written.',
    causes: [
      'GRUB_CMDLINE_LINUX is set twice, by +=, or with a variable or a command in its value',
    ],
    exits: [
      'make it one plain line on the host: `GRUB_CMDLINE_LINUX="..."`',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'bootloader.one-shot-pending': {
    sentence: 'GRUB is to boot another entry once already; boot it or clear it.',
    symptom: 'The host is blocked before anything is written: a trial would replace that entry.',
    causes: [
      'somebody ran grub-reboot and has not rebooted yet',
      'an earlier trial was armed and never booted',
    ],
    exits: [
      'clear it on the host: `grub-editenv - unset next_entry` (RHEL: `grub2-editenv - unset next_entry`), or boot it: `systemctl reboot`',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'bootloader.one-shot-unsafe': {
    sentence:
      'GRUB could not clear a one-shot entry by itself, so a trial boot could repeat for ever.',
    symptom: 'The host is blocked before anything is written; the reason names what is in the way.',
    causes: [
      '/boot lies on LVM, btrfs or ZFS, where GRUB reads its environment and cannot write it',
      'grub-probe is not installed, or fails',
      'grub.cfg is not made by update-grub: it does not look at next_entry',
    ],
    exits: [
      'see it on the host: `grub-probe --target=abstraction /boot/grub` and `grub-probe --target=fs /boot/grub`',
      'move /boot to a plain ext4 partition, run `update-grub`, then `vfleet retry NAME HOST`',
      'or leave the host out: add `:!HOST` to hosts.select of the spec',
    ],
  },
  'bootloader.unsupported': {
    sentence: 'The host does not boot by GRUB as Debian, Ubuntu or the RHEL family set it up.',
    symptom: 'The host is blocked before anything is written; the reason names what is missing.',
    causes: [
      'Debian: its default entry lies in a submenu or is not the first one',
      'RHEL: saved_entry of grubenv does not name the default entry by its id',
      'it boots by systemd-boot, or without entries in files on the RHEL family (GRUB_ENABLE_BLSCFG=false)',
      '/etc/default/grub or grub.cfg is missing',
    ],
    exits: [
      'on Debian and Ubuntu: set GRUB_DEFAULT=0 in /etc/default/grub, run `update-grub`, then `vfleet retry NAME HOST`',
      'on the RHEL family: `grubby --set-default=/boot/vmlinuz-$(uname -r)`, then `vfleet retry NAME HOST`',
      'elsewhere leave the host out: add `:!HOST` to hosts.select of the spec',
    ],
  },
  'cmdline.contradicted': {
    sentence: 'An argument on the line would still turn off what the target turns on.',
    symptom: 'The host is blocked before anything is written; the reason names the argument.',
    causes: ['/etc/default/grub or a file of /etc/default/grub.d holds e.g. iommu=off'],
    exits: [
      'list the argument under target.kernelArgs.absent of the spec, then `vfleet plan SPEC`',
      'or take it out on the host, run `update-grub`, reboot, then `vfleet retry NAME HOST`',
    ],
  },
  'cmdline.secret': {
    sentence: 'The kernel line holds a password.',
    symptom:
      'The host is blocked before anything is written: the line would stand in histories and evidence.',
    causes: ['rd.iscsi.password= or netroot=iscsi:USER:PASSWORD@... of dracut'],
    exits: [
      'take it off the line on the host: /etc/iscsi/iscsid.conf in the initramfs holds it as well; reboot',
      'then `vfleet plan SPEC`',
    ],
  },
  'cmdline.kernelopts-failed': {
    sentence: 'The proven kernel line could not be written into grubenv.',
    symptom: 'The host is held, up, on the line that runs; its default line may be the old one.',
    causes: [
      'grubenv is full (1024 bytes), or its file system is full or read-only',
      'grub2-editenv is not installed',
    ],
    exits: [
      'see it on the host: `grub2-editenv - list`, `df -h /boot`',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'cmdline.other-owner': {
    sentence: 'Another program puts an argument on the kernel line that the target wants off.',
    symptom:
      'The host is blocked before anything is written; the reason names program and argument.',
    causes: ['a profile of tuned has it in its [bootloader] section'],
    exits: [
      'see the profile on the host: `tuned-adm active`; take the argument out of it and activate it again',
      'reboot the host, then `vfleet retry NAME HOST`',
    ],
  },
  'cmdline.drop-in-foreign': {
    sentence: 'Our drop-in for GRUB is there, but not as vfleet writes it.',
    symptom: 'The host is blocked before anything is written.',
    causes: [
      'somebody edited /etc/default/grub.d/zz-vfleet.cfg',
      'configuration management deployed a file of that name',
    ],
    exits: [
      'see what it does on the host: `cat /etc/default/grub.d/zz-vfleet.cfg`',
      'move its arguments to another file, remove it, run `update-grub`, reboot, then `vfleet retry NAME HOST`',
    ],
  },
  'cmdline.one-shot-stuck': {
    sentence: 'grub-editenv could not clear the one-shot entry.',
    symptom: 'A rollback is held: the trial entry would still be booted once.',
    causes: ['/boot is full or read-only', '/boot/grub/grubenv is damaged'],
    exits: [
      'see why on the host: `grub-editenv - unset next_entry`, `df /boot`, `findmnt --target /boot`',
      'a damaged file is made anew by `grub-editenv - create`, which also forgets a saved default',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'cmdline.pending-differs': {
    sentence:
      'The next boot would use another line or kernel than the one that runs; reboot the host, or revert that edit, first.',
    symptom:
      'The host is blocked before anything is written: a trial would boot changes that nobody has proven.',
    causes: [
      'a kernel was installed and the host has not rebooted since',
      'somebody changed the kernel line and has not rebooted since',
    ],
    exits: [
      "compare on the host: `cat /proc/cmdline` and `grep -m1 '^[[:space:]]*linux' /boot/grub/grub.cfg`",
      'reboot it when its guests allow, or revert the edit and run `update-grub`; then `vfleet retry NAME HOST`',
    ],
  },
  'cmdline.readback': {
    sentence: 'After update-grub, grub.cfg does not hold what was asked for.',
    symptom:
      'The host is held at cmdline or iommu, up; its evidence has the line that was found and the one that was asked for.',
    causes: [
      'a script in /etc/grub.d or a later file in /etc/default/grub.d changes the line',
      'update-grub is diverted, and writes another grub.cfg',
    ],
    exits: [
      'see both lines: `vfleet host NAME HOST`; and on the host `ls /etc/grub.d /etc/default/grub.d`',
      'take the cause away, then `vfleet retry NAME HOST`',
      'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'cmdline.too-long': {
    sentence: 'The kernel line would be longer than the kernel reads.',
    symptom:
      'The host is blocked before anything is written: the kernel cuts its line at 2047 characters.',
    causes: ['the line of the host is long already, and the target adds to it'],
    exits: [
      'see it on the host: `wc -c /proc/cmdline`',
      'take arguments off it (target.kernelArgs.absent of the spec), then `vfleet plan SPEC`',
    ],
  },
  'cmdline.update-grub-failed': {
    sentence: 'update-grub failed; its output is in the evidence.',
    symptom:
      'The host is held at cmdline or iommu, up; the kernel line it boots is not the new one.',
    causes: [
      '/boot is full',
      'a script in /etc/grub.d fails',
      'another package is being configured at the same time',
    ],
    exits: [
      'see its output: `vfleet host NAME HOST`; and on the host `update-grub`, `df /boot`',
      'then `vfleet retry NAME HOST`',
      'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
} as const satisfies CodeEntries;
