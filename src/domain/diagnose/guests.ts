import type { Code } from '../codes.ts';
import type { DeviceFacts, GuestFacts, NumaNode, PciFunction } from '../device-facts.ts';
import { alignmentReport, nodeOf } from '../devices/alignment.ts';
import { parseCpuList } from '../devices/cpu-list.ts';
import { listed, nameOf } from '../devices/device-index.ts';
import { denials } from './denials.ts';
import type { Rule, Symptoms } from './finding.ts';
import { guestName } from './for-guests.ts';
import { START_ERRORS, startErrors } from './guest-logs.ts';
import { groupedBy, proofOf, timesText } from './proof.ts';
import type { Found } from './rule-parts.ts';
import { ruleOf } from './rule-parts.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('guests', code, severity, find, explains);

/** What keeps guests from starting with their devices, or makes them slow. */
export const GUESTS_RULES: readonly Rule[] = [
  rule('guest.no-device', 'warning', missingDevices),
  rule('guest.not-detached', 'warning', notDetached),
  rule('guest.denied', 'warning', denied, ['guest.no-vfio-access', 'guest.no-hugepages']),
  ...START_ERRORS.map(({ code, severity }) =>
    rule(code, severity, (symptoms) => startErrors(symptoms, code)),
  ),
  rule('hugepages.too-few', 'warning', tooFewPages, ['guest.no-hugepages']),
  rule('guest.ballooning', 'note', ballooning),
  rule('guest.far-from-device', 'note', farFromDevice),
];

const configOf = ({ name }: GuestFacts): string => `/etc/libvirt/qemu/${name}.xml`;

/** A device that its configuration names and that is not on the bus: without it the guest does not start. */
function missingDevices({ facts: { devices } }: Symptoms): readonly Found[] {
  const { functions, guests } = devices;
  if (functions.length === 0) return [];
  const there = new Set(functions.map(({ address }) => address));
  return guests.flatMap((guest) => {
    const gone = guest.hostdevs.filter((it) => it.config && !there.has(it.address));
    if (gone.length === 0) return [];
    const addresses = gone.map(({ address }) => address);
    return [
      {
        sentence: `guest ${guestName(guest)} is to have ${listed(addresses)}, which ${gone.length === 1 ? 'is' : 'are'} not there, so it does not start: VFs that nobody has made in this boot, or a card that is gone or has another address`,
        proof: addresses.map((address) => proofOf(configOf(guest), `<hostdev> ${address}`)),
        next: 'see what is there: lspci -nn; grep . /sys/bus/pci/devices/*/sriov_numvfs',
      },
    ];
  });
}

/** libvirt refuses it: "Unmanaged PCI device ... must be manually detached from the host" (host.md §9). */
function notDetached({ facts: { devices } }: Symptoms): readonly Found[] {
  const byAddress = new Map(devices.functions.map((fn) => [fn.address, fn]));
  return devices.guests.flatMap((guest) => {
    if (guest.running) return [];
    const attached = guest.hostdevs.flatMap(({ address, managed, config }) => {
      const fn = byAddress.get(address);
      return managed || !config || fn === undefined || isVfio(fn.driver) ? [] : [fn];
    });
    if (attached.length === 0) return [];
    const names = attached.map((fn) => `${nameOf(fn)} (${fn.driver ?? 'no driver'})`);
    return [
      {
        sentence: `guest ${guestName(guest)} is to have ${listed(names)} with managed='no', and libvirt takes such a device only from vfio-pci, so the guest does not start`,
        proof: attached.map(({ address, driver }) =>
          proofOf(`/sys/bus/pci/devices/${address}/driver`, driver ?? 'not there'),
        ),
        next: 'bind it by a spec (driver: vfio-pci), then vfleet plan SPEC; or for now: virsh nodedev-detach pci_0000_BB_DD_F',
      },
    ];
  });
}

const isVfio = (driver: string | null): boolean => driver !== null && /vfio[-_]pci$/.test(driver);

/** Together for each thing that was refused. What SELinux only notes (permissive) has hurt nobody. */
function denied(symptoms: Symptoms): readonly Found[] {
  const { kernelLog = [], auditLog = [], facts } = symptoms;
  const isCounted = (by: string): boolean => by !== 'SELinux' || facts.selinux !== 'permissive';
  const found = [
    ...denials(auditLog).map((one) => ({ ...one, source: '/var/log/audit/audit.log' })),
    ...denials(kernelLog).map((one) => ({ ...one, source: 'dmesg' })),
  ].filter(({ by }) => isCounted(by));
  return [...groupedBy(found, ({ by, what }) => `${by} ${what}`).values()].flatMap((mine) => {
    const [first] = mine;
    if (first === undefined) return [];
    const { by, what, profile } = first;
    return [
      {
        sentence: `${by} refused ${what} to a guest (${profile}) ${timesText(mine.length)}, which it needs for its device`,
        proof: mine.slice(0, 3).map(({ source, line }) => proofOf(source, line)),
        next:
          by === 'AppArmor'
            ? 'let libvirt attach the device (hostdev in the XML), so that virt-aa-helper writes the rule, or add it to /etc/apparmor.d/local/abstractions/libvirt-qemu'
            : 'put the label back: restorecon -Rv /dev/vfio; see what is asked for: ausearch -m avc -ts boot | audit2why',
      },
    ];
  });
}

