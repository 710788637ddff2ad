import type { StepOutcome } from '../../src/domain/activities.ts';
import type { AttachChange, Evidence } from '../../src/domain/changes.ts';
import { isPlainDomain } from '../../src/domain/devices/plain-domain.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import { isGone, readDevices } from './parts/device-state.ts';
import { hasConfig, hasCopy, keptCopy, removeCopy, restoreConfig } from './parts/guest-config.ts';
import type { LiveGuest } from './parts/guest-state.ts';
import {
  configPath,
  devicesText,
  hasPins,
  pinsProblem,
  remainingGuest,
} from './parts/guest-state.ts';
import { hold, ok } from './outcomes.ts';
import { moveDevices, pinVcpus, removeDeviceFiles } from './parts/virsh.ts';

interface UndoCall {
  readonly change: AttachChange;
  readonly guard: Guard;
}

/**
 * How often a running guest is asked to let go of a device. libvirt waits 5 s for it and then says that all went well, also
 * when it did not (libvirt 9, tried); a guest that was booting lets go only when it is asked again.
 */
const DETACH_TIMES = 4;

/** Takes the devices of one guest back, and its configuration to what it was. Needs no reboot. */
export async function undoAttach(port: HostPort, call: UndoCall): Promise<StepOutcome> {
  const { change, guard } = call;
  const { domain } = change;
  const told = (what: string, more: Evidence = {}): StepOutcome =>
    ok({ [`guest ${domain}`]: what, ...more, reboot: 'not needed' });
  if (!isPlainDomain(domain)) return told('as before');
  const copy = await hasCopy(port, change);
  if (typeof copy !== 'boolean') return copy;
  // Apply makes a copy of the configuration first: without one this change has touched no guest.
  if (!copy) return told('as before');
  const live = await detach(port, call);
  if (live === undefined) return (await forget(port, call)) ?? told('not there any more');
  if ('kind' in live) return live;
  const problem = (await unpin(port, call, live)) ?? (await removeDeviceFiles(port, guard));
  if (problem !== undefined) return problem;
  const restored = await restore(port, call, live);
  if (restored.kind === 'hold') return restored;
  return told('devices taken back', { ...restored.evidence, ...goneEvidence(live) });
}

/** A guest that runs and was undefined meanwhile has no configuration to put back: the copy is all that is left of it. */
async function restore(port: HostPort, call: UndoCall, { guest }: LiveGuest): Promise<StepOutcome> {
  if (guest.persistent) return restoreConfig(port, call);
  return ok(keptCopy('it has none any more', call.change));
}

/** What is left here of a guest that is gone; the hold for one that is only not to be read. */
async function forget(port: HostPort, call: UndoCall): Promise<StepOutcome | undefined> {
  const { change, guard } = call;
  const config = await hasConfig(port, change);
  if (typeof config !== 'boolean') return config;
  if (config) {
    const sentence = `guest ${change.domain} has a configuration that cannot be read, so its devices were left`;
    return hold('guest.absent', sentence, { config: configPath(change.domain) });
  }
  return (await removeDeviceFiles(port, guard)) ?? removeCopy(port, call);
}

/** Most addresses in one piece of evidence. */
const NAMED_MAX = 4;

/**
 * Devices that are not there any more. The address of a VF went with the VF, so what the guest still has of functions that are
 * gone is for a person to take out, who knows whose it was.
 */
function goneEvidence({ facts, guest, gone }: LiveGuest): Evidence {
  const [first] = gone;
  if (first === undefined) return {};
  const more = gone.length > 1 ? ` and ${gone.length - 1} more` : '';
  const stale = guest.hostdevs.map(({ address }) => address).filter((at) => isGone(facts, at));
  const left =
    stale.length === 0
      ? ''
      : `; the guest still has ${stale.slice(0, NAMED_MAX).join(' ')}, which is not there: virsh edit ${guest.name}`;
  return { gone: `${first}${more} not there any more${left}` };
}

/** The guest without the devices, or the hold that says why it still has them; `undefined`: there is no such guest. */
async function detach(
  port: HostPort,
  { change, guard }: UndoCall,
): Promise<LiveGuest | StepOutcome | undefined> {
  const { domain, managed } = change;
  for (let times = 0; ; times += 1) {
    const live = remainingGuest(await readDevices(port), change);
    if (live === undefined || 'kind' in live) return live;
    const strange = pinsProblem(live, change);
    if (strange !== undefined) return strange;
    if (live.devices.every(({ has }) => has === undefined)) return live;
    if (times === DETACH_TIMES) {
      const sentence = `guest ${domain} was asked ${times} times and has not let go of its devices`;
      return hold('guest.unplug-pending', sentence, {
        devices: devicesText(live),
        config: configPath(domain),
      });
    }
    const problem = await moveDevices(port, { guard, live, domain, managed, to: 'detach' });
    if (problem !== undefined) return problem;
  }
}

/** The running guest's pins are not among the facts, so they are set to what they were in any case. */
async function unpin(
  port: HostPort,
  { change, guard }: UndoCall,
  { guest }: LiveGuest,
): Promise<StepOutcome | undefined> {
  const { domain } = change;
  if (change.pins === null) return undefined;
  const pins = pinsBefore(change.pins);
  return (
    (guest.running ? await pinVcpus(port, { guard, domain, pins, scope: '--live' }) : undefined) ??
    (hasPins(guest, change.pins.before)
      ? undefined
      : await pinVcpus(port, { guard, domain, pins, scope: '--config' }))
  );
}

/** A vCPU that was not pinned gets all CPUs: libvirt has no unpinning. */
function pinsBefore({ before, after, all }: NonNullable<AttachChange['pins']>) {
  return { ...Object.fromEntries(Object.keys(after).map((vcpu) => [vcpu, all])), ...before };
}
