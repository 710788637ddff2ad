import type { CodeEntries } from './code-entry.ts';

const PLAN = 'then `vfleet plan SPEC`';
const BLOCKED = 'The host is blocked before anything is written.';

/** What a plan finds of VFs, modules, huge pages, guests and firmware. */
export const DEVICE_PLAN_CODES = {
  'devices.driverctl-differs': {
    sentence: 'driverctl keeps another override for a function than the kernel has now.',
    symptom: BLOCKED,
    causes: [
      'somebody wrote driver_override by hand, or by `driverctl --nosave`',
      'libvirt gave the device back to the host and took its override away (`managed="yes"`)',
      'the file was put there and the host has not been booted since',
    ],
    exits: [
      'see both on the host: `driverctl list-overrides`, `grep . /etc/driverctl.d/*`',
      `make them one: \`driverctl set-override ADDRESS DRIVER\` or \`driverctl unset-override ADDRESS\`, ${PLAN}`,
    ],
  },
  'devices.plan-too-large': {
    sentence:
      'The host needs more changes at once than its record holds, and without that there is no way back.',
    symptom: BLOCKED,
    causes: ['more than a thousand VFs on one host, each with settings of its own'],
    exits: [`make fewer VFs at once, in rollouts one after the other; ${PLAN}`],
  },
  'firmware.too-old': {
    sentence: 'The firmware is older than target.firmware asks.',
    symptom: `${BLOCKED} The sentence has both.`,
    causes: ['the host was not updated with the others'],
    exits: [
      'update it by the tools of its vendor, then `vfleet retry NAME HOST`',
      `or ask for less in target.firmware, ${PLAN}`,
    ],
  },
  'firmware.version-unknown': {
    sentence: 'The host does not say how old its firmware is, and target.firmware asks.',
    symptom: BLOCKED,
    causes: [
      'DMI is empty: a virtual machine, or a vendor that fills nothing in',
      'the version has no number to compare',
    ],
    exits: [
      'see it on the host: `dmidecode -t bios`',
      `ask by the other of minVersion and minDate, or leave target.firmware out; ${PLAN}`,
    ],
  },
  'guest.ballooning': {
    sentence: 'The guest has a memory balloon, which does not go with a device of its own.',
    symptom: `${BLOCKED} No guest was touched.`,
    causes: ['libvirt gives each guest one unless its configuration says `none`'],
    exits: [
      "write `<memballoon model='none'/>` on the host: `virsh edit GUEST`; then shut it down and start it",
      'then `vfleet retry NAME HOST`',
    ],
  },
  'guest.group-split': {
    sentence: 'Members of one IOMMU group would go to several guests.',
    symptom: `${BLOCKED} No guest was touched.`,
    causes: [
      'the functions share a group: no ACS above them',
      'another guest has a member of the group already',
    ],
    exits: [
      `give all members to one guest in target.guests, ${PLAN}`,
      'or detach the other: `virsh detach-device OTHER FILE --config` on the host, then `vfleet retry NAME HOST`',
    ],
  },
  'guest.half-attached': {
    sentence: 'The guest runs with the device and has it not in its configuration.',
    symptom: `${BLOCKED} No guest was touched.`,
    causes: ['somebody attached it with `--live` only'],
    exits: [
      'detach it on the host: `virsh detach-device GUEST FILE --live`, then `vfleet retry NAME HOST`',
      'or keep it: `virsh attach-device GUEST FILE --config`',
    ],
  },
  'guest.pin-unknown': {
    sentence: 'The vCPUs cannot be pinned to the NUMA node of the device.',
    symptom: `${BLOCKED} No guest was touched.`,
    causes: [
      'the firmware says no node for the slot (numa_node is -1)',
      'the devices of the guest are on several nodes',
      'the configuration of the guest could not be read',
    ],
    exits: [
      'see it on the host: `cat /sys/bus/pci/devices/ADDRESS/numa_node`',
      `leave the pins: \`pin: as-found\` in the guest of the spec, ${PLAN}`,
    ],
  },
  'hugepages.line-unclear': {
    sentence: 'The kernel line has an argument for huge pages that cannot be read.',
    symptom: `${BLOCKED} The sentence has the argument.`,
    causes: ['a mistake in /etc/default/grub: `hugepages=1G`, or a size without its unit'],
    exits: ['correct it on the host, `update-grub`, reboot; then `vfleet retry NAME HOST`'],
  },
  'hugepages.no-node': {
    sentence: 'target.hugepages names a NUMA node that the host has not.',
    symptom: BLOCKED,
    causes: ['the host has fewer sockets, or its firmware shows them as one node'],
    exits: [
      'see its nodes on the host: `lscpu | grep NUMA`',
      `change node, or leave it out; ${PLAN}`,
    ],
  },
  'hugepages.node-at-boot': {
    sentence: 'This kernel cannot take huge pages on one node at boot.',
    symptom: BLOCKED,
    causes: ['the kernel is older than 5.16'],
    exits: [
      `write \`at: runtime\` for the entries with a node, ${PLAN}`,
      'or install a newer kernel, reboot into it, then `vfleet retry NAME HOST`',
    ],
  },
  'hugepages.node-memory': {
    sentence: 'A NUMA node has less memory than huge pages would take there.',
    symptom: `${BLOCKED} The sentence has both numbers.`,
    causes: ['a memory module is missing, or memory is not alike on all nodes'],
    exits: [
      'see it on the host: `numactl -H`',
      `ask for fewer there, or spread them over the nodes; ${PLAN}`,
    ],
  },
  'hugepages.reserve': {
    sentence: 'Huge pages would leave the host less memory than hugepagesReserve.',
    symptom: `${BLOCKED} The sentence has the numbers.`,
    causes: [
      'the host has less memory than the others',
      'other huge pages are set aside there already',
    ],
    exits: [
      'see it on the host: `grep -i huge /proc/meminfo`',
      `ask for fewer pages, or keep less by \`hugepagesReserve\`; ${PLAN}`,
    ],
  },
  'modules.blacklist-in-use': {
    sentence: 'A module of target.modules.blacklist is in use.',
    symptom: `${BLOCKED} The sentence names who uses it.`,
    causes: [
      'another function on the host needs the driver too',
      'it is loaded, and nobody can say what for',
    ],
    exits: [
      `take it off the list, or give its functions to vfio-pci (\`driver: vfio-pci\`); ${PLAN}`,
      'when nothing needs it, `modprobe -r MODULE` works on the host; then `vfleet retry NAME HOST`',
    ],
  },
  'modules.unsafe-interrupts': {
    sentence: 'Unsafe interrupts are asked for and not allowed by name.',
    symptom: BLOCKED,
    causes: ['the plan is of a spec without `allow: [unsafe-interrupts]`'],
    exits: [
      'turn interrupt remapping on in the setup of the firmware, and leave unsafeInterrupts out',
      `or take responsibility: \`allow: [unsafe-interrupts]\` in the spec, ${PLAN}`,
    ],
  },
  'vfs.count-owner': {
    sentence: 'Something else on the host sets the number of VFs of this PF.',
    symptom: `${BLOCKED} The sentence names who, and the file.`,
    causes: [
      'a connection of NetworkManager sets sriov.total-vfs',
      'netplan has `virtual-function-count`, or a systemd .link file `SR-IOVVirtualFunctions=`',
    ],
    exits: [
      'take that setting out of the file on the host, then `vfleet retry NAME HOST`; `grep -rl -i -e sriov -e virtual-function /etc/NetworkManager /etc/netplan /etc/systemd` shows more',
      'or leave the PF out of the spec, then `vfleet plan SPEC`',
    ],
  },
  'vfs.mac-twice': {
    sentence: 'Two VFs of the host would have one MAC address.',
    symptom: `${BLOCKED} The sentence names both.`,
    causes: [
      'the entry matches several ports, and a group of it has a mac: each port gets a VF with it',
      'two entries have the same mac and hold on this host',
    ],
    exits: [
      `give each port an entry of its own (match by address or netdev) with its own mac, or leave mac out; ${PLAN}`,
    ],
  },
  'vfs.no-sriov': {
    sentence: 'The function can make no VFs.',
    symptom: BLOCKED,
    causes: [
      'SR-IOV is off in the setup of the firmware, or in that of the card',
      'the card, or its driver, has none',
      'the match means a VF',
    ],
    exits: [
      'see it on the host: `lspci -vv -s ADDRESS | grep -i sr-iov`',
      'turn it on, then `vfleet retry NAME HOST`',
      `or narrow match, ${PLAN}`,
    ],
  },
  'vfs.over-total': {
    sentence: 'The PF can make fewer VFs than the spec asks for.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when the total is lower since the reboot.`,
    causes: [
      'the firmware of the card is set to fewer (NUM_OF_VFS on Mellanox cards)',
      'the host has another model of the card',
    ],
    exits: [
      'see it on the host: `cat /sys/bus/pci/devices/ADDRESS/sriov_totalvfs`',
      `ask for fewer (target.devices, vfs.count), ${PLAN}`,
      'or raise the limit in the firmware of the card, then `vfleet retry NAME HOST`',
    ],
  },
} as const satisfies CodeEntries;
