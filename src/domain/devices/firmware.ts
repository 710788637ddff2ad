import type { Problem } from '../blocked.ts';
import type { Facts } from '../facts.ts';
import type { FirmwareTarget } from '../spec.ts';

/** Why the firmware of a host is not what the target asks, by DMI (/sys/class/dmi/id); vfleet updates none. */
export function firmwareVersionProblem(
  { devices: { dmi } }: Pick<Facts, 'devices'>,
  { minVersion, minDate }: FirmwareTarget,
): Problem | undefined {
  const { biosVersion, biosDate } = dmi;
  if (minVersion !== undefined) {
    if (biosVersion === undefined) return unknown('version', minVersion);
    const order = compareVersions(biosVersion, minVersion);
    if (order === undefined) return unknown('version', minVersion, biosVersion);
    if (order < 0) return tooOld(`version ${biosVersion}`, minVersion);
  }
  if (minDate === undefined) return undefined;
  if (biosDate === undefined) return unknown('date', minDate);
  return biosDate < minDate ? tooOld(`of ${biosDate}`, minDate) : undefined;
}

const tooOld = (found: string, asked: string): Problem => ({
  code: 'firmware.too-old',
  sentence: `the firmware is ${found} and the spec asks for at least ${asked}; update it (vfleet changes no firmware), then plan again`,
});

const unknown = (part: 'version' | 'date', asked: string, found?: string): Problem => ({
  code: 'firmware.version-unknown',
  sentence: `DMI ${found === undefined ? `says no ${part} of the firmware` : `says "${found.slice(0, 60)}", which is no version to compare`}, and the spec asks for at least ${asked}; see dmidecode -t bios on the host, or leave target.firmware out for it`,
});

/**
 * Below 0, 0 or above 0, number by number: 2.10 is newer than 2.9. The version is the first dotted number in the text
 * (`U30 v2.68 (07/14/2022)`), else its first number; a part that is missing counts as 0.
 */
export function compareVersions(one: string, other: string): number | undefined {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  if (a === undefined || b === undefined) return undefined;
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(text: string): readonly number[] | undefined {
  const short = text.slice(0, 200);
  const found = (/\d+(?:\.\d+)+/.exec(short) ?? /\d+/.exec(short))?.[0];
  return found?.split('.').map(Number);
}
