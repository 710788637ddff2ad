import type { DeviceFacts, GuestFacts } from '../../../../src/domain/device-facts.ts';
import { deviceFacts, guestFacts, pciFunction } from '../../../support/device-facts.ts';
import type { DeviceExcerpt } from './device-hosts.ts';

export const NIC = '0000:3b:00.0';
export const TAKEN = pciFunction(NIC, { driver: 'vfio-pci', override: 'vfio-pci', numaNode: 1 });
export const hostdev = (over: Partial<GuestFacts['hostdevs'][number]> = {}) => ({
  address: NIC,
  managed: false,
  live: false,
  config: true,
  ...over,
});
/** A host with one guest, edge-gw, that has the card. */
export function guest(
  over: Partial<GuestFacts> = {},
  more: Partial<DeviceFacts> = {},
): DeviceFacts {
  const one = guestFacts('edge-gw', { hostdevs: [hostdev()], ...over });
  return deviceFacts([TAKEN], { guests: [one], ...more });
}
export const START =
  '2024-05-03 09:12:43.911+0000: starting up libvirt version: 9.0.0, package: 4+deb12u2 (Debian), qemu version: 7.2.15Debian 1:7.2+dfsg-7+deb12u12, kernel: 6.1.0-56-amd64, hostname: hv1';
export const END = '2024-05-03 09:12:44.310+0000: shutting down, reason=failed';
export const qemu = (text: string): string =>
  `2024-05-03T09:12:44.120394Z qemu-system-x86_64: ${text}`;
export const device = (text: string): string =>
  qemu(
    `-device {"driver":"vfio-pci","host":"${NIC}","id":"hostdev0","bus":"pci.5","addr":"0x0"}: ${text}`,
  );
/** The guest is off, and this is how its last start went. */
export const log = (...lines: readonly string[]): DeviceExcerpt => ({
  devices: guest(),
  over: { guestLogs: { 'edge-gw': [START, ...lines, END] } },
});
