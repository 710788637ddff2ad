import { isUtf8 } from 'node:buffer';
import type { Problem } from './problem.ts';

/** Text, or the first place at which bytes are none. */
export type DecodedText =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: Problem };

const NEWLINE = 0x0a;

/** Reads bytes as UTF-8. Never throws, and never puts a mark in place of what it could not read, as Node would. */
export function decodeText(bytes: Buffer, file: string): DecodedText {
  const wrong = (line: number, col: number, message: string): DecodedText => ({
    ok: false,
    problem: { file, line, col, path: '', message },
  });
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') return wrong(1, 1, 'is UTF-16; save it as UTF-8');
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8');
    const nul = text.indexOf('\0');
    if (nul === -1) return { ok: true, text };
    const before = text.slice(0, nul).split('\n');
    return wrong(
      before.length,
      (before.at(-1) ?? '').length + 1,
      'holds a NUL, which no text does',
    );
  }
  for (let line = 1, from = 0; ; line += 1) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline === -1 ? bytes.length : newline;
    const part = bytes.subarray(from, end);
    // No character is cut: a byte 0x0a is never a part of another one in UTF-8.
    if (!isUtf8(part)) {
      const col = part.toString('utf8').indexOf('\ufffd') + 1;
      return wrong(line, col, 'is not UTF-8 from here on; save it as UTF-8');
    }
    from = end + 1;
  }
}
