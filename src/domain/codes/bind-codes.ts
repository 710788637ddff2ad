import type { CodeEntries } from './code-entry.ts';

const BACK = 'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`';
const RETRY = 'then `vfleet retry NAME HOST`';

/** Drivers of PCI functions, and how the devices do afterwards. */
export const BIND_CODES = {
  'bind.bound-nothing': {
    sentence:
      'The kernel was told to probe a function, said that all went well, and no driver took it.',
    symptom: 'The host is held at bind or vfs, up; the function has no driver.',
    causes: [
      'the driver refused the device: vfio-pci refuses some Intel QAT cards by its denylist',
      'the native driver is not installed for this kernel (igbvf, iavf on small kernels)',
      'the device failed when the driver set it up',
    ],
    exits: [
      'see why on the host: `dmesg | grep ADDRESS`, `modprobe -R "$(cat /sys/bus/pci/devices/ADDRESS/modalias)"`',
      `put it right, ${RETRY}`,
      BACK,
    ],
  },
  'bind.driverctl-failed': {
    sentence: 'driverctl did not set or unset the override.',
    symptom: 'The host is held at bind, up; its words are in the evidence.',
    causes: ['driverctl is not installed any more', 'the driver refused the device'],
    exits: [
      'see why on the host: `driverctl list-overrides`, `dmesg | tail -n 50`',
      `put it right, ${RETRY}`,
      BACK,
    ],
  },
  'bind.gone': {
    sentence: 'A function of the plan is not there any more, or is being moved by somebody else.',
    symptom: 'The host is held at bind or vfs, up.',
    causes: [
      'the card fell off the bus, or was pulled out',
      'its VFs were made anew since, or its PF lost its driver',
    ],
    exits: [
      'see it on the host: `lspci -s ADDRESS`, `dmesg | tail -n 50`',
      `bring it back, ${RETRY}`,
      'when it stays away: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'bind.hung': {
    sentence: 'Binding or unbinding did not return in time, and may still take effect.',
    symptom:
      'The host is held at bind or vfs, up; the write hangs in the kernel and holds the lock of vfleet there until it returns.',
    causes: [
      'somebody still uses the device: vfio-pci waits for its guest to let go',
      'the driver waits for a device that does not answer',
    ],
    exits: [
      'see who has it on the host: `fuser -v /dev/vfio/*`, `dmesg | tail -n 50`',
      'when the write has returned: `vfleet retry NAME HOST` goes on from the driver that is there then',
      'else reboot the host, then `vfleet retry NAME HOST`',
    ],
  },
  'bind.in-use': {
    sentence:
      'A process has the IOMMU group of a function open, or whether one has could not be found out.',
    symptom:
      'The host is held at bind or vfs, or a rollback is, up; no driver was changed. The evidence has the process.',
    causes: [
      'DPDK, SPDK or a QEMU without libvirt uses the device, or another one of its group',
      'a guest that was shut down has not ended yet',
      'find is not that of GNU, or /proc took too long',
    ],
    exits: [
      'see who it is on the host: `fuser -v /dev/vfio/*`, `ps -fp PROCESS`',
      `end it, ${RETRY}`,
      'or leave it: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'bind.no-group': {
    sentence: 'The function has no IOMMU group, so no guest can be given it safely.',
    symptom: 'The host is blocked before anything is written, or held at bind or vfs, up.',
    causes: ['the IOMMU is off in this boot', 'no IOMMU of the machine covers this slot'],
    exits: [
      'see the groups on the host: `find /sys/kernel/iommu_groups -name ADDRESS`',
      'add `iommu: enabled` to the target of the spec, then `vfleet plan SPEC`',
      BACK,
    ],
  },
  'bind.no-vfio': {
    sentence: 'The module vfio-pci could not be loaded.',
    symptom: 'The host is held at bind or vfs, up; the words of modprobe are in the evidence.',
    causes: [
      'the running kernel has no vfio-pci: small cloud kernels leave it out',
      'the modules of the running kernel are gone: a newer kernel was installed and the old one removed',
      'a blacklist with `install vfio-pci /bin/false`',
    ],
    exits: [
      'see why on the host: `modprobe -v vfio-pci`, `ls /lib/modules/$(uname -r)`',
      `put it right, ${RETRY}`,
      BACK,
    ],
  },
  'bind.refused': {
    sentence: 'The kernel refused to bind or unbind a function.',
    symptom: "The host is held at bind or vfs, up; the kernel's answer is in the evidence.",
    causes: ['kernel lockdown, which Secure Boot turns on', 'a fault of the driver'],
    exits: ['see why on the host: `dmesg | tail -n 50`', `put it right, ${RETRY}`, BACK],
  },
  'bind.used-by-guest': {
    sentence:
      'A running guest has a function whose driver would have to change, or another one of its IOMMU group.',
    symptom: 'The host is held at bind, up; the guest keeps its device, nothing was written.',
    causes: [
      'the guest was started, or given the device, since the plan',
      'since the rollout somebody gave a guest another function of the same group',
    ],
    exits: [
      'detach it or shut the guest down: `virsh shutdown GUEST`, then `vfleet retry NAME HOST`',
      'or leave it: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'bind.wrong-driver': {
    sentence: 'After all writes went well, another driver or override is there than asked.',
    symptom:
      'The host is held at bind or vfs, up; the evidence has what was asked and what was found.',
    causes: [
      'somebody else binds it too: driverctl, a udev rule, libvirt with managed=yes',
      'the driver that was there before is not the one that the kernel picks now',
    ],
    exits: [
      'see who does it on the host: `ls /etc/driverctl.d`, `grep -rl driver_override /etc/udev/rules.d`',
      `take that away, ${RETRY}`,
      BACK,
    ],
  },
  'health.device-worse': {
    sentence: 'A device does worse than before the changes.',
    symptom:
      'The host is held at health, up, with everything applied; the evidence has both readings of what got worse.',
    causes: [
      'the link came back slower or narrower after the reboot: a bad contact, or a slot that was set up otherwise',
      'errors that the device reports by AER: fatal, nonfatal, or more than a hundred corrected ones',
      'it gets hotter than its sensor allows',
    ],
    exits: [
      'see it on the host: `lspci -vv -s ADDRESS`, `grep . /sys/bus/pci/devices/ADDRESS/aer_dev_*`, `sensors`',
      'when it is well again, or well enough for you: `vfleet retry NAME HOST`',
      BACK,
    ],
  },
} as const satisfies CodeEntries;
