import { duration } from '../../domain/duration.ts';

/** Longest value that is shown of one difference, in characters. */
const VALUE_LENGTH_MAX = 60;

/**
 * What differs between two parsed specs, one line each: `limits.parallel: 20 -> 30`. Values are shown as people write
 * them: times in words, shares with their sign; a part that is absent is `-`.
 */
export function specChanges(before: unknown, after: unknown, path = ''): readonly string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isGroup(before) && isGroup(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      specChanges(before[key], after[key], path === '' ? key : `${path}.${key}`),
    );
  }
  const isTime = path.endsWith('Ms');
  const label = isTime ? path.slice(0, -'Ms'.length) : path;
  return [`${label}: ${valueText(before, isTime)} -> ${valueText(after, isTime)}`];
}

type Group = Readonly<Record<string, unknown>>;

/** Something with parts of its own that is worth comparing part by part; a share or a list of arguments is one value. */
function isGroup(value: unknown): value is Group {
  if (typeof value !== 'object' || value === null || 'percent' in value || 'count' in value) {
    return false;
  }
  return !Array.isArray(value) || value.some((item) => typeof item === 'object');
}

function valueText(value: unknown, isTime: boolean): string {
  const text = wholeText(value, isTime);
  return text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX - 3)}...`;
}

function wholeText(value: unknown, isTime: boolean): string {
  if (value === undefined) return '-';
  if (isTime && typeof value === 'number') return duration(value);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('percent' in value) return `${String(value.percent)}%`;
  if ('count' in value) return String(value.count);
  return JSON.stringify(value);
}
