import { dropInText, parseDropIn, type LineEdit } from '../../../domain/drop-in.ts';

/** Shell that the model cannot interpret: said loudly, never passed over. */
export class CannotInterpret extends Error {
  override readonly name = 'CannotInterpret';
}

export type Variables = Map<string, string>;

const ASSIGNMENT = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;
const WORD = /^(?:"((?:[^"\\`]|\\.)*)"|'([^']*)'|`([^`]*)`|([^\s"'`;&|<>()]*))\s*(?:#.*)?$/;
/** The only kind of command substitution in the packaged file: a program, else a constant. */
const OR_ECHO = /\|\|\s*echo\s+(\S+)$/;
const EXPANSION = /\$(?:\{([A-Za-z_]\w*)(?::\+([^}]*))?\}|([A-Za-z_]\w*))/g;

/**
 * Reads a file that grub-mkconfig sources: assignments with `"..."`, `'...'` or a bare word, `$VAR`, `${VAR}` and
 * `${VAR:+word}`. vfleet's own drop-in is known by its comments, and only when its shell is what they say.
 *
 * @throws CannotInterpret for anything else.
 */
export function source(path: string, text: string, variables: Variables): void {
  const own = parseDropIn(text);
  if (own !== undefined && dropInText(own) === text) {
    applyEdit(own, variables);
    return;
  }
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || assign(line, variables)) continue;
    throw new CannotInterpret(`${path}: line ${index + 1}: the model cannot interpret: ${line}`);
  }
}

/** Whether the line is an assignment that could be made. */
function assign(line: string, variables: Variables): boolean {
  const [, name, text] = ASSIGNMENT.exec(line) ?? [];
  const value = text === undefined ? undefined : valueOf(text, variables);
  if (name === undefined || value === undefined) return false;
  variables.set(name, value);
  return true;
}

/** Does what the shell of our drop-in does, token by token. */
function applyEdit(edit: LineEdit, variables: Variables): void {
  if (edit.drop.length > 0) {
    for (const name of ['GRUB_CMDLINE_LINUX', 'GRUB_CMDLINE_LINUX_DEFAULT']) {
      const words = (variables.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
      variables.set(name, words.filter((word) => !edit.drop.includes(word)).join(' '));
    }
  }
  if (edit.add.length > 0) {
    const before = variables.get('GRUB_CMDLINE_LINUX_DEFAULT') ?? '';
    const added = edit.add.join(' ');
    variables.set('GRUB_CMDLINE_LINUX_DEFAULT', before === '' ? added : `${before} ${added}`);
  }
}

function valueOf(text: string, variables: Variables): string | undefined {
  const word = WORD.exec(text);
  if (word === null) return undefined;
  const [, double, single, command, bare] = word;
  if (single !== undefined) return single;
  if (command !== undefined) return OR_ECHO.exec(command)?.[1];
  const raw = double ?? bare ?? '';
  if (/\$[({]?[^A-Za-z_{]|\$\(/.test(raw)) return undefined;
  return expand(raw, variables).replace(/\\(["\\$`])/g, '$1');
}

function expand(text: string, variables: Variables): string {
  return text.replace(
    EXPANSION,
    (_all, braced: string | undefined, instead: string | undefined, plain: string | undefined) => {
      const value = variables.get(braced ?? plain ?? '') ?? '';
      if (instead === undefined) return value;
      return value === '' ? '' : expand(instead, variables);
    },
  );
}
