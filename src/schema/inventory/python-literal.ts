/** A value that Python would build from a literal; lists, tuples and mappings are told apart from text only. */
export type Literal = string | number | bigint | boolean | null | { readonly structured: true };

/**
 * Reads text as Python's `ast.literal_eval` does, which Ansible applies to values in INI inventories: `5`, `0x1f`,
 * `1.10` (a number: 1.1), `True`, `None`, `'text'`, lists, tuples, mappings. `undefined` when it is no literal, so
 * that it stays text (`true`, `0644`, `a.b`). A `#` after a literal begins a comment.
 */
export function readPythonLiteral(text: string): Literal | undefined {
  const reader = new LiteralReader(text);
  const value = reader.tuple();
  return value !== undefined && reader.atEnd() ? value : undefined;
}

const STRUCTURED = { structured: true } as const;
const DEPTH_MAX = 50;

class LiteralReader {
  private rest: string;
  private depth = 0;

  constructor(text: string) {
    this.rest = text;
  }

  atEnd(): boolean {
    return /^\s*(?:#.*)?$/.test(this.rest);
  }

  /** One value, or several with commas between them, which make a tuple. */
  tuple(): Literal | undefined {
    const first = this.value();
    if (first === undefined || !this.take(/^\s*,/)) return first;
    while (!this.atEnd()) {
      if (this.value() === undefined) return undefined;
      if (!this.take(/^\s*,/)) break;
    }
    return STRUCTURED;
  }

  private value(): Literal | undefined {
    if (this.take(/^\s*\[/)) return this.items(/^\s*\]/, false);
    if (this.take(/^\s*\(/)) return this.items(/^\s*\)/, true);
    if (this.take(/^\s*\{/)) return this.items(/^\s*\}/, false);
    const word = this.word();
    return word === undefined ? (this.number() ?? this.text()) : word;
  }

  /** What stands between brackets; `( x )` without a comma is just x. */
  private items(end: RegExp, parentheses: boolean): Literal | undefined {
    this.depth += 1;
    if (this.depth > DEPTH_MAX) return undefined;
    let only: Literal | undefined;
    let commas = 0;
    while (!this.take(end)) {
      only = this.item();
      if (only === undefined) return undefined;
      if (this.take(/^\s*,/)) commas += 1;
      else if (!end.test(this.rest)) return undefined;
    }
    this.depth -= 1;
    return parentheses && commas === 0 ? (only ?? STRUCTURED) : STRUCTURED;
  }

  /** A value, or a key with its value. */
  private item(): Literal | undefined {
    const value = this.value();
    return value !== undefined && this.take(/^\s*:/) ? this.value() : value;
  }

  private word(): boolean | null | undefined {
    const word = this.match(/^\s*(True|False|None)\b/)?.[1];
    if (word === undefined) return undefined;
    return word === 'None' ? null : word === 'True';
  }

  private number(): number | bigint | undefined {
    const float = this.match(FLOAT)?.[1];
    if (float !== undefined) return Number(float.replace(/[_\s]/g, ''));
    const integer = this.match(INTEGER)?.[1];
    if (integer === undefined) return undefined;
    const bare = integer.replace(/[_\s+]/g, '');
    const value = bare.startsWith('-') ? -BigInt(bare.slice(1)) : BigInt(bare);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Strings that follow each other are one string. */
  private text(): string | undefined {
    let whole: string | undefined;
    for (;;) {
      const match = this.match(/^\s*([rRuU]?)('(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*")/);
      if (match === undefined) return whole;
      const inner = (match[2] ?? '').slice(1, -1);
      whole = (whole ?? '') + (/r/i.test(match[1] ?? '') ? inner : unescape(inner));
    }
  }

  private take(pattern: RegExp): boolean {
    return this.match(pattern) !== undefined;
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.rest);
    if (match === null) return undefined;
    this.rest = this.rest.slice(match[0].length);
    return match;
  }
}

const DIGITS = '[0-9](?:_?[0-9])*';
const SIGN = '[+-]?\\s*';
const FRACTION = `(?:${DIGITS})?\\.${DIGITS}|${DIGITS}\\.`;
const EXPONENT = `[eE][+-]?${DIGITS}`;
const FLOAT = new RegExp(
  `^\\s*(${SIGN}(?:(?:${FRACTION})(?:${EXPONENT})?|${DIGITS}${EXPONENT}))(?![\\w.])`,
);
/** Not `0644`: Python refuses a leading zero, so that it stays text. */
const INTEGER = new RegExp(
  `^\\s*(${SIGN}(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?0)*|[1-9](?:_?[0-9])*))(?![\\w.])`,
);

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' };

function unescape(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^]))/g,
    (whole: string, hex?: string, unicode?: string, other?: string) => {
      const code = hex ?? unicode;
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      if (other === undefined) return whole;
      return ESCAPES[other] ?? (/['"\\]/.test(other) ? other : whole);
    },
  );
}
