/** Words of a line, or what is wrong with its quoting. */
export type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly message: string };

/**
 * Splits a line into words as Python's `shlex.split(line, comments=True)` does, which Ansible uses: `'` and `"`
 * quote, `\` escapes outside of `'`, and `#` begins a comment even in the middle of a word.
 */
export function shlexSplit(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const character = line.charAt(at);
    if (character === '#') break;
    if (/[ \t\r\n]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    const piece = readPiece(line, at);
    if (piece === undefined)
      return { ok: false, message: 'has a quotation mark or \\ without end' };
    word = (word ?? '') + piece.text;
    at = piece.next;
  }
  if (word !== undefined) words.push(word);
  return { ok: true, words };
}

function readPiece(line: string, at: number): { text: string; next: number } | undefined {
  const character = line.charAt(at);
  if (character === '\\') {
    return at + 1 < line.length ? { text: line.charAt(at + 1), next: at + 2 } : undefined;
  }
  if (character === "'") {
    const end = line.indexOf("'", at + 1);
    return end === -1 ? undefined : { text: line.slice(at + 1, end), next: end + 1 };
  }
  if (character !== '"') return { text: character, next: at + 1 };
  const quoted = /^"((?:[^"\\]|\\[^])*)"/.exec(line.slice(at));
  if (quoted === null) return undefined;
  // Within double quotes a backslash escapes only itself and the quote; before others it stays.
  const text = (quoted[1] ?? '').replace(/\\(["\\])/g, '$1');
  return { text, next: at + quoted[0].length };
}
