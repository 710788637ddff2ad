import type { CodeEntries } from './code-entry.ts';

/** What a host must have before anything is written to it. */
export const HOST_NEED_CODES = {
  'host.no-boot-id': {
    sentence: 'The boot id or the machine id of the host cannot be read.',
    symptom:
      'The host is blocked, or a rollback is held, before anything is written: no reboot could be proven.',
    causes: [
      '/proc is mounted with restrictions',
      '/etc/machine-id is empty (a rollback needs both)',
    ],
    exits: [
      'see them on the host: `cat /proc/sys/kernel/random/boot_id /etc/machine-id`',
      'mend that, then `vfleet retry NAME HOST`',
    ],
  },
  'host.no-kvm': {
    sentence: 'The kernel has no KVM.',
    symptom: 'The host is blocked before anything is written: /sys/class/misc/kvm is not there.',
    causes: [
      'kvm_intel or kvm_amd is not loaded, or on a blacklist',
      'virtualization is off in the setup of the firmware',
    ],
    exits: [
      'load it on the host: `modprobe kvm_intel` or `modprobe kvm_amd`; `dmesg | grep -i kvm` says why it fails',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'host.no-machine-id': {
    sentence: 'The host has no valid machine id.',
    symptom: 'The host is blocked before anything is written: its lease is kept by machine id.',
    causes: ['the host was cloned from an image with an empty /etc/machine-id'],
    exits: ['make one on the host: `systemd-machine-id-setup`', 'then `vfleet retry NAME HOST`'],
  },
  'host.no-qemu': {
    sentence: 'QEMU is not installed.',
    symptom:
      'The host is blocked before anything is written: /usr/share/qemu is empty or not there.',
    causes: ['the host is not a hypervisor, or not yet', 'QEMU was installed elsewhere'],
    exits: [
      'install it on the host: `apt install qemu-system-x86`, then `vfleet retry NAME HOST`',
      'or leave the host out: add `:!HOST` to hosts.select of the spec',
    ],
  },
  'host.no-space': {
    sentence: 'Too little space is free where vfleet and GRUB write.',
    symptom:
      'The host is blocked before anything is written: less than 1 MiB is free on /boot, /etc or /var/lib.',
    causes: ['old kernels fill /boot', 'logs or images fill the root file system'],
    exits: [
      'see it on the host: `df -h /boot /etc /var/lib`',
      'make room (`apt autoremove` removes old kernels), then `vfleet retry NAME HOST`',
    ],
  },
  'host.no-sudo': {
    sentence: 'The user is not root and may not use "sudo -n".',
    symptom: 'The host answers, the login works, and nothing can be read or written as root.',
    causes: [
      'sudoers asks the user for a password, or does not name the user',
      'the inventory names another user than the one who may',
      'sudo is not installed and the user is not root',
    ],
    exits: [
      'see it: log in as that user and run `sudo -n id -u`, which must print 0',
      'give the user NOPASSWD in a file of /etc/sudoers.d, or correct the user in the inventory',
      'then `vfleet retry NAME HOST`',
    ],
  },
} as const satisfies CodeEntries;
