import type { Share } from '../domain/spec.ts';
import { asGuess } from './meant.ts';

/** Result of reading a quantity: its value, or what is wrong with it. */
export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Reads a time as people write it: `0`, `90s`, `30m`, `1h30m`, `2d`. The value is in milliseconds. */
export function readDuration(text: string): Read<number> {
  if (text === '0') return { ok: true, value: 0 };
  if (/^\d+$/.test(text))
    return wrong(`needs a unit; did you mean ${text}s, ${text}m or ${text}h?`);
  const match = /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/.exec(text);
  if (match === null || text === '') {
    return wrong(
      `expected a time such as 90s, 30m or 1h30m, found "${text}"${asGuess(meantTime(text))}`,
    );
  }
  const [, days, hours, minutes, seconds] = match;
  const value =
    Number(days ?? 0) * UNIT_MS.d +
    Number(hours ?? 0) * UNIT_MS.h +
    Number(minutes ?? 0) * UNIT_MS.m +
    Number(seconds ?? 0) * UNIT_MS.s;
  return { ok: true, value };
}

/** A time as people write it, the reverse of `readDuration`: `5400000` → `1h30m`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0' : text;
}

/** Reads a number of hosts (`2`) or a share of them (`5%`, `2.5%`). */
export function readShare(input: string | number): Read<Share> {
  const text = String(input).trim();
  const percent = /^(\d{1,9}(?:\.\d{1,9})?)\s?%$/.exec(text)?.[1];
  if (percent !== undefined) {
    if (Number(percent) > 100) return wrong(`${text} is more than all of them; the most is 100%`);
    return { ok: true, value: { kind: 'percent', percent: Number(percent) } };
  }
  if (/^\d{1,9}$/.test(text)) return { ok: true, value: { kind: 'count', count: Number(text) } };
  return wrong(
    `expected a number of hosts such as 2, or a share such as 5%, found "${text}"${asGuess(meantShare(text))}`,
  );
}

const UNIT_KIB = { M: 1024, G: 1024 ** 2, T: 1024 ** 3 } as const;

/** Reads a size of memory as people write it: `512M`, `8G`, `1T`. The value is in KiB. */
export function readSize(text: string): Read<number> {
  if (/^\d+$/.test(text)) return wrong(`needs a unit; did you mean ${text}M or ${text}G?`);
  const size = sizeOf(/^(\d{1,6})([MGT])$/.exec(text));
  if (size !== undefined) return { ok: true, value: size };
  const meant = /^(\d{1,6})\s*([mgt])(?:i?b)?$/i.exec(text.trim());
  const guess = meant === null ? undefined : `${meant[1] ?? ''}${meant[2]?.toUpperCase() ?? ''}`;
  return wrong(`expected a size such as 512M or 8G, found "${text}"${asGuess(guess)}`);
}

function sizeOf(match: RegExpExecArray | null): number | undefined {
  const [, number, unit] = match ?? [];
  return number === undefined
    ? undefined
    : Number(number) * UNIT_KIB[unit as keyof typeof UNIT_KIB];
}

/** A size as people write it, the reverse of `readSize` for what it reads: `8388608` → `8G`. */
export function formatSize(kib: number): string {
  const units = Object.entries(UNIT_KIB).reverse();
  const [unit, size] = units.find(([, size]) => kib >= size && kib % size === 0) ?? ['K', 1];
  return `${kib / size}${unit}`;
}

/** `20min`, `1.5 hours`, `2w`: one number with a unit as people write it elsewhere, in our own words. */
function meantTime(text: string): string | undefined {
  const match = /^(\d{1,6}(?:[.,]\d{1,3})?)\s*([a-z]+)\.?$/i.exec(text.trim());
  const [, number, unit] = match ?? [];
  if (number === undefined || unit === undefined) return undefined;
  const size = UNIT_WORDS_MS.find(([word]) => word.test(unit))?.[1];
  const ms = size === undefined ? 0 : Number(number.replace(',', '.')) * size;
  return ms >= UNIT_MS.s ? formatDuration(ms) : undefined;
}

const UNIT_WORDS_MS: readonly (readonly [RegExp, number])[] = [
  [/^s(ecs?|econds?)?$/i, UNIT_MS.s],
  [/^m(ins?|inutes?)?$/i, UNIT_MS.m],
  [/^h(rs?|ours?)?$/i, UNIT_MS.h],
  [/^d(ays?)?$/i, UNIT_MS.d],
  [/^w(eeks?)?$/i, 7 * UNIT_MS.d],
];

/** `0.02`, `2 percent`: a share as programs and people write it elsewhere. */
function meantShare(text: string): string | undefined {
  const named = /^(\d{1,3}(?:\.\d+)?)\s*(?:percent|pct|per cent)$/i.exec(text)?.[1];
  if (named !== undefined) return `${named}%`;
  if (!/^0?\.\d{1,4}$/.test(text)) return undefined;
  return `${Number((Number(text) * 100).toFixed(2))}%`;
}

function wrong(message: string): { ok: false; message: string } {
  return { ok: false, message };
}
