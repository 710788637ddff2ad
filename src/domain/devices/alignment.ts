import type { DeviceFacts, GuestFacts, NumaNode, PciFunction } from '../device-facts.ts';
import { listed } from './device-index.ts';
import { isWithin } from './cpu-list.ts';

/** The NUMA node of a device; on a machine with one node that one, since there the kernel may say none (-1). */
export function nodeOf({ numaNodes }: DeviceFacts, fn: PciFunction): NumaNode | undefined {
  const [only, ...others] = numaNodes;
  if (fn.numaNode === undefined) return others.length === 0 ? only : undefined;
  return numaNodes.find(({ id }) => id === fn.numaNode);
}

/**
 * How well a guest lies by its devices, for people to read: vCPUs and memory against the node, and what its memory is
 * made of. All of it works, only slower.
 */
export function alignmentReport(
  facts: DeviceFacts,
  guest: GuestFacts,
  call: {
    readonly devices: readonly PciFunction[];
    /** vCPU pins as they are to be. */
    readonly pins: Readonly<Record<string, string>>;
    /** By which the guest is told: by its devices, so that hosts whose guests only have other names read alike. */
    readonly label: string;
  },
): readonly string[] {
  const found = [
    ...(facts.numaNodes.length > 1 ? nodeReport(facts, guest, call) : []),
    ...(guest.hugepages ? [] : ['its memory is not backed by huge pages']),
    ...(guest.locked ? [] : ['its memory is not locked (memoryBacking)']),
  ];
  return found.length === 0 ? [] : [`${call.label}: ${found.join('; ')}`];
}

function nodeReport(
  facts: DeviceFacts,
  guest: GuestFacts,
  {
    devices,
    pins,
  }: {
    readonly devices: readonly PciFunction[];
    readonly pins: Readonly<Record<string, string>>;
  },
): string[] {
  const nodes = [...new Set(devices.map((fn) => nodeOf(facts, fn)))];
  const [node, ...others] = nodes;
  if (others.length > 0) return ['its devices are on several NUMA nodes'];
  if (node === undefined) return ['the firmware does not say on which NUMA node its device is'];
  const vcpus = Array.from({ length: Math.min(guest.vcpus ?? 0, VCPUS_MAX) }, (_, at) => at);
  const astray = vcpus.filter((vcpu) => {
    const cpus = pins[String(vcpu)];
    return cpus === undefined || !isWithin(cpus, node.cpus);
  });
  const device = devices[0]?.address ?? '';
  return [
    ...(astray.length === 0
      ? []
      : [
          `vCPU ${listed(astray.map(String))} may run away from NUMA node ${node.id} of ${device} (CPUs ${node.cpus}); pin: device-node pins them`,
        ]),
    ...(guest.nodeset === String(node.id)
      ? []
      : [
          guest.nodeset === undefined
            ? `its memory may lie on any node, its device is on node ${node.id} (numatune)`
            : `its memory is on node ${guest.nodeset}, its device on node ${node.id}`,
        ]),
  ];
}

/** Most vCPUs of a guest that are looked at; libvirt's own limit for x86 is lower. */
export const VCPUS_MAX = 4_096;
