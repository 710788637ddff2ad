import type { FileTree } from '../file-tree.ts';
import { compareIds } from './compare.ts';

export const ENTRIES = '/boot/loader/entries';

/** An entry file as GRUB reads it. */
export interface BlsFile {
  readonly path: string;
  /** Its file's name without `.conf`: what `saved_entry` and `next_entry` name it by. */
  readonly id: string;
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * The entries in the order of the menu, newest first; what loads no kernel is none. Written apart from the product's own
 * parser on purpose: it does what `read_entry` of grub-core/commands/blscfg.c (rhboot/grub2) does, oddities included.
 */
export function readEntries(tree: FileTree): readonly BlsFile[] {
  return entryPaths(tree)
    .map((path) => ({ path, id: idOf(path), keys: readKeys(tree.text(path) ?? '') }))
    .filter(({ keys }) => keys.has('linux'))
    .sort((a, b) => compareIds(a.id, b.id));
}

/** Paths of all files that may be entries; hidden ones are not. */
export function entryPaths(tree: FileTree): readonly string[] {
  return (tree.names(ENTRIES) ?? [])
    .filter((name) => name.endsWith('.conf') && name.length > 5 && !name.startsWith('.'))
    .map((name) => `${ENTRIES}/${name}`);
}

export const idOf = (path: string): string =>
  path.slice(path.lastIndexOf('/') + 1, -'.conf'.length);

/**
 * The first value of each key. A key ends at the line's first space, or where there is none at its first tab, and a
 * line without a value, an empty one too, ends the reading: what stands below it does not count.
 */
function readKeys(text: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const raw of text.split('\n')) {
    const line = raw.replace(/^[ \t]+/, '');
    if (line.startsWith('#')) continue;
    const space = line.indexOf(' ');
    const at = space === -1 ? line.indexOf('\t') : space;
    if (at === -1 || at === line.length - 1) break;
    const key = line.slice(0, at);
    if (!keys.has(key)) keys.set(key, line.slice(at + 1).replace(/^[ \t]+/, ''));
  }
  return keys;
}

/**
 * Replaces `$name` by the variable's value, or by nothing (`expand_val` of blscfg.c). A name is letters, digits and `_`, so
 * `${name}` is no variable there: the braces stay.
 */
export function expand(value: string, variables: ReadonlyMap<string, string>): readonly string[] {
  const text = value.replace(/(?<!\\)\$(\w*)/g, (_all, name: string) => {
    const found = variables.get(name);
    return found === undefined ? '' : `${found} `;
  });
  return text.split(/\s+/).filter((word) => word !== '');
}
