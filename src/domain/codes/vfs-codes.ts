import type { CodeEntries } from './code-entry.ts';

const BACK = 'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`';
const RETRY = 'then `vfleet retry NAME HOST`';

/** Virtual functions: how many a PF makes, and what it says of each. */
export const VFS_CODES = {
  'vfs.busy': {
    sentence: 'The PF has VFs already that vfleet did not find there before.',
    symptom: 'The host is held at vfs, up; the kernel answered EBUSY to sriov_numvfs.',
    causes: [
      'something else made VFs in the same moment: NetworkManager, netplan, a systemd .link, a script',
      'the driver keeps VFs over a rebind (nvme does)',
    ],
    exits: [
      'see who sets the count: `grep -rl -i -e sriov -e virtual-function /etc/NetworkManager /etc/netplan /etc/systemd`',
      `take that away, ${RETRY}`,
      BACK,
    ],
  },
  'vfs.fewer-than-asked': {
    sentence: 'The driver made fewer VFs than asked, and said that all went well.',
    symptom:
      'The host is held at vfs, up; the evidence has both numbers. The VFs have no drivers yet.',
    causes: [
      'queues or interrupts of the card are used up by the PF or by RDMA',
      'the firmware of the card limits its VFs (NUM_OF_VFS on Mellanox cards)',
    ],
    exits: [
      'see why on the host: `dmesg | tail -n 50`',
      `free what they need, or ask for fewer in the spec (target.devices, vfs.count), ${RETRY}`,
      BACK,
    ],
  },
  'vfs.gone': {
    sentence: 'The PF, or one of its VFs, is not there any more.',
    symptom: 'The host is held at vfs, up; nothing more is written to the device.',
    causes: [
      'the card fell off the bus, or was pulled out',
      'SR-IOV was turned off in the firmware since the plan',
    ],
    exits: [
      'see it on the host: `lspci -s ADDRESS`, `dmesg | tail -n 50`',
      `put the card right, ${RETRY}`,
      'when it stays away: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'vfs.hung': {
    sentence:
      'Writing the number of VFs did not return within two minutes, and may still take effect.',
    symptom:
      'The host is held at vfs, up; the write hangs in the kernel and holds the lock of vfleet there until it returns.',
    causes: [
      'the firmware of the card does not answer its driver',
      'a VF is still in use, and its driver waits for the user',
    ],
    exits: [
      'see on the host what it waits for: `dmesg | tail -n 50`, `ps -eo pid,stat,wchan:30,args | grep " D"`',
      'when the write has returned: `vfleet retry NAME HOST` goes on from the count that is there then',
      'else reboot the host, then `vfleet retry NAME HOST`',
    ],
  },
  'vfs.no-driver': {
    sentence: 'The driver of the PF cannot make VFs, or the PF has no driver.',
    symptom:
      'The host is blocked before anything is written, or held at vfs, up: the kernel answered ENOENT to sriov_numvfs.',
    causes: [
      'the PF is bound to vfio-pci, or to no driver',
      'this driver has no SR-IOV, or needs an option for it',
    ],
    exits: [
      'see its driver on the host: `lspci -k -s ADDRESS`',
      `bind the PF to its own driver, ${RETRY}`,
      BACK,
    ],
  },
  'vfs.no-interface': {
    sentence:
      'The PF has no network interface, by which MTU, MAC, VLAN and the rest of its VFs are set.',
    symptom:
      'The host is blocked before anything is written, or held at vfs, up, with VFs that have no settings yet.',
    causes: [
      'the interface was moved to a network namespace, or its driver is not bound',
      'udev has not given it its name yet',
    ],
    exits: [
      'see it on the host: `ls /sys/bus/pci/devices/ADDRESS/net`',
      'bring it back, then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'vfs.no-memory': {
    sentence:
      'There is no room for the VFs in the bus numbers or the memory windows of the bridges.',
    symptom: 'The host is held at vfs, up; the kernel answered ENOMEM to sriov_numvfs.',
    causes: [
      'the firmware left no window for the BARs of the VFs',
      'the VFs need a bus number that the firmware gave to something else',
    ],
    exits: [
      'turn on SR-IOV and 64-bit addressing (above 4G decoding) in the firmware setup',
      'or let the kernel find room: add `pci=realloc` to target.kernelArgs.present of the spec, then `vfleet plan SPEC`',
      BACK,
    ],
  },
  'vfs.out-of-range': {
    sentence: 'The PF has fewer VFs in all than asked for.',
    symptom: 'The host is held at vfs, up; the kernel answered ERANGE to sriov_numvfs.',
    causes: [
      'the total was lowered since the plan (sriov_totalvfs), by the driver or the firmware',
    ],
    exits: [
      'see it on the host: `cat /sys/bus/pci/devices/ADDRESS/sriov_totalvfs`',
      'ask for fewer in the spec (target.devices, vfs.count), then `vfleet plan SPEC`',
      BACK,
    ],
  },
  'vfs.readback': {
    sentence: 'The PF did not keep what was written, though each write went well.',
    symptom: 'The host is held at vfs, up; the evidence has what was asked and what was found.',
    causes: [
      'something else on the host writes the same, in the same moment',
      'a fault of the driver',
    ],
    exits: [
      'see it on the host: `grep . /sys/bus/pci/devices/ADDRESS/sriov_*`',
      `find who writes there, ${RETRY}`,
      BACK,
    ],
  },
  'vfs.refused': {
    sentence: 'The driver of the PF refused to make VFs.',
    symptom: "The host is held at vfs, up; the kernel's answer is in the evidence.",
    causes: [
      'SR-IOV is off in the firmware of the card (SRIOV_EN on Mellanox cards)',
      'kernel lockdown, which Secure Boot turns on',
      'the card is in a mode that has no VFs',
    ],
    exits: ['see why on the host: `dmesg | tail -n 50`', `put it right, ${RETRY}`, BACK],
  },
  'vfs.setting-failed': {
    sentence: '`ip link set` refused a setting of the PF or of a VF.',
    symptom: 'The host is held at vfs, up; the command and its words are in the evidence.',
    causes: [
      'the driver has no such setting (trust, rates, VLAN)',
      'the value is not one that the card takes: a multicast MAC, an MTU above its maximum',
    ],
    exits: [
      'take the setting out of the spec, or change it, then `vfleet plan SPEC`',
      'or put right what it says, then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'vfs.setting-ignored': {
    sentence: 'A setting of a VF was taken without an error and is not in effect.',
    symptom: 'The host is held at vfs, up; the evidence has what was asked and what was found.',
    causes: [
      'the driver takes the value and does nothing with it',
      'something else set it again: a network manager, libvirt',
    ],
    exits: [
      'see it on the host: `ip -d link show dev INTERFACE`',
      'take the setting out of the spec, or what sets it again away; then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'vfs.used-by-guest': {
    sentence: 'A running guest has a VF that would have to go, or to change its driver.',
    symptom:
      'The host is blocked before anything is written, or held at vfs, up; the guest keeps its VF.',
    causes: ['the guest was started, or given the VF, since the plan'],
    exits: [
      'detach it or shut the guest down: `virsh shutdown GUEST`, then `vfleet retry NAME HOST`',
      'or leave it: `vfleet rollback NAME HOST --reason TEXT` takes back what was done up to here',
    ],
  },
} as const satisfies CodeEntries;
