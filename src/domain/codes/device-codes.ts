import type { CodeEntries } from './code-entry.ts';

const PLAN = 'then `vfleet plan SPEC`';
const BLOCKED = 'The host is blocked before anything is written.';
const LEAVE =
  'or leave that one alone: `guarded: skip` in its entry of the spec, then `vfleet plan SPEC`';
const USES = 'see who uses what on the host: `vfleet facts HOST -i INVENTORY`';

/** Which devices a spec means, and those that must not be touched. */
export const DEVICE_CODES = {
  'devices.boot-vga': {
    sentence: 'The function is the screen that firmware and kernel write to, or goes with it.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when that came to light after the reboot.`,
    causes: [
      'the match means every graphics card, the one of the console included',
      'the card is the only one: with it goes the console of the host',
    ],
    exits: [
      `name the other card (\`match: { address: ... }\`), ${PLAN}`,
      LEAVE,
      'or take responsibility: `allow: [boot-vga]` in the spec; an integrated graphics unit needs a firmware that supports it',
    ],
  },
  'devices.bridge': {
    sentence: 'The address in the spec is that of a bridge, which no guest can be given.',
    symptom: BLOCKED,
    causes: ['the address of the slot was taken for that of the card in it'],
    exits: [
      'see what lies below it on the host: `lspci -tv`',
      `write the address of the card itself, ${PLAN}`,
    ],
  },
  'devices.claimed-twice': {
    sentence: 'Two entries of target.devices mean the same function.',
    symptom: `${BLOCKED} The sentence names the function and both entries.`,
    causes: [
      'one entry matches by id and another by address',
      '`functions: all` of one entry takes a function that another one names',
    ],
    exits: [
      `narrow one of them by address, subsystem or netdev, ${PLAN}`,
      'or keep them apart by `hosts:` in the entries',
    ],
  },
  'devices.count': {
    sentence: 'An entry of target.devices matches another number of functions than it expects.',
    symptom: `${BLOCKED} The sentence names what was found.`,
    causes: [
      'a card is missing, broken, or of another model on this host',
      'the match is wider than it was meant',
    ],
    exits: [
      'see what the host has: `vfleet facts HOST -i INVENTORY`',
      `change match or expect, or keep this host out by the entry's \`hosts:\`; ${PLAN}`,
    ],
  },
  'devices.file-foreign': {
    sentence: 'A file under a name of vfleet is there and not as vfleet writes it.',
    symptom: `${BLOCKED} The sentence names the file.`,
    causes: [
      'somebody edited it by hand',
      'another release of vfleet wrote it, or a tool that copies configurations',
    ],
    exits: [
      'see what it does, then move it away on the host: `mv FILE /root/`',
      'then `vfleet retry NAME HOST`, or `vfleet plan SPEC`',
    ],
  },
  'devices.group-not-viable': {
    sentence:
      'The IOMMU group has members that keep a driver of the host, so VFIO would refuse all of it.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when the groups exist only since the reboot; the sentence lists every member.`,
    causes: [
      'a second function of the card (audio, USB) is not in the spec',
      'the card shares its group with others: a bridge above it has no ACS',
    ],
    exits: [
      `take the whole group: \`functions: all\`, or an entry of target.devices for each member; ${PLAN}`,
      'or move the card to a slot with a group of its own, then `vfleet retry NAME HOST`',
      'an ACS override is not offered: it claims an isolation that the hardware does not give; `vfleet skip NAME HOST --reason TEXT` leaves the host as it is',
    ],
  },
  'devices.guest': {
    sentence: 'A running guest has the function, or depends on it.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when the guest was started since.`,
    causes: [
      'the guest was given the device by hand, or by an earlier rollout',
      'a disk of the guest lies on it',
    ],
    exits: [
      'shut the guest down or detach the device: `virsh shutdown GUEST`; then `vfleet retry NAME HOST`',
      LEAVE,
    ],
  },
  'devices.ids-too-many': {
    sentence: '`bind: ids` would take functions that no entry gives to vfio-pci.',
    symptom: `${BLOCKED} The sentence lists them.`,
    causes: ['the host has more cards of that model than the entry matches'],
    exits: [
      `bind by address: \`bind: override\` in the entry, which is the default; ${PLAN}`,
      'or claim those too',
    ],
  },
  'devices.moved': {
    sentence: 'A function of the plan is not there any more, or is another one by now.',
    symptom: 'The host is held at iommu, up; no device was touched.',
    causes: [
      'bus numbers moved: a card was added or taken out, or the firmware counts anew',
      'the card did not come back after the reboot',
      'network interfaces got other names in this boot',
    ],
    exits: [
      'take the changes back: `vfleet rollback NAME HOST --reason TEXT`; then `vfleet plan SPEC`',
      'or see it on the host: `lspci -nn`, put it right, then `vfleet retry NAME HOST`',
    ],
  },
  'devices.network': {
    sentence: 'The function carries a network that the host or its guests need.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when that came to light after the reboot.`,
    causes: [
      'guests are bridged to it, or it carries iSCSI, NFS, Ceph or a cluster',
      'the match means every card of that model',
    ],
    exits: [
      USES,
      `move that network to another card, or narrow match; ${PLAN}`,
      LEAVE,
      'where a short cut of that network is no harm, e.g. for VFs on an uplink: `allow: [network]`',
    ],
  },
  'devices.no-match': {
    sentence: 'An entry of target.devices matches nothing on this host.',
    symptom: `${BLOCKED} The sentence repeats what was looked for.`,
    causes: [
      'the host has no such card',
      'the match is misspelt, or names what changes: an interface, a driver',
    ],
    exits: [
      'see what the host has: `vfleet facts HOST -i INVENTORY`',
      `change match, or keep this host out by the entry's \`hosts:\`; ${PLAN}`,
    ],
  },
  'devices.pf-and-vf': {
    sentence: 'A PF and its VFs would both be given away, or the PF still has VFs.',
    symptom: BLOCKED,
    causes: [
      'one entry means the PF and another one of its VFs',
      'a PF that has VFs is to go to vfio-pci, by which they would vanish',
    ],
    exits: [
      `give VFs their drivers by \`vfs: { groups: [...] }\` of the PF's entry, ${PLAN}`,
      'or take the VFs away first: `vfleet rollback NAME HOST --reason TEXT` where vfleet made them, else `echo 0 > /sys/bus/pci/devices/ADDRESS/sriov_numvfs` on the host',
    ],
  },
  'devices.rmrr': {
    sentence:
      'Firmware has reserved memory for a device of the group, so the kernel gives none of it to a guest.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when the groups exist only since the reboot.`,
    causes: [
      'the BMC manages the card by shared memory (HPE ProLiant does)',
      'the firmware drives USB or graphics for the time before the system (legacy USB, integrated graphics)',
    ],
    exits: [
      'turn that off in the setup of the firmware (HPE: `conrep` or RBSU, shared memory features per slot), then `vfleet retry NAME HOST`',
      'or move the card to another slot',
    ],
  },
  'devices.root-disk': {
    sentence: 'The function carries a file system or swap of the host, or goes with one that does.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when that came to light after the reboot.`,
    causes: [
      'the match means every disk of that model, the one of the host included',
      'a controller of the host is in the same IOMMU group',
    ],
    exits: [USES, `narrow match; ${PLAN}`, LEAVE],
  },
  'devices.ssh-route': {
    sentence:
      'The function carries the SSH connection or the default route, or goes with one that does.',
    symptom: `${BLOCKED} Or it is held at iommu, up, when that came to light after the reboot.`,
    causes: [
      'the match means every card of that model, the one of the management network included',
      'the route goes over it by a bond, a bridge or a VLAN',
    ],
    exits: [
      USES,
      LEAVE,
      'or take responsibility: `allow: [ssh-route]` in the spec; have a console at hand',
    ],
  },
  'devices.unresolved': {
    sentence:
      'The host uses something that could not be traced to its devices, so any may be the one.',
    symptom: `${BLOCKED} The sentence says what could not be traced.`,
    causes: [
      'the root file system is on ZFS, on btrfs over several disks, or comes over the network',
      'the route goes over Open vSwitch or a tunnel',
    ],
    exits: [
      USES,
      'when you know that it is none of the devices in the spec: `allow: [root-disk]` or `allow: [ssh-route]`, then `vfleet plan SPEC`',
    ],
  },
} as const satisfies CodeEntries;