/** A guest on huge pages that has more memory than all pages of every size: it can never start. */
function tooFewPages({ facts: { devices } }: Symptoms): readonly Found[] {
  const sizes = totals(devices.numaNodes);
  if (devices.numaNodes.length === 0) return [];
  return devices.guests.flatMap((guest) => {
    const { memoryKiB, hugepages, running } = guest;
    if (running || !hugepages || memoryKiB === undefined) return [];
    if ([...sizes].some(([size, total]) => size * total >= memoryKiB)) return [];
    const shown = [...sizes].map(([size, total]) => `${total} of ${size} KiB`);
    return [
      {
        sentence: `guest ${guestName(guest)} has ${memoryKiB} KiB of memory on huge pages, and this host has set aside ${shown.length === 0 ? 'none' : listed(shown)}, so it does not start`,
        proof: [
          proofOf(configOf(guest), '<memoryBacking><hugepages/>'),
          ...[...sizes].map(([size, total]) =>
            proofOf(`/sys/kernel/mm/hugepages/hugepages-${size}kB/nr_hugepages`, String(total)),
          ),
        ],
        next: 'set pages aside: hugepages in the target of a spec, then vfleet plan SPEC; of 1 GiB best at boot',
      },
    ];
  });
}

function totals(nodes: readonly NumaNode[]): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  for (const { hugepages } of nodes) {
    for (const [size, { total }] of Object.entries(hugepages)) {
      sizes.set(Number(size), (sizes.get(Number(size)) ?? 0) + total);
    }
  }
  return sizes;
}

/** The reason for which a host is blocked; QEMU itself only leaves the balloon alone then. */
function ballooning({ facts: { devices } }: Symptoms): readonly Found[] {
  return devices.guests
    .filter(({ ballooning: has, hostdevs }) => has && hostdevs.length > 0)
    .map((guest) => ({
      sentence: `guest ${guestName(guest)} has a memory balloon and a device: memory that a device reaches is pinned, so the host cannot take it back and the guest's own count would be wrong`,
      proof: [proofOf(configOf(guest), '<memballoon> other than model="none"')],
      next: `write <memballoon model='none'/> (virsh edit ${guestName(guest)}) and start it again`,
    }));
}

/**
 * Only where its CPUs or its memory are bound to another node: one that is not bound at all runs where there is room, and
 * that is how most guests are made.
 */
function farFromDevice({ facts: { devices } }: Symptoms): readonly Found[] {
  if (devices.numaNodes.length < 2) return [];
  const byAddress = new Map(devices.functions.map((fn) => [fn.address, fn]));
  return devices.guests.flatMap((guest) => {
    const mine = guest.hostdevs.flatMap(({ address }) => byAddress.get(address) ?? []);
    const node = oneNode(devices, mine);
    if (node === undefined || !isElsewhere(guest, node)) return [];
    const label = `guest ${guestName(guest)}`;
    const report = alignmentReport(devices, guest, { devices: mine, pins: guest.pins, label });
    return report.slice(0, 1).map((sentence) => ({
      sentence,
      proof: [
        proofOf(`/sys/bus/pci/devices/${mine[0]?.address ?? ''}/numa_node`, String(node.id)),
        ...Object.entries(guest.pins)
          .slice(0, 3)
          .map(([vcpu, cpus]) => proofOf(configOf(guest), `vcpupin ${vcpu}: ${cpus}`)),
        ...(guest.nodeset === undefined
          ? []
          : [proofOf(configOf(guest), `numatune nodeset: ${guest.nodeset}`)]),
      ],
      next: `pin it by the spec (pin: device-node), or: virsh vcpupin ${guestName(guest)} VCPU ${node.cpus} --config`,
    }));
  });
}

function oneNode(devices: DeviceFacts, mine: readonly PciFunction[]): NumaNode | undefined {
  const [node, ...others] = new Set(mine.map((fn) => nodeOf(devices, fn)));
  return others.length === 0 ? node : undefined;
}

function isElsewhere({ pins, nodeset }: GuestFacts, { id, cpus }: NumaNode): boolean {
  const own = parseCpuList(cpus);
  const isAway = (text: string): boolean => {
    const pinned = parseCpuList(text);
    return pinned.size > 0 && ![...pinned].some((cpu) => own.has(cpu));
  };
  const nodes = nodeset === undefined ? undefined : parseCpuList(nodeset);
  const memoryAway = nodes !== undefined && nodes.size > 0 && !nodes.has(id);
  return memoryAway || Object.values(pins).some(isAway);
}
