/**
 * Parts of the design's spec that this release does not build, by the place of the mapping they stand in
 * (list positions as `*`). They are refused: a freeze window that is ignored is worse than none.
 */
const NOT_YET_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': ['windows', 'freeze', 'gates'],
  limits: ['per'],
  'waves.*': ['select', 'label', 'gates'],
};

const NOT_YET_VALUES: Readonly<Record<string, readonly string[]>> = { 'waves.*.each': ['label'] };

/** The message for a key of the design that is not built yet, or `undefined` for any other key. */
export function notYetKey(parent: readonly PropertyKey[], key: string): string | undefined {
  if (!(NOT_YET_KEYS[place(parent)] ?? []).includes(key)) return undefined;
  const names = [...parent.filter((part) => typeof part === 'string'), key];
  return `not yet: ${names.join('.')} is not built in this release`;
}

/** The message for a value of the design that is not built yet, or `undefined` for any other value. */
export function notYetValue(path: readonly PropertyKey[], value: unknown): string | undefined {
  if (!(NOT_YET_VALUES[place(path)] ?? []).includes(String(value))) return undefined;
  return `not yet: ${String(path.at(-1))}: ${String(value)} is not built in this release`;
}

function place(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? '*' : String(part))).join('.');
}
