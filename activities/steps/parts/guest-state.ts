import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { AttachChange, AttachedDevice } from '../../../src/domain/changes.ts';
import type { DeviceFacts, GuestFacts, GuestHostdev } from '../../../src/domain/device-facts.ts';
import { isPlainDomain } from '../../../src/domain/devices/plain-domain.ts';
import { GUEST_CONFIG_FOLDER } from '../../../src/facts/guest-files.ts';
import { STATE_DIR } from '../../../src/facts/probe.ts';
import { functionAt } from './device-state.ts';
import { hold } from '../outcomes.ts';

/** A guest with the devices of a change, as they are now. */
export interface LiveGuest {
  readonly facts: DeviceFacts;
  readonly guest: GuestFacts;
  /** In the order of the change. */
  readonly devices: readonly GuestDevice[];
}

export interface GuestDevice {
  readonly address: string;
  /** What the guest has of it; absent: nothing. */
  readonly has?: GuestHostdev;
}

/** Where libvirt keeps the guest's configuration. It may hold passwords, so it never leaves the host (law 10). */
export const configPath = (domain: string): string => `${GUEST_CONFIG_FOLDER}/${domain}.xml`;
/** What virsh reads a device from. */
export const devicePath = (address: string): string =>
  `${STATE_DIR}/attach-${address.replaceAll(':', '-')}.xml`;

/** The device as libvirt is told of it (formatdomain: hostdev). */
export function deviceXml(address: string, managed: boolean): string {
  const [domain = '', bus = '', slot = '', fn = ''] = address.split(/[:.]/);
  return [
    `<hostdev mode='subsystem' type='pci' managed='${managed ? 'yes' : 'no'}'>`,
    `  <source>`,
    `    <address domain='0x${domain}' bus='0x${bus}' slot='0x${slot}' function='0x${fn}'/>`,
    `  </source>`,
    `</hostdev>`,
    '',
  ].join('\n');
}

type Hold = Extract<StepOutcome, { kind: 'hold' }>;

/** The guest of a change now; `undefined` when there is none of that name; the hold for what cannot be named or found. */
export function liveGuest(
  facts: DeviceFacts,
  { domain, devices }: AttachChange,
): LiveGuest | Hold | undefined {
  if (!isPlainDomain(domain)) {
    const sentence = `the guest's name ${JSON.stringify(domain)} is not safe as the name of a file and an argument`;
    return asHold(hold('guest.name-unsafe', sentence));
  }
  const guest = facts.guests.find(({ name }) => name === domain);
  if (guest === undefined) return undefined;
  const found: GuestDevice[] = [];
  for (const device of devices) {
    const address = addressOf(facts, device);
    if (address === undefined) {
      const sentence = `${described(device)} for guest ${domain} is not there`;
      return asHold(hold('guest.no-device', sentence));
    }
    const has = guest.hostdevs.find((hostdev) => hostdev.address === address);
    found.push(has === undefined ? { address } : { address, has });
  }
  return { facts, guest, devices: found };
}

const asHold = (outcome: StepOutcome): Hold => outcome as Hold;

function addressOf(facts: DeviceFacts, device: AttachedDevice): string | undefined {
  if ('address' in device) return functionAt(facts, device.address)?.address;
  return functionAt(facts, device.pf)?.sriov?.vfs[device.vf];
}

const described = (device: AttachedDevice): string =>
  'address' in device ? device.address : `VF ${device.vf} of ${device.pf}`;

/** Whether the guest has all that the change gives it, wherever it can have it. */
export function isAttached({ guest, devices }: LiveGuest, change: AttachChange): boolean {
  return (
    devices.every(({ has }) => has?.config === true && (has.live || !guest.running)) &&
    hasPins(guest, change.pins?.after)
  );
}

/** Whether nothing of the change has begun in the configuration: what stands there is as before. */
export function isUntouched({ guest, devices }: LiveGuest, { pins }: AttachChange): boolean {
  return devices.every(({ has }) => has?.config !== true) && hasPins(guest, pins?.before);
}

/** Whether the configuration pins the vCPUs as given; `undefined`: as found, whatever that is. */
export function hasPins(
  { pins }: GuestFacts,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean {
  if (wanted === undefined) return true;
  const names = new Set([...Object.keys(pins), ...Object.keys(wanted)]);
  return [...names].every((vcpu) => pins[vcpu] === wanted[vcpu]);
}

/** Pins may stand between before and after, vCPU by vCPU. */
export function pinsProblem({ guest }: LiveGuest, { pins }: AttachChange): StepOutcome | undefined {
  if (pins === null) return undefined;
  const names = new Set([...Object.keys(guest.pins), ...Object.keys(pins.after)]);
  const strange = [...names].find((vcpu) => {
    const found = guest.pins[vcpu];
    return ![pins.before[vcpu], pins.after[vcpu], pins.all].includes(found);
  });
  if (strange === undefined) return undefined;
  return hold(
    'drift',
    `vCPU ${strange} of guest ${guest.name} is pinned neither as before nor as after`,
    {
      found: guest.pins[strange] ?? 'not pinned',
    },
  );
}

/** `0000:03:10.0 config and live`: where the guest has each device. */
export function devicesText({ devices }: LiveGuest): string {
  return devices
    .map(({ address, has }) => {
      const where = [has?.config === true ? 'config' : [], has?.live === true ? 'live' : []].flat();
      return `${address} ${where.join(' and ') || 'not attached'}`;
    })
    .join(', ');
}
