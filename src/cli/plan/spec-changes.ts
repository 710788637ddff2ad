import { duration } from '../../domain/duration.ts';
import type { Share } from '../../domain/spec.ts';
import { formatSize } from '../../schema/quantities.ts';

/** Longest value that is shown of one difference, in characters. */
const VALUE_LENGTH_MAX = 60;

/**
 * What differs between two parsed specs, one line each: `limits.parallel: 20 -> 30`. Values are shown as people write
 * them: times and sizes in words, shares with their sign; a part that is absent is `-`.
 */
export function specChanges(before: unknown, after: unknown, path = ''): readonly string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isGroup(before) && isGroup(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      specChanges(before[key], after[key], path === '' ? key : `${path}.${key}`),
    );
  }
  const unit = (['Ms', 'KiB'] as const).find((one) => path.endsWith(one));
  const label = path.slice(0, path.length - (unit?.length ?? 0));
  return [`${label}: ${valueText(before, unit)} -> ${valueText(after, unit)}`];
}

type Group = Readonly<Record<string, unknown>>;

/** Something with parts of its own that is worth comparing part by part; a share or a list of arguments is one value. */
function isGroup(value: unknown): value is Group {
  if (typeof value !== 'object' || value === null || isShare(value)) return false;
  return !Array.isArray(value) || value.some((item) => typeof item === 'object');
}

/** VFs and huge pages have a count too, beside others. */
function isShare(value: object): value is Share {
  return 'kind' in value && (value.kind === 'percent' || value.kind === 'count');
}

type Unit = 'Ms' | 'KiB' | undefined;

function valueText(value: unknown, unit: Unit): string {
  const text = wholeText(value, unit);
  return text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX - 3)}...`;
}

function wholeText(value: unknown, unit: Unit): string {
  if (value === undefined) return '-';
  if (typeof value === 'number' && unit !== undefined) {
    return unit === 'Ms' ? duration(value) : formatSize(value);
  }
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || !isShare(value)) return JSON.stringify(value);
  return value.kind === 'percent' ? `${value.percent}%` : String(value.count);
}
