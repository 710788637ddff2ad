import type { CodeEntries } from './code-entry.ts';

const FOUND = '`vfleet diagnose` finds it in the log of the kernel; it holds no rollout.';
const AGAIN = 'then `vfleet diagnose HOST -i INVENTORY`';

/** Faults of this boot that `vfleet diagnose` finds in the kernel's log. */
export const FAULT_CODES = {
  'fault.aer-corrected': {
    sentence: 'A device corrects errors of its PCI Express link all the time.',
    symptom: `${FOUND} It works, and is slower than it could be.`,
    causes: ['a bad contact in the slot, or a riser or cable that does not carry the speed'],
    exits: [
      'count them on the host: `cat /sys/bus/pci/devices/ADDRESS/aer_dev_correctable`',
      `seat the card again, or change slot or riser, ${AGAIN}`,
    ],
  },
  'fault.aer-uncorrected': {
    sentence: 'A device had errors of PCI Express that could not be corrected.',
    symptom: `${FOUND} Its driver or its guest may have lost data, or the device.`,
    causes: [
      'a bad contact, a dying card, a slot without enough power',
      'a guest or a driver that asked for something that is not there (Unsupported Request)',
    ],
    exits: [
      'see the kind on the host: `dmesg | grep -A4 "PCIe Bus Error"`',
      `seat or replace the card, ${AGAIN}`,
    ],
  },
  'fault.dma-blocked': {
    sentence: 'The IOMMU kept a device from memory that nobody has given it.',
    symptom: `${FOUND} The host is safe by that; the device does not do what it should.`,
    causes: [
      'the driver of the device, or the guest that has it, does DMA to memory that it has given back',
      'a guest was ended while its device was at work',
      'the card does DMA under the number of another function',
      'the firmware or the BMC still drives the device, and its table does not say so (RMRR)',
    ],
    exits: [
      'see all of them on the host: `dmesg | grep -E "DMAR:.*fault|AMD-Vi: Event"`',
      'see what the device is and who has it: `vfleet facts HOST -i INVENTORY --all`',
      `update the driver and the firmware of the device, ${AGAIN}`,
    ],
  },
  'fault.interrupt-blocked': {
    sentence: 'The IOMMU kept a device from sending an interrupt.',
    symptom: `${FOUND} The device may wait for ever for an answer.`,
    causes: [
      'a driver uses interrupts of the old form (VMD, some BMCs)',
      'the chipset sends interrupts under a number that the firmware does not name',
    ],
    exits: [
      'see them on the host: `dmesg | grep "INTR-REMAP"`',
      `update the driver and the firmware, ${AGAIN}`,
    ],
  },
  'fault.iommu-error': {
    sentence: 'The IOMMU had an error of its own, or a device behind it does not answer.',
    symptom: `${FOUND} DMA of all devices behind that unit may stand still.`,
    causes: [
      'a device hangs, lost its power, or was taken away',
      'a device promises to cache translations (ATS) and does not keep to it',
      'a fault of memory or of the board',
    ],
    exits: [
      'see what came just before on the host: `dmesg | tail -n 100`',
      `reset or reseat the device and reboot, ${AGAIN}`,
    ],
  },
  'fault.request-refused': {
    sentence: 'A device made a request that the IOMMU does not allow it.',
    symptom: `${FOUND} Once at a reset it means nothing.`,
    causes: ['a fault of the firmware of the device', 'a driver that was built for another model'],
    exits: [
      'see it on the host: `dmesg | grep "AMD-Vi: Event"`',
      `update the driver and the firmware of the device, ${AGAIN}`,
    ],
  },
  'iommu.no-interrupt-remapping': {
    sentence: 'The IOMMU is in use, and interrupts do not go through it.',
    symptom:
      '`vfleet diagnose` finds it, and a plan warns of it. Guests with devices do not start: VFIO refuses them.',
    causes: [
      'interrupt remapping (x2APIC) is off in the setup of the firmware',
      'the firmware names an interrupt controller nowhere in its table',
      'intremap=off on the kernel line',
    ],
    exits: [
      'see it on the host: `cat /sys/kernel/irq/*/chip_name` and `dmesg | grep -i remapping`',
      `turn it on in setup (\`systemctl reboot --firmware-setup\` leads there), ${AGAIN}`,
      'do not write allow_unsafe_interrupts: a guest could then send interrupts to the host and to other guests',
    ],
  },
  'vfio.bar-in-use': {
    sentence: 'Something on the host holds memory of a device that a guest was to have.',
    symptom: `${FOUND} The guest does not start, or shows nothing.`,
    causes: [
      'the console of the firmware (efifb, simplefb, vesafb) is on the card',
      'a native driver has not let go of it',
    ],
    exits: [
      'see who holds it on the host: `cat /proc/iomem`',
      `make another card the first one in setup, or keep the console off it by the kernel line, ${AGAIN}`,
    ],
  },
  'vfio.device-stuck': {
    sentence: 'A device did not come back from a reset or from sleep.',
    symptom: `${FOUND} No guest can use it before the host was without power.`,
    causes: [
      'the device cannot be reset between two guests',
      'it does not wake up (D3): its power or its firmware',
    ],
    exits: [
      'see which resets it has on the host: `cat /sys/bus/pci/devices/ADDRESS/reset_method`',
      `power-cycle the host; \`disableIdleD3: true\` in target.modules of the spec keeps it awake, ${AGAIN}`,
    ],
  },
  'vfio.memory-limit': {
    sentence: 'The memory of a guest could not be locked for its device.',
    symptom: `${FOUND} The guest does not start.`,
    causes: ['QEMU was started with a limit of locked memory that is too low, without libvirt'],
    exits: [
      'see the limit of the guest: `virsh memtune GUEST`',
      `raise or remove hard_limit, ${AGAIN}`,
    ],
  },
  'vfio.no-iommu-mode': {
    sentence: 'A device was given out without any IOMMU.',
    symptom: `${FOUND} Whoever has the device can read and write all memory of the host.`,
    causes: ['enable_unsafe_noiommu_mode is set, as guides for DPDK in guests say'],
    exits: [
      'take the option out of modprobe.d and the kernel line, and turn the IOMMU on: `vfleet plan SPEC`',
      `reboot, ${AGAIN}`,
    ],
  },
  'vfio.probe-failed': {
    sentence: 'A device could not be bound to vfio-pci.',
    symptom: `${FOUND} It has no driver.`,
    causes: [
      'the IOMMU is off, or covers no such slot: the device has no group',
      'vfio-pci refuses the model by name (QAT C62x, DH895xCC)',
    ],
    exits: [
      'see its group on the host: `readlink /sys/bus/pci/devices/ADDRESS/iommu_group`',
      `turn the IOMMU on, or leave the model to the host, ${AGAIN}`,
    ],
  },
  'vfio.rom-unreadable': {
    sentence: 'The ROM of a device for a guest cannot be read.',
    symptom: `${FOUND} A guest may show nothing before its driver is loaded.`,
    causes: ['the firmware of the host has used the card as its console and left the ROM off'],
    exits: [
      'give the guest the ROM as a file, or none: `virsh edit GUEST`',
      'or make another card the first one in setup',
    ],
  },
  'vfio.unsafe-interrupts': {
    sentence: 'Guests with devices may send interrupts to the host and to other guests.',
    symptom: `\`vfleet diagnose\` finds it: allow_unsafe_interrupts is on.`,
    causes: [
      'it was written as a way around missing interrupt remapping',
      'a spec asked for target.modules.unsafeInterrupts',
    ],
    exits: [
      'see who wrote it on the host: `grep -r allow_unsafe_interrupts /etc/modprobe.d`',
      `turn interrupt remapping on in setup, take the option out, ${AGAIN}`,
      'vfleet wrote it: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
} as const satisfies CodeEntries;
