import { problemsOf } from './problems-of.ts';

/** The golden file: each text as it stands, without the head that most have, then what is said of it. */
export function goldenPage(title: string, head: string, texts: readonly string[]): string {
  const entries = texts.map((text) => {
    const shown = text.startsWith(head) ? text.slice(head.length) : text;
    const lines = shown.split('\n').map((line) => `  | ${visible(line)}`.trimEnd());
    return `${lines.join('\n')}\n${problemsOf(text).join('\n')}\n`;
  });
  return `${title}\n\n${entries.join('\n')}`;
}

/** Tabs, returns and marks as JSON writes them. */
function visible(line: string): string {
  return line
    .replaceAll(/[^\P{C}]/gu, (found) => JSON.stringify(found).slice(1, -1))
    .replaceAll('\ufeff', '\\ufeff');
}
