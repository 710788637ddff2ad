import type { CodeEntries } from './code-entry.ts';

const BACK = 'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`';

/** Libvirt guests and the devices they are given. */
export const GUEST_CODES = {
  'guest.absent': {
    sentence: 'Libvirt has no guest of that name on this host.',
    symptom:
      'The host is blocked before anything is written, or held at attach, up; no guest was touched. A rollback is held only while the guest has a configuration that cannot be read.',
    causes: [
      'the guest was moved to another host, by the drain for example, or undefined since the plan',
      'libvirtd does not run',
      'its file in /etc/libvirt/qemu is damaged',
    ],
    exits: [
      'see the guests on the host: `virsh list --all`',
      'bring it back, then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'guest.attach-failed': {
    sentence: 'Libvirt refused to attach a device to the guest.',
    symptom: 'The host is held at attach, up; the words of virsh are in the evidence.',
    causes: [
      'the guest may not lock enough memory (`<hard_limit>`, ulimit)',
      'the device cannot be reset, or its group is not viable',
    ],
    exits: [
      'see its log on the host: `tail -n 30 /var/log/libvirt/qemu/GUEST.log`, `dmesg | tail -n 30`',
      'put it right, or shut the guest down so that it gets the device at its next start; then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'guest.copy-failed': {
    sentence: "The copy of the guest's configuration could not be made, compared or removed.",
    symptom:
      'The host is held at attach, or a rollback is, up; while it is not known whether there is a copy the guest is not touched.',
    causes: [
      '/var/lib is full or read-only',
      '/etc/libvirt/qemu has no file of that guest',
      'the host is so busy that looking for a file took too long',
    ],
    exits: [
      'see it on the host: `ls -l /etc/libvirt/qemu /var/lib/vfleet`, `df /var/lib`',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'guest.detach-failed': {
    sentence: 'Libvirt refused to detach a device from the guest.',
    symptom:
      'A rollback is held; the guest keeps its device. The words of virsh are in the evidence.',
    causes: [
      'the guest does not answer the request: it is still booting, or has no ACPI hotplug',
      'somebody changed the device in the configuration',
    ],
    exits: [
      'see what it has on the host: `virsh dumpxml GUEST | grep -A 6 "<hostdev"`',
      'detach it there or shut the guest down, then `vfleet retry NAME HOST`',
    ],
  },
  'guest.device-taken': {
    sentence: 'Another guest has the device already.',
    symptom:
      'The host is blocked before anything is written, or held at attach, up; no guest was touched.',
    causes: ['somebody gave the device to another guest since the plan'],
    exits: [
      'detach it there: `virsh detach-device OTHER FILE --config`, then `vfleet retry NAME HOST`',
      'or give the guest another one in the spec, then `vfleet plan SPEC`',
    ],
  },
  'guest.name-unsafe': {
    sentence: "The guest's name cannot be used as the name of a file and as an argument.",
    symptom: 'The host is held at attach, up; no guest was touched.',
    causes: [
      'the name has a slash, a blank or another sign that is not plain',
      'the name is a number or a UUID, which virsh takes for an id',
    ],
    exits: ['rename it on the host: `virsh domrename GUEST NEWNAME`, then change the spec', BACK],
  },
  'guest.no-device': {
    sentence: 'The device that the guest is to have is not there.',
    symptom:
      'The host is blocked before anything is written, or held at attach, up. A rollback goes on without the device.',
    causes: [
      'its PF has lost its VFs: an unasked reboot, or a driver that was unbound',
      'the card fell off the bus',
    ],
    exits: [
      'see it on the host: `lspci`, `grep . /sys/bus/pci/devices/*/sriov_numvfs`',
      'bring it back, then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'guest.no-slot': {
    sentence: 'The running guest has no empty PCI port for the device.',
    symptom: 'The host is held at attach, up; the guest runs on as before.',
    causes: ['a q35 guest has a pcie-root-port for each device, and none to spare'],
    exits: [
      'shut the guest down (`virsh shutdown GUEST`), then `vfleet retry NAME HOST`: its configuration gets a port, and it starts with the device',
      'or add a `<controller type="pci" model="pcie-root-port"/>` to it, start it again, then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'guest.not-confined': {
    sentence: 'The guest runs without AppArmor or SELinux confinement, and the spec requires it.',
    symptom:
      'The host is blocked before anything is written, or held at attach, up; the guest was not touched.',
    causes: [
      'AppArmor or SELinux is off on the host, or in /etc/libvirt/qemu.conf (security_driver)',
      'the guest has `<seclabel type="none"/>`',
    ],
    exits: [
      'turn it on, and start the guest again; then `vfleet retry NAME HOST`',
      'or leave it to a record: `confined: recorded` in the spec, then `vfleet plan SPEC`',
    ],
  },
  'guest.not-detached': {
    sentence:
      'The device is not on vfio-pci, so libvirt would refuse it: "must be manually detached".',
    symptom: 'The host is held at attach, up; the guest was not touched.',
    causes: [
      'somebody bound it to another driver since',
      'the spec attaches a device that it does not bind: no `driver: vfio-pci` in its entry',
    ],
    exits: [
      'bind it by the spec (`driver: vfio-pci`), then `vfleet plan SPEC`',
      'or let libvirt do it: `managed: true` in the guest of the spec',
    ],
  },
  'guest.pin-failed': {
    sentence: 'Libvirt refused to pin a vCPU of the guest.',
    symptom: 'The host is held at attach, up; the words of virsh are in the evidence.',
    causes: ['a CPU of the node is offline', 'the guest has fewer vCPUs by now'],
    exits: [
      'see it on the host: `virsh vcpupin GUEST`, `lscpu`',
      'put it right, then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'guest.readback': {
    sentence: 'The guest does not have all of its devices, though libvirt said that all went well.',
    symptom: 'The host is held at attach, up; the evidence says where each device was found.',
    causes: [
      'somebody else changed the guest in the same moment',
      'the guest was shut down meanwhile',
    ],
    exits: [
      'see it on the host: `virsh dumpxml GUEST | grep -A 6 "<hostdev"`',
      'then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'guest.restore-failed': {
    sentence: "Libvirt refused the guest's configuration from before.",
    symptom:
      'A rollback is held; the devices are detached, and the copy of the configuration is kept.',
    causes: ['the guest was renamed, or another one has its UUID now'],
    exits: [
      'see the difference on the host: `diff /var/lib/vfleet/guest-GUEST.*.xml /etc/libvirt/qemu/GUEST.xml`',
      'put it right, then `vfleet retry NAME HOST`',
    ],
  },
  'guest.transient': {
    sentence:
      'The guest has no configuration that outlasts it, so a device could not be given to it for good.',
    symptom:
      'The host is blocked before anything is written, or held at attach, up; the guest was not touched.',
    causes: ['the guest was started with `virsh create`'],
    exits: [
      'define it on the host (`virsh define FILE`), then `vfleet retry NAME HOST`',
      'or leave it out of target.guests, then `vfleet plan SPEC`',
    ],
  },
  'guest.unplug-pending': {
    sentence: 'The guest was asked to let go of a device and has not done so.',
    symptom:
      'A rollback is held; the running guest still has the device, its configuration has not.',
    causes: [
      'the system inside is still booting, hangs, or has no hotplug',
      'something inside uses the device',
    ],
    exits: [
      'when it has let go: `vfleet retry NAME HOST`',
      'or shut the guest down: `virsh shutdown GUEST`, then `vfleet retry NAME HOST`',
    ],
  },
} as const satisfies CodeEntries;
