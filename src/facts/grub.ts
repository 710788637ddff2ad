import type { GrubEntry } from '../domain/facts.ts';
import { tokenise } from '../domain/kernel-args.ts';

/** A menu entry of grub.cfg with where it stands in the menu. */
interface MenuEntry extends GrubEntry {
  readonly id: string | undefined;
  readonly topLevelIndex: number | undefined;
}

export interface GrubMenu {
  readonly entries: readonly MenuEntry[];
  /** The value that grub.cfg gives to `default` when no one-shot is set: an index, a title or an id. */
  readonly defaultRef: string;
}

const BLOCK = /^\s*(menuentry|submenu)\s+(?:'([^']*)'|"([^"]*)")(.*)$/;
const LINUX = /^\s*linux(?:efi|16)?\s+(\S+)\s*(.*)$/;
/** grub-mkconfig writes the id behind either name (GRUB 2.06 10_linux: `$menuentry_id_option 'gnulinux-...'`). */
const ID = /(?:--id|\$menuentry_id_option)\s+(?:'([^']*)'|"([^"]*)"|(\S+))/;

interface Block {
  readonly kind: 'entry' | 'submenu';
  readonly title: string;
  readonly id: string | undefined;
  readonly topLevelIndex: number | undefined;
  linux: { kernel: string; args: readonly string[] } | undefined;
}

/**
 * Reads the menu of a grub.cfg as grub-mkconfig writes it (GRUB 2.06 to 2.12). It follows only what that
 * generator produces: blocks that close with a `}` on a line of its own. Anything else leaves entries out,
 * which the caller then reports as an unsupported loader; nothing is guessed.
 */
export function parseGrubCfg(text: string): GrubMenu {
  const entries: MenuEntry[] = [];
  const stack: Block[] = [];
  let topLevel = 0;
  for (const line of text.split('\n')) {
    const opened = openBlock(line, stack.length === 0 ? topLevel : undefined);
    if (opened === undefined) {
      readInside(line, stack, entries);
      continue;
    }
    if (stack.length === 0) topLevel += 1;
    stack.push(opened);
  }
  return { entries, defaultRef: defaultRef(text) };
}

function openBlock(line: string, topLevelIndex: number | undefined): Block | undefined {
  const match = BLOCK.exec(line);
  if (match === null) return undefined;
  const [, word, single, double, rest] = match;
  const id: readonly (string | undefined)[] | undefined = ID.exec(rest ?? '')?.slice(1);
  return {
    kind: word === 'menuentry' ? 'entry' : 'submenu',
    title: single ?? double ?? '',
    id: id?.find((value) => value !== undefined),
    topLevelIndex,
    linux: undefined,
  };
}

function readInside(line: string, stack: Block[], entries: MenuEntry[]): void {
  const block = stack.at(-1);
  if (block === undefined) return;
  const linux = LINUX.exec(line);
  if (linux !== null && block.kind === 'entry') {
    // Ubuntu's 10_linux ends the line with the literal $vt_handoff, which GRUB expands for the splash screen.
    const args = tokenise(linux[2] ?? '').filter((arg) => arg !== '$vt_handoff');
    block.linux = { kernel: linux[1] ?? '', args };
  }
  if (line.trim() === '}') closeBlock(stack, entries);
}

function closeBlock(stack: Block[], entries: MenuEntry[]): void {
  const block = stack.pop();
  if (block?.kind !== 'entry' || block.linux === undefined) return;
  const { title, id, topLevelIndex, linux } = block;
  entries.push({ title, id, topLevelIndex, ...linux });
}

/**
 * The last `set default=` that is not the one-shot's; 00_header writes it in the else branch. Blanks only, no `\s`: that
 * takes newlines too, and a file of nothing but newlines would then take minutes.
 */
function defaultRef(text: string): string {
  const refs = [...text.matchAll(/^[ \t]*set default="([^"\n]*)"/gm)].map(
    (match) => match[1] ?? '',
  );
  return refs.filter((ref) => !ref.includes('next_entry')).at(-1) ?? '0';
}

/** The entry that a reference names: an index from 0, a title or an id; `undefined` when it leads nowhere or into a submenu. */
export function resolveEntry(menu: GrubMenu, ref: string): MenuEntry | undefined {
  if (/^\d+$/.test(ref)) return menu.entries.find((entry) => entry.topLevelIndex === Number(ref));
  return menu.entries.find((entry) => entry.id === ref || entry.title === ref);
}

/** The variables of a grubenv block: `name=value` lines, padding and the comment left out. */
export function parseGrubenv(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const at = line.indexOf('=');
    if (at > 0) variables.set(line.slice(0, at), line.slice(at + 1));
  }
  return variables;
}
