import type { CodeEntries } from './code-entry.ts';

const FOUND = '`vfleet diagnose` finds it; it holds no rollout.';
const AGAIN = 'then `vfleet diagnose HOST -i INVENTORY`';

/** What `vfleet diagnose` finds of devices and guests, beside the codes that hold a host for the same reason. */
export const DIAGNOSE_DEVICE_CODES = {
  'bind.native-again': {
    sentence: 'A function that is set to be on vfio-pci has its native driver again.',
    symptom: `${FOUND} The guest that is to have it does not start, or gets it only from libvirt.`,
    causes: [
      "a guest has it with managed='yes': libvirt gives it back when the guest stops, and takes the override away",
      'the driver is in the initramfs and was bound before the override was set',
      'somebody bound it by hand',
    ],
    exits: [
      'see who has it on the host: `driverctl list-overrides`, `grep -l ADDRESS /etc/udev/rules.d/*`',
      "write managed='no' on the host (`virsh edit GUEST`), then `vfleet plan SPEC`",
    ],
  },
  'bind.native-first': {
    sentence: 'A native driver took a function before vfio-pci could take it by its id.',
    symptom: `${FOUND} The guest that is to have the function does not start.`,
    causes: [
      'no blacklist and no softdep keeps the native driver back',
      'the initramfs is older than the file in modprobe.d',
      'the native driver is built into the kernel',
    ],
    exits: [
      'bind by address: `bind: override` in the entry of the spec, which is the default; then `vfleet plan SPEC`',
      'or write `softdep DRIVER pre: vfio-pci` to modprobe.d on the host, make the initramfs again and reboot',
    ],
  },
  'bind.override-alone': {
    sentence: 'A function has a driver_override and no driver.',
    symptom: `${FOUND} Neither the host nor a guest can use the function.`,
    causes: [
      'a udev rule sets the override and does not probe: vfio-pci was loaded before it',
      'driverctl on a VF that was made again in the same boot',
      'the module of the driver is not loaded',
    ],
    exits: [
      'bind it on the host: `modprobe vfio-pci; echo ADDRESS > /sys/bus/pci/drivers_probe`',
      'for every boot: give it `driver: vfio-pci` in a spec, then `vfleet plan SPEC`',
    ],
  },
  'bootloader.trial-left': {
    sentence:
      'A trial of vfleet runs, and no rollout holds the host that would make it the default.',
    symptom: `${FOUND} The next boot goes back to the old kernel line.`,
    causes: [
      'the rollout was ended, or its lease removed by hand, between the trial boot and its proof',
      'somebody booted the trial entry by hand',
    ],
    exits: [
      'go back: reboot the host (`systemctl reboot`) when its guests allow',
      'or plan it again: `vfleet plan SPEC`',
    ],
  },
  'devices.acs-override': {
    sentence: 'An ACS override is on the kernel line.',
    symptom: `${FOUND} Groups look smaller than the hardware makes them.`,
    causes: ['a guide for desktops recommends it; Proxmox and some other kernels carry the patch'],
    exits: [
      'take it off: `kernelArgs: { absent: [pcie_acs_override=VALUE] }` in the target of a spec, then `vfleet plan SPEC`',
      'then see the groups as they are: `vfleet facts HOST -i INVENTORY --all`, and move cards that share one',
    ],
  },
  'devices.no-acs': {
    sentence: 'A bridge does not keep the cards below it apart, so they share an IOMMU group.',
    symptom: `${FOUND} The group cannot be given to a guest, or not to two.`,
    causes: [
      'the port has no Access Control Services: chipset ports and consumer boards',
      'ACS is off in the setup of the firmware',
      'the cards are behind a conventional PCI bridge',
    ],
    exits: [
      'see what is below it on the host: `lspci -tv`, `lspci -vvv -s BRIDGE | grep ACSCtl`',
      `turn ACS on in the setup of the firmware, or move the card to a slot of the processor, ${AGAIN}`,
    ],
  },
  'guest.denied': {
    sentence: 'AppArmor or SELinux refused to a guest what it needs for its device.',
    symptom: `${FOUND} The guest does not start, or not with the device.`,
    causes: [
      'the device was given to QEMU past libvirt (qemu:commandline), so that no rule was made for it',
      'a local profile or policy is narrower than that of the distribution',
      'a file has a wrong label since it was copied',
    ],
    exits: [
      'see all denials on the host: `dmesg | grep -E "DENIED|avc:"`, `ausearch -m avc -ts boot`',
      `put rule or label right, ${AGAIN}`,
    ],
  },
  'guest.far-from-device': {
    sentence: 'CPUs or memory of a guest are bound to another NUMA node than its device.',
    symptom: `${FOUND} All of it works, only slower.`,
    causes: [
      'the device was moved to another slot since',
      'the guest was pinned before it had the device, or was copied from another host',
    ],
    exits: [
      'pin it: `pin: device-node` in the guest of a spec, then `vfleet plan SPEC`',
      'or on the host: `virsh vcpupin GUEST VCPU CPUS --config`, `virsh numatune GUEST --nodeset NODE --config`',
    ],
  },
  'guest.group-busy': {
    sentence: 'Another process has a device of the IOMMU group that the guest is to have.',
    symptom: `${FOUND} The guest does not start.`,
    causes: [
      'another guest runs with a member of the group, or with the same device',
      'DPDK or a QEMU past libvirt has it',
    ],
    exits: [
      'see who on the host: `fuser -v /dev/vfio/*`',
      `stop that one, or give it another device, ${AGAIN}`,
    ],
  },
  'guest.no-hugepages': {
    sentence: 'There were not enough free huge pages for the memory of a guest.',
    symptom: `${FOUND} The guest does not start.`,
    causes: [
      'too few pages are set aside, or other guests have them',
      'they are on another NUMA node than the guest may use (numatune)',
    ],
    exits: [
      'see them by node on the host: `grep . /sys/devices/system/node/node*/hugepages/*/free_hugepages`',
      'set more aside: `hugepages` in the target of a spec, then `vfleet plan SPEC`',
    ],
  },
  'guest.no-vfio-access': {
    sentence: 'QEMU may not open /dev/vfio for a guest.',
    symptom: `${FOUND} The guest does not start.`,
    causes: [
      'dynamic_ownership=0 in /etc/libvirt/qemu.conf, so that libvirt does not give the group to QEMU',
      'cgroup_device_acl there does not name /dev/vfio/vfio',
      'QEMU is started past libvirt by a user who may not',
    ],
    exits: [
      'see who may on the host: `ls -l /dev/vfio`, `grep -vE "^ *(#|$)" /etc/libvirt/qemu.conf`',
      `put it right, restart libvirtd, start the guest again, ${AGAIN}`,
    ],
  },
  'guest.vfio-refused': {
    sentence: 'The kernel did not let VFIO take the IOMMU group of a guest.',
    symptom: `${FOUND} The guest does not start: "Failed to set iommu for container".`,
    causes: [
      'interrupts are not remapped',
      'the firmware has reserved memory for a device of the group (RMRR)',
    ],
    exits: [
      'see which on the host: `dmesg | grep -E "interrupt remapping|ineligible|MSI interrupts"`',
      `turn x2APIC and interrupt remapping on in the setup of the firmware, or take the card out of its reserved memory, ${AGAIN}`,
    ],
  },
  'health.link-below': {
    sentence: 'The link of a card is slower or narrower than both of its ends can do.',
    symptom: `${FOUND} The card works, with less bandwidth.`,
    causes: [
      'a bad contact, a riser or a cable',
      'the speed of the slot is limited in the setup of the firmware',
      'the card saves power while nobody uses it',
    ],
    exits: [
      'look at both ends on the host: `lspci -vv -s ADDRESS | grep -E "LnkCap|LnkSta"`',
      `seat the card again, or change slot or riser, ${AGAIN}`,
    ],
  },
  'health.many-errors': {
    sentence: 'A device has counted many errors of PCI Express since the host booted.',
    symptom: `${FOUND} One reading does not say whether they still come.`,
    causes: [
      'a bad contact in the slot, a riser or a cable that does not carry the speed',
      'a card that is dying, or too hot',
    ],
    exits: [
      'read them twice on the host: `grep TOTAL /sys/bus/pci/devices/ADDRESS/aer_dev_*`',
      `if they grow: seat the card again, or change slot or riser, ${AGAIN}`,
    ],
  },
  'health.too-hot': {
    sentence: 'A sensor is at or above the limit that it names itself.',
    symptom: `${FOUND} The part slows down, switches itself off, or breaks.`,
    causes: ['a fan, a filter or the air before the rack', 'a passive card without a duct'],
    exits: [
      'see all sensors on the host: `sensors`, `ipmitool sdr type temperature`',
      `see to the cooling, ${AGAIN}`,
    ],
  },
  'host.watchdog-reset': {
    sentence: 'A watchdog says that it, heat or a fault ended the boot before this one.',
    symptom: `${FOUND} Logs of that boot are often gone.`,
    causes: [
      'the machine hung, and the watchdog reset it',
      'nobody fed the watchdog: a daemon that was killed',
      'heat, a fan, or the voltage',
    ],
    exits: [
      'see what was said last on the host: `journalctl -b -1 -e`, `ls /sys/fs/pstore`, `ipmitool sel list`',
      `see to the cause, ${AGAIN}`,
    ],
  },
  'hugepages.too-few': {
    sentence: 'A guest on huge pages has more memory than pages are set aside.',
    symptom: `${FOUND} The guest does not start.`,
    causes: [
      'the pages were set aside by hand, and a reboot took them',
      'the guest was made larger, or came from another host',
    ],
    exits: [
      'see them on the host: `grep Huge /proc/meminfo`, `hugeadm --pool-list`',
      'set them aside: `hugepages` in the target of a spec, then `vfleet plan SPEC`',
    ],
  },
} as const satisfies CodeEntries;
