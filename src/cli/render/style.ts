import picocolors from 'picocolors';
import stringWidth from 'string-width';

/** The few colours that outputs use, by what they mean. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly command: (text: string) => string;
}

/** Colours, or plain text when there may be none. */
export function createStyle(color: boolean): Style {
  const colors = picocolors.createColors(color);
  return {
    good: colors.green,
    bad: colors.red,
    warn: colors.yellow,
    strong: colors.bold,
    faint: colors.dim,
    command: colors.cyan,
  };
}

/** Terminal columns of a text. Plain ASCII, which is nearly all, needs no look at each character's width. */
export function widthOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}

/** Pads on the right to a width in terminal columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Pads on the left to a width in terminal columns. */
function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/**
 * Left-aligned columns two spaces apart, without trailing spaces; `right` names the right-aligned ones. Not cli-table3:
 * that took 11 s for 10,000 rows, this takes 0.2 s.
 */
export function columns(
  rows: readonly (readonly string[])[],
  options: { readonly indent?: number; readonly right?: readonly number[] } = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, widthOf(cell))));
  }
  const indent = ' '.repeat(options.indent ?? 0);
  const right = new Set(options.right ?? []);
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (right.has(at) ? padStart : padEnd)(cell, widths[at] ?? 0)).join('  ');
  return rows.map((row) => (indent + line(row)).trimEnd());
}

/** Words in lines of at most `width` columns; a longer word stands alone. */
export function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** A labelled paragraph: the label once, the text wrapped and indented below itself. */
export function labelled(label: string, text: string, labelWidth: number, width = 110): string[] {
  const lines = wrapWords(text.split(' '), width - labelWidth);
  return lines.map((line, at) => padEnd(at === 0 ? label : '', labelWidth) + line);
}
