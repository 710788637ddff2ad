import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { FileChange } from '../../../src/domain/changes.ts';
import type { DeviceFacts, GuestFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { indexDevices } from '../../../src/domain/devices/device-index.ts';
import { groupProblem } from '../../../src/domain/devices/groups.ts';
import { FUNCTIONS_MAX } from '../../../src/facts/devices/functions.ts';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import { DEVICES_PROBE, HEALTH_PROBE } from '../../../src/facts/probe.ts';
import type { HostPort } from '../../../src/host/port.ts';
import { hold, tail } from '../outcomes.ts';

/** Reads the devices and the guests afresh, in one command. */
export async function readDevices(port: HostPort): Promise<DeviceFacts> {
  const entries = DEVICES_PROBE;
  return parseDevices(await port.read({ entries, deadlineMs: HOST_DEADLINE_MS.read }));
}

/** Only how the devices do, with temperatures, which ask the devices themselves. */
export async function readHealth(port: HostPort): Promise<DeviceFacts> {
  const entries = HEALTH_PROBE;
  return parseDevices(await port.read({ entries, deadlineMs: HOST_DEADLINE_MS.read }));
}

/**
 * The same as readDevices, once udev has done its work: in the first seconds of a boot, and after VFs were made, it still binds drivers
 * and gives interfaces their names (tried on Debian 12). Without udevadm, or when it takes too long, as it is.
 */
export async function readSettledDevices(port: HostPort): Promise<DeviceFacts> {
  const argv: [string, ...string[]] = ['udevadm', 'settle', '--timeout=20'];
  await port.run({ argv, deadlineMs: HOST_DEADLINE_MS.settle });
  return readDevices(port);
}

export function functionAt(facts: DeviceFacts, address: string): PciFunction | undefined {
  return facts.functions.find((it) => it.address === address);
}

/** Whether the host's functions are all known: none read, or more than are looked at, says nothing of one that is missing. */
export const knowsFunctions = ({ functions: { length } }: DeviceFacts): boolean =>
  length > 0 && length < FUNCTIONS_MAX;

/** Whether the host has no such function any more. */
export const isGone = (facts: DeviceFacts, address: string): boolean =>
  knowsFunctions(facts) && functionAt(facts, address) === undefined;

/** A running guest that has the function now, or `undefined`. */
export function guestWith(facts: DeviceFacts, address: string): GuestFacts | undefined {
  return facts.guests.find(
    ({ running, hostdevs }) => running && hostdevs.some((it) => it.live && it.address === address),
  );
}

/**
 * The hold for functions that are to go, or have gone, to vfio-pci and that VFIO would not take: without an IOMMU group, or
 * with a member of the group that stays with the host. Looked at before a driver is taken away, and after.
 */
export function groupHold(
  facts: DeviceFacts,
  addresses: readonly string[],
): StepOutcome | undefined {
  const [first] = addresses;
  if (first === undefined) return undefined;
  if (facts.groups.length === 0) {
    const sentence = `there are no IOMMU groups in this boot, so ${first} cannot be given to a guest`;
    return hold('bind.no-group', sentence);
  }
  const problem = groupProblem(indexDevices(facts), new Set(addresses));
  return problem && hold(problem.code, problem.sentence);
}

/**
 * The hold for a function that carries the host's disks or its SSH by now and would be taken from it. What a rollout was
 * allowed counts for the way forward only: whoever rolls back later may not know of it (law 1).
 */
export function hostUseHold(functions: readonly PciFunction[]): StepOutcome | undefined {
  for (const { address, uses } of functions) {
    const use = uses.find(({ kind }) => kind === 'root-disk' || kind === 'ssh-route');
    if (use === undefined) continue;
    const code = use.kind === 'root-disk' ? 'devices.root-disk' : 'devices.ssh-route';
    return hold(code, `${address} is in use: ${use.what}; move that to another device first`);
  }
  return undefined;
}

/** The hold for a file of ours that is neither as before nor as after; found before anything is changed. */
export function fileDrift(
  facts: DeviceFacts,
  files: readonly FileChange[],
): StepOutcome | undefined {
  for (const { path, before, after } of files) {
    const found = facts.ownFiles[path] ?? null;
    if (found === before || found === after) continue;
    return hold('drift', `${path} was changed by someone else`, {
      path,
      content: tail(found ?? 'absent'),
    });
  }
  return undefined;
}
