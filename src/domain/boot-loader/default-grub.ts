import type { ArgsDelta } from '../kernel-args.ts';
import { applyArgs, tokenise } from '../kernel-args.ts';

/** Where grub2-mkconfig, and on some releases the next kernel's entry, get their arguments from. */
export const DEFAULT_GRUB_PATH = '/etc/default/grub';

type Variable = 'GRUB_CMDLINE_LINUX' | 'GRUB_CMDLINE_LINUX_DEFAULT';

/** One assignment whose value the shell takes as it stands: no `$`, backtick or backslash, and nothing behind it but a comment. */
const VALUE = String.raw`(?:"([^"$\x60\\\n]*)"|'([^'\n]*)'|([A-Za-z0-9._,:=/@+-]*))`;
const assignment = (name: Variable) =>
  new RegExp(String.raw`^([ \t]*(?:export[ \t]+)?${name}=)${VALUE}([ \t]*(?:[ \t]#.*)?)$`);

/** Anything else that touches the variable: `+=`, another command on the line, a value in parts. */
const mentions = (name: Variable) => new RegExp(String.raw`^[^#\n]*\b${name}\+?=`);

/**
 * /etc/default/grub with arguments added to GRUB_CMDLINE_LINUX, to which this family's tools look, and others taken out of both
 * of its variables. Only values change; a shell that sources it sees the same of all else. `undefined`: the file sets
 * them in a way that cannot be edited without running it.
 */
export function editDefaultGrub(text: string, edit: ArgsDelta): string | undefined {
  const main = edited(text, 'GRUB_CMDLINE_LINUX', edit);
  if (main === undefined) return undefined;
  return edited(main, 'GRUB_CMDLINE_LINUX_DEFAULT', { add: [], drop: edit.drop });
}

function edited(text: string, name: Variable, edit: ArgsDelta): string | undefined {
  const lines = text.split('\n');
  const touching = lines.flatMap((line, at) => (mentions(name).test(line) ? [at] : []));
  const [at, ...others] = touching;
  if (at === undefined) return edit.add.length === 0 ? text : appended(text, name, edit.add);
  const line = others.length > 0 ? undefined : editedLine(lines[at] ?? '', name, edit);
  return line === undefined ? undefined : lines.with(at, line).join('\n');
}

function editedLine(line: string, name: Variable, edit: ArgsDelta): string | undefined {
  const match = assignment(name).exec(line);
  if (match === null) return undefined;
  const [, start = '', double, single, bare, rest = ''] = match;
  const before = tokenise(double ?? single ?? bare ?? '');
  const after = applyArgs(before, edit);
  if (after.join(' ') === before.join(' ')) return line;
  const quote = quoteFor(after, single === undefined ? '"' : "'");
  return quote === undefined ? undefined : `${start}${quote}${after.join(' ')}${quote}${rest}`;
}

/** The quote that it had, or the other one where an argument has that in itself. */
function quoteFor(args: readonly string[], own: '"' | "'"): '"' | "'" | undefined {
  const text = args.join(' ');
  if (own === "'" || text.includes('"')) return text.includes("'") ? undefined : "'";
  return /[$`\\]/.test(text) ? undefined : '"';
}

function appended(text: string, name: Variable, add: readonly string[]): string {
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${end}${name}="${add.join(' ')}"\n`;
}

/** A file that is one kernel line, as /etc/kernel/cmdline is (kernel-install(8)), with an edit. */
export function editLineFile(text: string, edit: ArgsDelta): string {
  const before = tokenise(text);
  const after = applyArgs(before, edit);
  return after.join(' ') === before.join(' ') ? text : `${after.join(' ')}\n`;
}
