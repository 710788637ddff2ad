import { stripVTControlCharacters } from 'node:util';
import { padEnd, widthOf, wrapWords, type Style } from './style.ts';

/** Sections of lines as one text: an empty line between two, no section without lines, no line wider than the terminal. */
export function sectionsText(sections: readonly (readonly string[])[], width: number): string {
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.flatMap((line) => fitLine(line, width)).join('\n'))
    .join('\n\n');
}

/** `LABEL     text`: the text begins in column `width` at the earliest. */
export function withLabel(label: string, text: string, width = 10): string {
  return `${padEnd(label, width)}${widthOf(label) >= width ? '  ' : ''}${text}`;
}

/** What nobody may overlook. */
export function warningLines(warnings: readonly string[], style: Style): string[] {
  return warnings.map((warning) => withLabel(style.warn('WARNING'), warning));
}

/** A command that may be longer than the room: in lines that a shell still takes as one. */
export function commandLines(words: readonly string[], room: number): string[] {
  const lines = wrapWords(words, room - 2);
  return lines.map((line, at) => (at < lines.length - 1 ? `${line} \\` : line));
}

/** Deepest column at which the rest of a broken line may begin. */
const HANG_MAX = 21;

/**
 * Breaks a line between words where it is too wide; its rest stands below its own text, not below its label. The
 * backslash at the end of a shell's line stays with its word: on a line of its own it would cut the command in two.
 */
function fitLine(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line];
  const hang = ' '.repeat(hangOf(stripVTControlCharacters(line)));
  const lines: string[] = [];
  let current = '';
  let gap = '';
  for (const part of line.match(/ +|[^ ]+(?: \\$)?/g) ?? []) {
    if (part.startsWith(' ')) {
      gap = part;
      continue;
    }
    const fits = current.trim() === '' || widthOf(current + gap + part) <= width;
    if (!fits) lines.push(current);
    current = fits ? current + gap + part : hang + part;
    gap = '';
  }
  return [...lines, current];
}

/** The column after the first gap of two or more spaces; else the line's own, or a little deeper for one without a label. */
function hangOf(line: string): number {
  const indent = line.length - line.trimStart().length;
  const gap = / {2,}(?=[^ ])/.exec(line.slice(indent));
  const at = gap === null ? Infinity : indent + gap.index + gap[0].length;
  if (at <= HANG_MAX) return at;
  return indent > 4 ? indent : indent + 2;
}
