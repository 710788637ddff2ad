import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { Code } from '../../../src/domain/codes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { STATE_DIR } from '../../../src/facts/probe.ts';
import { namesIn } from '../../../src/facts/snapshot.ts';
import type { Guard, HostPort, RunOutcome } from '../../../src/host/port.ts';
import { fileWrite } from '../file-writes.ts';
import type { GuestDevice, LiveGuest } from './guest-state.ts';
import { devicePath, deviceXml, isDeviceFile } from './guest-state.ts';
import { runProblem } from '../outcomes.ts';
import { writeAll } from './own-file-changes.ts';

/** Runs virsh on the system's libvirt; a name is an argument, never a part of a shell. */
export function virsh(
  port: HostPort,
  guard: Guard,
  words: readonly [string, ...string[]],
): Promise<RunOutcome> {
  const argv: [string, ...string[]] = ['virsh', '-c', 'qemu:///system', ...words];
  return port.run({ guard, argv, deadlineMs: HOST_DEADLINE_MS.virsh });
}

interface MoveCall {
  readonly guard: Guard;
  readonly live: LiveGuest;
  readonly domain: string;
  readonly managed: boolean;
  readonly to: 'attach' | 'detach';
}

/**
 * Attaches or detaches what is not so yet, live before config. virsh reads each device from a file of ours, which stays
 * until `removeDeviceFiles`.
 */
export async function moveDevices(
  port: HostPort,
  call: MoveCall,
): Promise<StepOutcome | undefined> {
  const { guard, live, managed, to } = call;
  for (const device of to === 'attach' ? live.devices : [...live.devices].reverse()) {
    const scopes = scopesOf(call, device);
    if (scopes.length === 0) continue;
    const path = devicePath(device.address, managed);
    const text = deviceXml(device.address, managed);
    const problem =
      (await writeAll(port, guard, [fileWrite(path, null, text, { mode: 0o600 })])) ??
      (await moveOne(port, call, path, scopes));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** All of them go, also those of an attempt that died: their names say all that is in them. */
export async function removeDeviceFiles(
  port: HostPort,
  guard: Guard,
): Promise<StepOutcome | undefined> {
  const entries = [{ kind: 'list', glob: STATE_DIR }] as const;
  const snapshot = await port.read({ entries, deadlineMs: HOST_DEADLINE_MS.read });
  const files = namesIn(snapshot, STATE_DIR)
    .filter(isDeviceFile)
    .slice(0, FILES_MAX)
    .map((name) => `${STATE_DIR}/${name}`);
  if (files.length === 0) return undefined;
  const argv: [string, ...string[]] = ['rm', '-f', '--', ...files];
  const outcome = await port.run({ guard, argv, deadlineMs: HOST_DEADLINE_MS.read });
  return runProblem('guest.copy-failed', `rm of ${STATE_DIR}/attach-*`, outcome);
}

/** Most files that one command removes; a step leaves one for each device. */
const FILES_MAX = 2048;

/** Where a device is not yet as wanted. */
function scopesOf({ live, to }: MoveCall, { has }: GuestDevice): readonly string[] {
  const wanted = to === 'attach';
  const [isLive, isConfig] = [has?.live === true, has?.config === true];
  return [
    ...(live.guest.running && isLive !== wanted ? ['--live'] : []),
    ...(isConfig === wanted ? [] : ['--config']),
  ];
}

async function moveOne(
  port: HostPort,
  { guard, domain, to }: MoveCall,
  path: string,
  scopes: readonly string[],
): Promise<StepOutcome | undefined> {
  for (const scope of scopes) {
    const outcome = await virsh(port, guard, [`${to}-device`, domain, path, scope]);
    const problem = runProblem(
      codeOf(to, outcome),
      `virsh ${to}-device ${domain} ${scope}`,
      outcome,
    );
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What libvirt says when a running guest has no empty port (libvirt 9, tried). */
function codeOf(to: MoveCall['to'], { stderr }: RunOutcome): Code {
  if (to === 'detach') return 'guest.detach-failed';
  if (stderr.includes('No more available PCI slots')) return 'guest.no-slot';
  if (stderr.includes('must be manually detached')) return 'guest.not-detached';
  return 'guest.attach-failed';
}

/** Pins vCPUs, live or in the configuration. */
export async function pinVcpus(
  port: HostPort,
  call: {
    readonly guard: Guard;
    readonly domain: string;
    readonly pins: Readonly<Record<string, string>>;
    readonly scope: '--live' | '--config';
  },
): Promise<StepOutcome | undefined> {
  const { guard, domain, pins, scope } = call;
  for (const [vcpu, cpus] of Object.entries(pins)) {
    const outcome = await virsh(port, guard, ['vcpupin', domain, vcpu, cpus, scope]);
    const problem = runProblem('guest.pin-failed', `virsh vcpupin ${domain} ${vcpu}`, outcome);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
