import type { Problem } from '../blocked.ts';
import type { AttachChange } from '../changes.ts';
import type { GuestFacts } from '../device-facts.ts';
import type { GuestTarget } from '../spec.ts';
import { alignmentReport, nodeOf, VCPUS_MAX } from './alignment.ts';
import type { MeantDevice, Prepared } from './attach-devices.ts';
import { deviceText, keyOf, meantDevices } from './attach-devices.ts';
import { cpuListText, parseCpuList } from './cpu-list.ts';
import type { DeviceIndex } from './device-index.ts';
import { listed, nameOf } from './device-index.ts';
import type { Owners } from './group-owners.ts';
import { ownersOf, sharedGroupProblem, takenProblem } from './group-owners.ts';
import { isPlainDomain } from './plain-domain.ts';

export interface PlannedGuests {
  readonly changes: readonly AttachChange[];
  readonly warnings: readonly string[];
}

/** What guests get: those that have it already get no change. */
export function planGuests(
  prepared: Prepared,
  targets: readonly GuestTarget[],
): PlannedGuests | Problem {
  const meant: { target: GuestTarget; devices: readonly MeantDevice[] }[] = [];
  for (const target of targets) {
    const devices = meantDevices(prepared, target);
    if ('code' in devices) return devices;
    meant.push({ target, devices });
  }
  const owners = ownersOf(meant.map(({ target: { domain }, devices }) => ({ domain, devices })));
  if ('code' in owners) return owners;
  const changes: AttachChange[] = [];
  const warnings: string[] = [];
  for (const { target, devices } of meant) {
    const planned = planGuest(prepared, target, { devices, owners });
    if ('code' in planned) return planned;
    if (planned.change !== undefined) changes.push(planned.change);
    warnings.push(...planned.warnings);
  }
  return { changes, warnings };
}

interface PlannedGuest {
  readonly change?: AttachChange;
  readonly warnings: readonly string[];
}

function planGuest(
  prepared: Prepared,
  target: GuestTarget,
  call: { readonly devices: readonly MeantDevice[]; readonly owners: Owners },
): PlannedGuest | Problem {
  const { domain, managed } = target;
  const { devices, owners } = call;
  const { index } = prepared;
  const guest = findGuest(index, domain);
  if ('code' in guest) return guest;
  const pins = pinsFor(prepared, target, guest, devices);
  if (pins !== null && 'code' in pins) return pins;
  const problem =
    confinementProblem(guest, target) ??
    takenProblem(index, guest, devices) ??
    sharedGroupProblem(index, guest, devices, owners) ??
    halfAttached(guest, devices);
  if (problem !== undefined) return problem;
  const label = `guest of ${listed(devices.map(({ device }) => deviceText(device)))}`;
  const warnings = [
    ...devices.flatMap((device) => heldOtherwise(guest, device, managed)),
    ...alignmentReport(index.facts, guest, {
      devices: devices.map(({ fn }) => fn),
      pins: pins?.after ?? guest.pins,
      label,
    }),
  ];
  return withChange(target, guest, { devices, pins, warnings });
}

function withChange(
  { domain, managed, confined }: GuestTarget,
  guest: GuestFacts,
  {
    devices,
    pins,
    warnings,
  }: {
    readonly devices: readonly MeantDevice[];
    readonly pins: AttachChange['pins'];
    readonly warnings: readonly string[];
  },
): PlannedGuest | Problem {
  const missing = devices.filter(({ address }) => held(guest, address) === undefined);
  if (missing.length === 0 && pins === null) return { warnings };
  // What the guest has already is not ours to take back.
  const own = missing.map(({ device }) => device);
  const change: AttachChange = {
    kind: 'attach',
    domain,
    devices: own,
    managed,
    confined,
    pins,
  };
  return guestProblem(guest) ?? { change, warnings };
}

const held = (guest: GuestFacts, address: string | undefined) =>
  address === undefined ? undefined : guest.hostdevs.find((it) => it.address === address);

function findGuest({ guests }: DeviceIndex, domain: string): GuestFacts | Problem {
  const guest = guests.get(domain);
  if (guest === undefined) return absent(domain, [...guests.keys()]);
  if (isPlainDomain(domain)) return guest;
  return {
    code: 'guest.name-unsafe',
    sentence: `the name of guest ${domain} is not plain enough for a file of that name and for virsh; rename it (virsh domrename) to letters, digits, dots and dashes`,
  };
}

function absent(domain: string, names: readonly string[]): Problem {
  const known = names.length === 0 ? 'it has none' : `it has ${names.slice(0, 12).join(', ')}`;
  return {
    code: 'guest.absent',
    sentence: `libvirt has no guest ${domain} on this host (${known}); define it, correct domain, or leave this host out by the guest's hosts`,
  };
}

