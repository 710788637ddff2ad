import type { StepOutcome } from '../../src/domain/activities.ts';
import type { AttachChange, Evidence } from '../../src/domain/changes.ts';
import { isPlainDomain } from '../../src/domain/devices/plain-domain.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import { readDevices } from './parts/device-state.ts';
import { hasCopy, restoreConfig } from './parts/guest-config.ts';
import type { LiveGuest } from './parts/guest-state.ts';
import { configPath, devicesText, hasPins, liveGuest, pinsProblem } from './parts/guest-state.ts';
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
  // Apply makes a copy of the configuration first: without one this change has touched no guest.
  if (!isPlainDomain(domain) || !(await hasCopy(port, change))) return told('as before');
  const live = await detach(port, call);
  if (live === undefined) return told('not there any more');
  if ('kind' in live) return live;
  const devices = live.devices.map(({ address }) => ({ address, managed: change.managed }));
  const problem =
    (await unpin(port, call, live)) ?? (await removeDeviceFiles(port, guard, devices));
  if (problem !== undefined) return problem;
  const restored = await restoreConfig(port, guard, change);
  if (restored.kind === 'hold') return restored;
  return told('devices taken back', restored.evidence);
}

/** The guest without the devices, or the hold that says why it still has them; `undefined`: there is no such guest. */
async function detach(
  port: HostPort,
  { change, guard }: UndoCall,
): Promise<LiveGuest | StepOutcome | undefined> {
  const { domain, managed } = change;
  for (let times = 0; ; times += 1) {
    const live = liveGuest(await readDevices(port), change);
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
