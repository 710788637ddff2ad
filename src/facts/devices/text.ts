import { isPciAddress } from '../../domain/own-files.ts';
import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';

/** Longest text that is kept of anything a host says about its devices; a longer one is cut. */
const TEXT_MAX = 300;

/** A text without blanks around it and not longer than facts hold; `undefined` when empty or absent. */
export function shortText(text: string | undefined): string | undefined {
  const trimmed = text?.slice(0, 4 * TEXT_MAX).trim();
  return trimmed === undefined || trimmed === '' ? undefined : trimmed.slice(0, TEXT_MAX);
}

/** A whole number of at most 15 digits, or `undefined`: never NaN, never rounded. */
export function wholeNumber(text: string | undefined): number | undefined {
  const trimmed = text?.slice(0, 40).trim() ?? '';
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** So many hex digits after `0x`, without it and in lower case. */
export function hexDigits(text: string | undefined, digits: number): string | undefined {
  const value = text?.slice(0, 40).trim().toLowerCase() ?? '';
  return value.length === digits + 2 && /^0x[0-9a-f]+$/.test(value) ? value.slice(2) : undefined;
}

/** The first line of a file without blanks, bounded; `undefined` when absent or empty. */
export function shortLine(snapshot: Snapshot, path: string): string | undefined {
  return shortText(lineOf(snapshot, path));
}

/** What a query printed when it ended well. */
export function outputOf(
  snapshot: Snapshot,
  query: Parameters<Snapshot['queries']['get']>[0],
): string | undefined {
  const answer = snapshot.queries.get(query);
  return answer?.code === 0 ? answer.output : undefined;
}

/** Most lines that are looked at of one answer. */
const LINES_MAX = 20_000;

export function linesOf(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n', LINES_MAX);
}

/** The PCI functions in a path of sysfs, from the root complex down: bridges first, the function itself last. */
export function functionsIn(path: string): readonly string[] {
  return path.slice(0, 4096).split('/').filter(isPciAddress);
}

/** The PCI function that a path of sysfs belongs to, or `undefined`. */
export function functionOf(path: string): string | undefined {
  return functionsIn(path).at(-1);
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The values of a map by the part of their path between `before` and `after`; that part holds no slash. */
export function between<T>(
  entries: ReadonlyMap<string, T>,
  before: string,
  after = '',
): readonly (readonly [string, T])[] {
  const found: (readonly [string, T])[] = [];
  for (const [path, value] of entries) {
    if (!path.startsWith(before) || !path.endsWith(after)) continue;
    const part = path.slice(before.length, path.length - after.length);
    if (part !== '' && !part.includes('/')) found.push([part, value]);
  }
  return found;
}

/** JSON of a host, or `undefined` when it is none. */
export function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** The objects of a JSON list; anything else is left out. */
export function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject).slice(0, LINES_MAX) : [];
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textIn(object: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === 'string' ? shortText(value) : undefined;
}

export function numberIn(
  object: Readonly<Record<string, unknown>>,
  key: string,
): number | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
