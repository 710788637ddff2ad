import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { AttachChange, AttachedDevice } from '../../../src/domain/changes.ts';
import type { DeviceFacts, GuestFacts, GuestHostdev } from '../../../src/domain/device-facts.ts';
import { isPlainDomain } from '../../../src/domain/devices/plain-domain.ts';
import { GUEST_CONFIG_FOLDER } from '../../../src/facts/guest-files.ts';
import { STATE_DIR } from '../../../src/facts/probe.ts';
import { functionAt, knowsFunctions } from './device-state.ts';
import { hold } from '../outcomes.ts';

/** A guest with the devices of a change, as they are now. */
export interface LiveGuest {
  readonly facts: DeviceFacts;
  readonly guest: GuestFacts;
  /** In the order of the change. */
  readonly devices: readonly GuestDevice[];
  /** Devices that are not there any more, in words; those of them that have an address are in `devices` too. */
  readonly gone: readonly string[];
}

export interface GuestDevice {
  readonly address: string;
  /** What the guest has of it; absent: nothing. */
  readonly has?: GuestHostdev;
}

/** Where libvirt keeps the guest's configuration. It may hold passwords, so it never leaves the host (law 10). */
export const configPath = (domain: string): string => `${GUEST_CONFIG_FOLDER}/${domain}.xml`;
/** What virsh reads a device from: one for each of the two ways, so that what one rollout left is never in another's way. */
export const devicePath = (address: string, managed: boolean): string =>
  `${STATE_DIR}/${SCRATCH}${address.replaceAll(':', '-')}.${managed ? 'managed' : 'unmanaged'}.xml`;
const SCRATCH = 'attach-';
/** Whether a name in our own folder is that of such a file. */
export const isDeviceFile = (name: string): boolean =>
  name.startsWith(SCRATCH) && name.length < 60 && /^[0-9a-z.-]+\.xml$/.test(name);

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
export function liveGuest(facts: DeviceFacts, change: AttachChange): LiveGuest | Hold | undefined {
  const live = remainingGuest(facts, change);
  if (live === undefined || 'kind' in live) return live;
  const [first] = live.gone;
  return first === undefined ? live : noDevice(change, first);
}

const noDevice = ({ domain }: AttachChange, what: string): Hold =>
  asHold(hold('guest.no-device', `${what} for guest ${domain} is not there`));

/**
 * The same, also when devices are not there any more: a way back goes on without them. A guest may still have a function that
 * is gone in its configuration, by its address; that of a VF went with the VF.
 */
export function remainingGuest(
  facts: DeviceFacts,
  change: AttachChange,
): LiveGuest | Hold | undefined {
  const { domain, devices } = change;
  if (!isPlainDomain(domain)) {
    const sentence = `the guest's name ${JSON.stringify(domain)} is not safe as the name of a file and an argument`;
    return asHold(hold('guest.name-unsafe', sentence));
  }
  const guest = facts.guests.find(({ name }) => name === domain);
  if (guest === undefined) return undefined;
  const found: GuestDevice[] = [];
  const gone: string[] = [];
  for (const device of devices) {
    const there = addressOf(facts, device);
    if (there === undefined) gone.push(described(device));
    const address = there ?? recordedAddress(device);
    if (address !== undefined) found.push(guestDevice(guest, address));
  }
  const [first] = gone;
  if (first !== undefined && !knowsFunctions(facts)) return noDevice(change, first);
  return { facts, guest, devices: found, gone };
}

function guestDevice({ hostdevs }: GuestFacts, address: string): GuestDevice {
  const has = hostdevs.find((hostdev) => hostdev.address === address);
  return has === undefined ? { address } : { address, has };
}

const recordedAddress = (device: AttachedDevice): string | undefined =>
  'address' in device ? device.address : undefined;

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