function confinementProblem(guest: GuestFacts, { confined }: GuestTarget): Problem | undefined {
  if (confined !== 'required' || !guest.running || guest.confinement !== undefined)
    return undefined;
  return {
    code: 'guest.not-confined',
    sentence: `guest ${guest.name} runs without AppArmor or SELinux confinement, which the spec requires; turn it on and start the guest again, or write confined: recorded`,
  };
}

function guestProblem(guest: GuestFacts): Problem | undefined {
  if (!guest.persistent) {
    return {
      code: 'guest.transient',
      sentence: `guest ${guest.name} is transient: it has no configuration that would keep a device; define it first (virsh define)`,
    };
  }
  if (!guest.ballooning) return undefined;
  return {
    code: 'guest.ballooning',
    sentence: `guest ${guest.name} has a memory balloon: memory that a device reaches is pinned, so the host cannot take it back and the guest's own count would be wrong; write <memballoon model='none'/> (virsh edit ${guest.name}) and start it again`,
  };
}

/** In the running guest and not in its configuration: somebody's trial, whose end only they know. */
function halfAttached(guest: GuestFacts, devices: readonly MeantDevice[]): Problem | undefined {
  const half = devices.find(({ address }) => held(guest, address)?.config === false);
  if (half === undefined) return undefined;
  return {
    code: 'guest.half-attached',
    sentence: `guest ${guest.name} runs with ${deviceText(half.device)} and would not have it after its next start; detach it there (virsh detach-device --live), or put it into its configuration by hand (--config)`,
  };
}

function heldOtherwise(
  guest: GuestFacts,
  { device, address }: MeantDevice,
  managed: boolean,
): string[] {
  const has = held(guest, address);
  if (has === undefined) return [];
  const name = deviceText(device);
  return [
    ...(has.managed === managed
      ? []
      : [
          `the guest of ${name} has it with managed='${has.managed ? 'yes' : 'no'}', which stays${has.managed ? ': libvirt gives it back to its native driver when the guest stops' : ''}`,
        ]),
    ...(guest.running && has.config && !has.live
      ? [`the guest of ${name} runs without it, and gets it when it is next started`]
      : []),
  ];
}

/** vCPU pins to the device's node; `null` where none are asked or all are as asked. */
function pinsFor(
  { index }: Prepared,
  { pin }: GuestTarget,
  guest: GuestFacts,
  devices: readonly MeantDevice[],
): AttachChange['pins'] | Problem {
  if (pin !== 'device-node') return null;
  const nodes = new Set(devices.map(({ fn }) => nodeOf(index.facts, fn)));
  const [node] = nodes;
  const { vcpus, name, pins } = guest;
  if (node === undefined || nodes.size > 1) return pinProblem(name, devices, nodes.size > 1);
  if (vcpus === undefined || vcpus > VCPUS_MAX) {
    return {
      code: 'guest.pin-unknown',
      sentence: `guest ${name} does not say how many vCPUs it has, so they cannot be pinned; write pin: as-found`,
    };
  }
  const cpus = cpuListText(parseCpuList(node.cpus));
  const after: Record<string, string> = { ...pins };
  for (let vcpu = 0; vcpu < vcpus; vcpu += 1) after[String(vcpu)] = cpus;
  const isPinned = Object.entries(after).every(([vcpu, text]) => sameCpus(pins[vcpu], text));
  if (isPinned) return null;
  const all = index.facts.numaNodes.flatMap((one) => [...parseCpuList(one.cpus)]);
  return { before: pins, after, all: cpuListText(all) };
}

const sameCpus = (found: string | undefined, text: string): boolean =>
  found !== undefined && cpuListText(parseCpuList(found)) === cpuListText(parseCpuList(text));

function pinProblem(name: string, devices: readonly MeantDevice[], several: boolean): Problem {
  const names = devices.map(({ fn }) => nameOf(fn)).join(', ');
  const why = several
    ? `the devices of guest ${name} are on several NUMA nodes (${names}), so its vCPUs cannot be by all of them; give it devices of one node`
    : `the firmware does not say on which NUMA node ${names} is, so the vCPUs of guest ${name} cannot be pinned to it`;
  return { code: 'guest.pin-unknown', sentence: `${why}, or write pin: as-found` };
}

/** Devices of guests that are there already, counted once each, as evidence. */
export const attachedCount = (prepared: Prepared, targets: readonly GuestTarget[]): number => {
  const found = new Set<string>();
  for (const target of targets) {
    const devices = meantDevices(prepared, target);
    if ('code' in devices) continue;
    for (const { device } of devices) found.add(keyOf(device));
  }
  return found.size;
};
