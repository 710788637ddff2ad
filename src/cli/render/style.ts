import Table from 'cli-table3';
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

/** Pads on the right to a width in terminal columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** cli-table3 without any border: two spaces between columns, nothing around. */
const NO_BORDER: Readonly<Record<string, string>> = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right'].flatMap((side) => [
    [side, ''],
    ...['mid', 'left', 'right'].map((part) => [`${side}-${part}`, '']),
  ]),
);

/** Left-aligned columns two spaces apart, without trailing spaces; `right` names the right-aligned ones. */
export function columns(
  rows: readonly (readonly string[])[],
  options: { readonly indent?: number; readonly right?: readonly number[] } = {},
): string[] {
  if (rows.length === 0) return [];
  const right = new Set(options.right ?? []);
  const width = Math.max(...rows.map((row) => row.length));
  const table = new Table({
    chars: { ...NO_BORDER, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: Array.from({ length: width }, (_, at) => (right.has(at) ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => [...row]));
  const indent = ' '.repeat(options.indent ?? 0);
  return table
    .toString()
    .split('\n')
    .map((line) => (indent + line).trimEnd());
}

/** Words in lines of at most `width` columns; a longer word stands alone. */
export function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
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
