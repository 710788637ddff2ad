import type { StepOutcome } from '../../src/domain/activities.ts';
import type { DeviceReading } from '../../src/domain/device-facts.ts';
import { compareHealth, readingOf } from '../../src/domain/devices/health.ts';
import type { HostPort } from '../../src/host/port.ts';
import { readHealth } from './parts/device-state.ts';
import { hold, ok, tail } from './outcomes.ts';

/** How devices do now; one that is gone has no reading. */
export async function readDeviceHealth(
  port: HostPort,
  { addresses }: { readonly addresses: readonly string[] },
): Promise<readonly DeviceReading[]> {
  const { functions } = await readHealth(port);
  const wanted = new Set(addresses);
  return functions.filter(({ address }) => wanted.has(address)).map(readingOf);
}

/** Reads the devices again; one that does worse than before is a hold, with both readings. */
export async function compareDeviceHealth(
  port: HostPort,
  call: {
    readonly readings: readonly DeviceReading[];
    /** Another boot than that of the readings. */
    readonly rebooted: boolean;
  },
): Promise<StepOutcome> {
  const { readings, rebooted } = call;
  if (readings.length === 0) return ok({});
  const addresses = readings.map(({ address }) => address);
  const now = await readDeviceHealth(port, { addresses });
  const worse = compareHealth(readings, now, { rebooted });
  const [first] = worse;
  if (first === undefined) return ok({ devices: `${readings.length} as well as before` });
  const texts = worse.map(({ address, what }) => `${address}: ${what}`);
  return hold('health.device-worse', `${first.address} does worse than before: ${first.what}`, {
    worse: tail(texts.join('; ')),
  });
}
