import type { ChangeLine } from './describe-changes.ts';
import { padEnd, wrapWords, type Style } from './style.ts';

/** Column at which what a change does begins. */
export const CHANGE_INDENT = 12;

/** Lines of changes for a plan: each label once, long texts below themselves. */
export function changeLines(lines: readonly ChangeLine[], style: Style, width: number): string[] {
  return lines.flatMap((line, at) => {
    const label = lines[at - 1]?.label === line.label ? '' : line.label;
    return textLines(line, style, width - CHANGE_INDENT).map(
      (text, row) => `  ${padEnd(row === 0 ? label : '', CHANGE_INDENT - 3)} ${text}`,
    );
  });
}

/** The text of one line in `room` columns: what is added or taken away has its sign and colour on each. */
export function textLines(line: ChangeLine, style: Style, room: number): string[] {
  const { sign, subject, text } = line;
  if (sign === undefined) {
    const whole = subject === undefined ? text : `${subject}   ${text}`;
    // A gap is words of no length, which come back as blanks; none is left at the end of a line.
    return wrapWords(whole.split(' '), room).map((part) => part.trimEnd());
  }
  const color = sign === '+' ? style.good : style.bad;
  return wrapWords(text.split(' '), room - 2).map((part) => color(`${sign} ${part}`));
}
