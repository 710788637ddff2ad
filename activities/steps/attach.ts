import type { StepOutcome } from '../../src/domain/activities.ts';
import type { AttachChange, Evidence } from '../../src/domain/changes.ts';
import type { DeviceFacts } from '../../src/domain/device-facts.ts';
import { keyOf } from '../../src/domain/devices/attach-devices.ts';
import { indexDevices } from '../../src/domain/devices/device-index.ts';
import type { Owners } from '../../src/domain/devices/group-owners.ts';
import { sharedGroupProblem } from '../../src/domain/devices/group-owners.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { lineOf } from '../../src/facts/snapshot.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import { functionAt, groupHold, hostUseHold, readDevices } from './parts/device-state.ts';
import { keepConfig } from './parts/guest-config.ts';
import type { GuestDevice, LiveGuest } from './parts/guest-state.ts';
import {
  devicesText,
  hasPins,
  isAttached,
  isUntouched,
  liveGuest,
  pinsProblem,
} from './parts/guest-state.ts';
import { hold, ok, tail } from './outcomes.ts';
import { moveDevices, pinVcpus, removeDeviceFiles } from './parts/virsh.ts';

/**
 * Gives PCI devices to libvirt guests: live first, then in the configuration, so that what a guest starts with has been
 * shown to work wherever it runs now.
 *
 * | it dies after              | what is on the host                            | what happens                                  |
 * | -------------------------- | ---------------------------------------------- | --------------------------------------------- |
 * | half of the copy           | the guest as before, `.new` beside the copy    | retry makes it anew                           |
 * | the copy of the config     | the guest as before                            | retry goes on, with the same copy             |
 * | a live device, or a pin    | the running guest has it, its config has not   | retry goes on, with the same copy             |
 * | a device in the config     | as asked for this device                       | as above: the copy is kept from here on       |
 * | undo: any detach           | fewer devices                                  | retry goes on                                 |
 * | undo: the config back      | as before, with the copy beside it             | retry takes the copy away                     |
 */
export async function applyAttach(
  port: HostPort,
  call: { readonly changes: readonly AttachChange[]; readonly guard: Guard },
): Promise<StepOutcome> {
  const { changes, guard } = call;
  if (changes.length === 0) return ok({});
  const facts = await readDevices(port);
  const owners = new Map(
    changes.flatMap(({ domain, devices }) => devices.map((it) => [keyOf(it), domain] as const)),
  );
  for (const change of changes) {
    const problem = obstacle(facts, change, owners);
    if (problem !== undefined) return problem;
  }
  for (const change of changes) {
    const live = liveGuest(facts, change);
    if (live === undefined || 'kind' in live) continue;
    const problem = isAttached(live, change)
      ? undefined
      : await attach(port, { change, guard, live });
    if (problem !== undefined) return problem;
  }
  return (await removeDeviceFiles(port, guard)) ?? verifyAttached(port, changes);
}

interface GuestCall {
  readonly change: AttachChange;
  readonly guard: Guard;
  readonly live: LiveGuest;
}

/** Everything that stands against it now, found before the guest is touched. */
function obstacle(
  facts: DeviceFacts,
  change: AttachChange,
  owners: Owners,
): StepOutcome | undefined {
  const live = liveGuest(facts, change);
  if (live === undefined) {
    return hold('guest.absent', `libvirt has no guest ${change.domain}`);
  }
  if ('kind' in live) return live;
  const { guest } = live;
  if (!guest.persistent) {
    return hold('guest.transient', `guest ${guest.name} has no configuration that outlasts it`);
  }
  return (
    confinementProblem(live, change) ??
    devicesProblem(live, change) ??
    splitProblem(live, owners) ??
    pinsProblem(live, change)
  );
}

function confinementProblem({ guest }: LiveGuest, change: AttachChange): StepOutcome | undefined {
  if (change.confined !== 'required' || !guest.running) return undefined;
  if (guest.confinement !== undefined) return undefined;
  return hold(
    'guest.not-confined',
    `guest ${guest.name} runs without AppArmor or SELinux confinement, which the spec requires`,
  );
}

function devicesProblem(live: LiveGuest, change: AttachChange): StepOutcome | undefined {
  const problems = live.devices.map(
    (device) => takenProblem(live, device) ?? driverProblem(live, device, change),
  );
  const first = problems.find((problem) => problem !== undefined);
  if (first !== undefined || change.managed) return first;
  return groupHold(
    live.facts,
    live.devices.map(({ address }) => address),
  );
}

/** Groups of VFs that the plan only asked for are known now. */
function splitProblem({ facts, guest, devices }: LiveGuest, owners: Owners) {
  const problem = sharedGroupProblem(indexDevices(facts), guest, devices, owners);
  return problem && hold(problem.code, problem.sentence);
}

