import { compact } from '../../domain/compact.ts';
import type { AerCounters, Temperature } from '../../domain/device-facts.ts';
import { isPciAddress } from '../../domain/own-files.ts';
import type { Snapshot } from '../snapshot.ts';
import type { RawFunction } from './functions.ts';
import { linesOf, outputOf, shortText, wholeNumber } from './text.ts';

/** Total errors by function (kernel ABI sysfs-bus-pci-devices-aer_stats); without AER a function is absent. */
export function parseAer(snapshot: Snapshot): ReadonlyMap<string, AerCounters> {
  const counts = new Map<string, AerCounters>();
  for (const row of linesOf(outputOf(snapshot, 'aer'))) {
    const match =
      /^([0-9a-f:.]{7,16})\/aer_dev_(correctable|nonfatal|fatal):TOTAL_ERR_[A-Z]{1,10} (\d{1,15})$/.exec(
        row,
      );
    const [, address = '', name = '', count = ''] = match ?? [];
    if (!isPciAddress(address)) continue;
    const known = counts.get(address) ?? { correctable: 0, nonfatal: 0, fatal: 0 };
    counts.set(address, { ...known, [name]: Number(count) });
  }
  return counts;
}

/** MSI-X vectors that are allocated, by function; one that uses MSI or none is absent. */
export function parseMsix(snapshot: Snapshot): ReadonlyMap<string, number> {
  const vectors = new Map<string, number>();
  for (const row of linesOf(outputOf(snapshot, 'msi-vectors'))) {
    const [address = '', count, kind] = row.slice(0, 60).split(' ');
    const number = wholeNumber(count);
    if (isPciAddress(address) && kind === 'msix' && number !== undefined) {
      vectors.set(address, number);
    }
  }
  return vectors;
}

/** Sensors of one function, most of one chip. */
const SENSORS_MAX = 64;

/** Readings of the function's hwmon chips, in thousandths of a degree there (kernel hwmon/sysfs-interface). */
export function temperatures({ attributes }: RawFunction): readonly Temperature[] | undefined {
  const found: Temperature[] = [];
  for (const [name, value] of attributes) {
    const sensor = /^(.{1,100}\/temp\d{1,4})_input$/.exec(name)?.[1];
    const celsius = degrees(value);
    if (sensor === undefined || celsius === undefined || found.length >= SENSORS_MAX) continue;
    const limit =
      degrees(attributes.get(`${sensor}_crit`)) ?? degrees(attributes.get(`${sensor}_max`));
    const label = shortText(attributes.get(`${sensor}_label`)) ?? sensor.replace(/^.*\//, '');
    found.push(compact({ label, celsius, limit }));
  }
  return found.length === 0 ? undefined : found;
}

function degrees(text: string | undefined): number | undefined {
  return /^-?\d{1,7}$/.test(text ?? '') ? Number(text) / 1000 : undefined;
}
