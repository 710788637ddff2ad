import { RE2JS } from 're2js';

/** Tells whether a name matches; or what is wrong with the expression. */
export type NameTest =
  | { readonly ok: true; readonly test: (name: string) => boolean }
  | { readonly ok: false; readonly message: string };

/**
 * Reads a regular expression as Python's `re.match` does, which Ansible applies to names: it must match from the start,
 * not to the end. RE2 reads Python's syntax in linear time, so no expression can hang a command; what it cannot
 * do (looking ahead or back, references) or reads otherwise than Python is refused. `\d`, `\w` and `\b` know ASCII only.
 */
export function readPythonRegExp(source: string): NameTest {
  const message = readOtherwise(source);
  if (message !== undefined) return { ok: false, message };
  try {
    const compiled = RE2JS.compile(source);
    return { ok: true, test: (name) => compiled.matcher(name).lookingAt() };
  } catch (error) {
    const text = error instanceof Error ? error.message : 'unknown error';
    return { ok: false, message: text.replace(/^error parsing regexp: /, '') };
  }
}

/** What Python and RE2 do not read alike: classes with names, Perl's escapes, groups that only one of them knows. */
function readOtherwise(source: string): string | undefined {
  if (source === '') return 'it is empty';
  for (const [part] of source
    .replace(/^\(\?i\)/, '')
    .matchAll(/\\[^]|\(\?(?:P<|.)|\[:\^?\w*:\]/g)) {
    if (part.startsWith('[')) return `${part} is no class in Python; write the characters out`;
    if (part.startsWith('(') && part !== '(?:' && part !== '(?P<') {
      return `${part} is not supported; groups are ( ), (?: ) and (?P<name> ), and (?i) may come first`;
    }
    if (/^\\[A-Za-z0-9]$/.test(part) && !/[dDwWsSbBA]/.test(part)) {
      return `${part} is not supported; of escapes with a letter there are \\d \\w \\s \\b, \\D \\W \\S \\B and \\A`;
    }
  }
  return undefined;
}
