import { spelledOut } from '../domain/plain-line.ts';

/** The colours that src/cli/render/style.ts writes, as picocolors does; and everything else that is no plain text. */
const COLOR_OR_CONTROL =
  // eslint-disable-next-line no-control-regex -- the escape sequences of those colours
  /\u001b\[(?:[012]|22|3[1236]|39)m|[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text for a terminal: lines and our own colours pass, other control characters are spelled out. */
export function terminalText(text: string): string {
  return text.replace(COLOR_OR_CONTROL, (found) => (found.length > 2 ? found : spelledOut(found)));
}

/**
 * JSON for a terminal or a file: the same value, with the characters that JSON leaves as they are and that a terminal may
 * obey (C1 controls, directions of writing) as `\uXXXX`.
 */
export function terminalJson(json: string): string {
  return json.replace(/[\u007f-\u009f]|[\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    found
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