function takenProblem(
  { facts, guest }: LiveGuest,
  { address }: GuestDevice,
): StepOutcome | undefined {
  const other = facts.guests.find(
    ({ name, hostdevs }) => name !== guest.name && hostdevs.some((it) => it.address === address),
  );
  if (other === undefined) return undefined;
  return hold('guest.device-taken', `guest ${other.name} has ${address} already`);
}

/** What the guest has already must be as asked; what it is to get must be on vfio-pci, or libvirt refuses it. */
function driverProblem(
  { facts, guest }: LiveGuest,
  { address, has }: GuestDevice,
  { managed }: AttachChange,
): StepOutcome | undefined {
  if (has !== undefined) {
    if (has.managed === managed) return undefined;
    return hold('drift', `guest ${guest.name} has ${address} already, managed otherwise`);
  }
  const found = functionAt(facts, address);
  const driver = found?.driver ?? 'no driver';
  if (driver === 'vfio-pci') return undefined;
  // libvirt would take a managed one from the host by itself.
  if (managed) return found && hostUseHold([found]);
  const sentence = `${address} has ${driver}, so libvirt would refuse it: it must be on vfio-pci`;
  return hold('guest.not-detached', sentence);
}

async function attach(port: HostPort, call: GuestCall): Promise<StepOutcome | undefined> {
  const { change, guard, live } = call;
  const { managed, pins, domain } = change;
  return (
    (await keepConfig(port, { guard, change, untouched: isUntouched(live, change) })) ??
    (await moveDevices(port, { guard, live, domain, managed, to: 'attach' })) ??
    (pins === null || hasPins(live.guest, pins.after)
      ? undefined
      : await pin(port, { guard, live, domain, pins: pins.after }))
  );
}

/** Live before config, so that pins in the configuration say that the running guest has them too. */
async function pin(
  port: HostPort,
  call: {
    readonly guard: Guard;
    readonly live: LiveGuest;
    readonly domain: string;
    readonly pins: Readonly<Record<string, string>>;
  },
): Promise<StepOutcome | undefined> {
  const { guard, live, domain, pins } = call;
  return (
    (live.guest.running
      ? await pinVcpus(port, { guard, domain, pins, scope: '--live' })
      : undefined) ?? pinVcpus(port, { guard, domain, pins, scope: '--config' })
  );
}

async function verifyAttached(
  port: HostPort,
  changes: readonly AttachChange[],
): Promise<StepOutcome> {
  const facts = await readDevices(port);
  let evidence: Evidence = {};
  for (const change of changes) {
    const live = liveGuest(facts, change);
    if (live === undefined || 'kind' in live) return live ?? hold('guest.absent', change.domain);
    if (!isAttached(live, change)) {
      return hold('guest.readback', `guest ${change.domain} does not have all of its devices`, {
        devices: devicesText(live),
      });
    }
    evidence = { ...evidence, ...(await seen(port, live)) };
  }
  return ok(evidence);
}

/** What the guest has, how it is confined, and whose its VFIO groups are. */
async function seen(port: HostPort, live: LiveGuest): Promise<Evidence> {
  const { guest } = live;
  return {
    [`guest ${guest.name}`]: devicesText(live),
    [`confinement of ${guest.name}`]: guest.running ? (guest.confinement ?? 'none') : 'not running',
    ...(guest.running ? { [`groups of ${guest.name}`]: await groupOwners(port, live) } : {}),
  };
}

/** The owners of the groups as the guest's process sees them: libvirt gives it a /dev of its own, and leaves the host's alone. */
async function groupOwners(port: HostPort, { guest, facts, devices }: LiveGuest): Promise<string> {
  const path = `/run/libvirt/qemu/${guest.name}.pid`;
  const deadlineMs = HOST_DEADLINE_MS.read;
  const pid = lineOf(
    await port.read({ entries: [{ kind: 'line', glob: path }], deadlineMs }),
    path,
  );
  const groups = new Set(devices.flatMap(({ address }) => functionAt(facts, address)?.group ?? []));
  const numbers = [...groups].filter((group) => /^[0-9]{1,6}$/.test(group));
  if (!/^[0-9]{1,10}$/.test(pid ?? '') || numbers.length === 0) return 'unknown';
  const nodes = numbers.map((group) => `/proc/${pid ?? ''}/root/dev/vfio/${group}`);
  const owners = await port.run({ argv: ['stat', '-c', '%n %U:%G', ...nodes], deadlineMs });
  return tail(owners.stdout.trim().replaceAll('\n', ', ')).slice(0, 200) || 'unknown';
}
