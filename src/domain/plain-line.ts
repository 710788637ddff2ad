/** Control, format (direction of writing, zero width), surrogate and private characters, and line separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/**
 * A text of somebody else's as one line that a terminal only prints: line ends become ` | `, and what would move the
 * cursor, change colours or turn the writing round is spelled out (`\u{1b}`). Plain text stays as it is.
 */
export function plainLine(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  // One run of white space at a time: `\s*\n\s*` would look at a long run once for each of its characters.
  const line = text
    .trim()
    .replace(/\s+/g, (run) => (/[\n\r]/.test(run) ? ' | ' : run.replaceAll('\t', ' ')));
  return line.replace(UNPRINTABLE, spelledOut);
}

/** How an unprintable character is shown. */
export function spelledOut(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** A value with every text in it, however deep, as a plain line; keys and what is no plain object stay. */
export function plainLines<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value === 'string') return plainLine(value);
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]));
}
