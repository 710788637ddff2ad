import type { Code } from '../codes.ts';
import type { GuestFacts } from '../device-facts.ts';
import { deviceNamed } from './device-named.ts';
import type { Severity, Symptoms } from './finding.ts';
import { guestName } from './for-guests.ts';
import { proofOf } from './proof.ts';
import type { Found } from './rule-parts.ts';

/** Why QEMU did not start a guest, as it says in the guest's log. */
export interface StartError {
  readonly code: Code;
  readonly severity: Severity;
  readonly pattern: RegExp;
  /** After `guest NAME did not start: `. */
  readonly says: string;
  readonly next: string;
}

/**
 * By code; hw/vfio/{pci,common,container}.c, util/oslib-posix.c and system/physmem.c of QEMU 2.x to 10. The same condition has
 * had several sentences: `vfio error: 0000:01:00.0: failed to ...`, `vfio 0000:01:00.0: failed to ...`, `Could not open ...`.
 */
export const START_ERRORS: readonly StartError[] = [
  {
    code: 'vfio.memory-limit',
    severity: 'critical',
    pattern:
      /VFIO_MAP_DMA failed: Cannot allocate memory|vfio_(?:dma|container_dma)_map\(.{1,200}\) = -12\b|qemu_vfio_dma_map.{0,80}Cannot allocate memory/,
    says: 'its memory could not be locked for its device',
    next: 'see its limit: virsh memtune GUEST (hard_limit must be above all of its memory), and the log of the kernel for RLIMIT_MEMLOCK',
  },
  {
    code: 'guest.no-hugepages',
    severity: 'critical',
    pattern:
      /unable to map backing store for guest RAM: Cannot allocate memory|Insufficient free host memory pages available to allocate guest RAM|(?:os_mem_prealloc|qemu_prealloc_mem): preallocating memory failed/,
    says: 'there are not enough free huge pages for its memory',
    next: 'see them by node: grep . /sys/devices/system/node/node*/hugepages/*/free_hugepages; then set more aside (target.hugepages of a spec)',
  },
  {
    code: 'guest.no-vfio-access',
    severity: 'critical',
    pattern:
      /(?:failed to open|Could not open) '?\/dev\/(?:vfio\/(?:vfio|devices\/vfio\d{1,6}|\d{1,9})|iommu)'?: (?:Permission denied|Operation not permitted)/,
    says: 'QEMU may not open /dev/vfio',
    next: 'see who may: ls -l /dev/vfio; in /etc/libvirt/qemu.conf dynamic_ownership must be 1 and cgroup_device_acl, if set, must name /dev/vfio/vfio; then AppArmor or SELinux',
  },
  {
    code: 'guest.group-busy',
    severity: 'warning',
    pattern:
      /failed to open \/dev\/vfio\/\d{1,9}: Device or resource busy|error getting device from group \d{1,9}: Device or resource busy|Could not open '\/dev\/vfio\/(?:\d{1,9}|devices\/vfio\d{1,6})': Device or resource busy/,
    says: 'another process has a device of its IOMMU group',
    next: 'see who: fuser -v /dev/vfio/*; all members of a group go to one guest',
  },
  {
    code: 'guest.vfio-refused',
    severity: 'critical',
    pattern:
      /[Ff]ailed to set iommu for container: Operation not permitted|[Ff]ailed to set group container: (?:Invalid argument|Operation not permitted)|failed to attach .{0,60}: Operation not permitted/,
    says: 'the kernel does not let VFIO take its IOMMU group',
    next: 'see why: dmesg | grep -E "No interrupt remapping|ineligible for IOMMU domain|MSI interrupts"; that is interrupt remapping, or memory that the firmware reserved (RMRR)',
  },
  {
    code: 'bind.no-group',
    severity: 'critical',
    pattern: /no iommu_group found: No such file or directory/,
    says: 'its device has no IOMMU group',
    next: 'see whether an IOMMU is in use at all: ls /sys/class/iommu /sys/kernel/iommu_groups',
  },
  {
    code: 'vfio.device-stuck',
    severity: 'warning',
    pattern: /vfio: Unable to power on device, stuck in D\d/,
    says: 'its device does not wake up',
    next: 'only power brings such a device back: power-cycle the host (a reboot may not do); disable_idle_d3 for vfio-pci keeps it from sleeping',
  },
];

/** The log that libvirt keeps of a guest. */
const logOf = (guest: GuestFacts): string => `/var/log/libvirt/qemu/${guest.name}.log`;

const STARTING = /^\d{4}-\d{2}-\d{2} [0-9:.]{8,20}\+0000: starting up libvirt version/;

/**
 * What the log says of the last start alone: what was wrong at an earlier one has been put right, or nobody would have got
 * further. Of a guest that is gone from libvirt the log stays, and says nothing of this host.
 */
function lastStart(lines: readonly string[]): readonly string[] {
  const at = lines.findLastIndex((line) => STARTING.test(line));
  return lines.slice(at + 1);
}

/** The error of one code, of each guest that does not run: one that runs has got over whatever stands there. */
export function startErrors(symptoms: Symptoms, code: Code): readonly Found[] {
  const error = START_ERRORS.find((one) => one.code === code);
  if (error === undefined) return [];
  const { guests } = symptoms.facts.devices;
  return guests.flatMap((guest) => {
    if (guest.running || !Object.hasOwn(symptoms.guestLogs, guest.name)) return [];
    const lines = lastStart(symptoms.guestLogs[guest.name] ?? []);
    const mine = lines.filter((line) => error.pattern.test(line));
    const [line] = mine;
    if (line === undefined) return [];
    const device = deviceIn(symptoms, line);
    return [
      {
        sentence: `guest ${guestName(guest)} did not start: ${error.says}${device}`,
        proof: mine.slice(0, 3).map((text) => proofOf(logOf(guest), text)),
        next: error.next.replace('GUEST', () => guestName(guest)),
      },
    ];
  });
}

/** `vfio 0000:65:00.0: ...`, or the device of `-device vfio-pci,host=0000:65:00.0,...` in front, also as JSON. */
function deviceIn({ facts: { devices } }: Symptoms, line: string): string {
  const address =
    /\bvfio(?: error:)? ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b/.exec(line)?.[1] ??
    /\bhost"?[=:]"?((?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b/.exec(line)?.[1];
  return address === undefined ? '' : ` (${deviceNamed(devices, address).text})`;
}
