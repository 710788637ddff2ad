import type { AerCounters, DeviceReading, PciFunction } from '../device-facts.ts';
import { compact } from '../compact.ts';

/**
 * How a function does, as far as it says so itself. A display controller (class 03) lowers the speed of its link while it
 * idles, so its speed says nothing.
 */
export function readingOf(found: PciFunction): DeviceReading {
  const { address, aer, temperatures, link } = found;
  const isDisplay = found.class.startsWith('03');
  const kept = link && isDisplay ? compact({ width: link.width, maxWidth: link.maxWidth }) : link;
  return compact({ address, aer, link: kept, temperatures });
}

/** What got worse with one device, as a sentence's part with both readings. */
export interface Worsening {
  readonly address: string;
  readonly what: string;
}

/**
 * Corrected errors that may come over a change without being held against the device: a link that is trained anew, or a
 * slot that is reset, makes some. Hundreds of them are a bad contact. Our own choice, not a standard's.
 */
export const CORRECTABLE_BOUND = 100;

/**
 * Which devices do worse than before. AER counters are totals since boot (sysfs-bus-pci-devices-aer_stats), so after a
 * reboot they are compared with none. What one of the readings lacks says nothing; a device that is gone is worse.
 */
export function compareHealth(
  before: readonly DeviceReading[],
  after: readonly DeviceReading[],
  { rebooted }: { readonly rebooted: boolean },
): readonly Worsening[] {
  return before.flatMap((was) => {
    const { address } = was;
    const is = after.find((reading) => reading.address === address);
    const worse =
      is === undefined
        ? ['is not there any more']
        : [...worseErrors(was, is, rebooted), ...worseLink(was, is), ...tooHot(was, is)];
    return worse.map((what) => ({ address, what }));
  });
}

const ERRORS = [
  ['fatal', 0],
  ['nonfatal', 0],
  ['correctable', CORRECTABLE_BOUND],
] as const satisfies readonly (readonly [keyof AerCounters, number])[];

function worseErrors(was: DeviceReading, is: DeviceReading, rebooted: boolean): string[] {
  const now = is.aer;
  // Without counters before, those since an earlier boot are not known.
  if (now === undefined || (was.aer === undefined && !rebooted)) return [];
  return ERRORS.flatMap(([name, bound]) => {
    const from = rebooted ? 0 : (was.aer?.[name] ?? 0);
    // A count below the one before started anew: the device was reset.
    const more = now[name] < from ? now[name] : now[name] - from;
    if (more <= bound) return [];
    const before = rebooted ? 'none at boot' : `${from} before`;
    return [`${name} errors: ${before}, ${now[name]} now`];
  });
}

function worseLink({ link: was = {} }: DeviceReading, { link: is = {} }: DeviceReading): string[] {
  return [
    ...(below(transfers(is.speed), transfers(was.speed))
      ? [`link speed ${String(was.speed)} before, ${String(is.speed)} now`]
      : []),
    ...(below(is.width, was.width)
      ? [`link width x${String(was.width)} before, x${String(is.width)} now`]
      : []),
  ];
}

const below = (now: number | undefined, before: number | undefined): boolean =>
  now !== undefined && before !== undefined && now < before;

/** `8.0 GT/s` as a number; a link that is down says `Unknown`, which is worse than any. */
function transfers(speed: string | undefined): number | undefined {
  if (speed === undefined) return undefined;
  const found = /^([0-9]+(?:\.[0-9]+)?)/.exec(speed)?.[1];
  return found === undefined ? 0 : Number(found);
}

/** Above the limit that the sensor names, and not before. */
function tooHot({ temperatures: was = [] }: DeviceReading, is: DeviceReading): string[] {
  return (is.temperatures ?? []).flatMap(({ label, celsius, limit }) => {
    if (limit === undefined || celsius <= limit) return [];
    const before = was.find((reading) => reading.label === label);
    if (before !== undefined && before.celsius > limit) return [];
    const earlier = before === undefined ? 'unknown' : `${before.celsius} C`;
    return [`${label} ${earlier} before, ${celsius} C now, limit ${limit} C`];
  });
}
