import type { Node } from './file-tree.ts';

/** Files that are made when they are looked at, as a kernel makes those of sysfs and /proc; nothing of them is kept. */
export interface VirtualFiles {
  /** The topmost paths of what it makes. */
  readonly roots: readonly string[];
  /** What is at a path without links in it, or `undefined`. */
  node(path: string): Node | undefined;
}

const encoder = new TextEncoder();
/** Contents of a few words are the same on thousands of hosts. */
const SHARED_MAX = 20_000;
const shared = new Map<string, Uint8Array>();

/** A file with a line of text. */
export function line(text: string, mode = 0o444): Node {
  return { kind: 'file', mode, bytes: bytesOf(`${text}\n`) };
}

/** A file with a text of its own length. */
export function text(content: string, mode = 0o444): Node {
  return { kind: 'file', mode, bytes: encoder.encode(content) };
}

/** A folder. Its names are looked up only when somebody lists it: on most paths it is merely passed through. */
export function folder(names: () => Iterable<string>): Node {
  return {
    kind: 'dir',
    get names() {
      return new Set(names());
    },
  };
}

/** A link of sysfs: relative, from the folder that it lies in to another path below /sys. */
export function link(from: string, to: string): Node {
  const depth = from.split('/').length - 2;
  return { kind: 'link', target: `${'../'.repeat(depth)}${to.slice('/sys/'.length)}` };
}

function bytesOf(content: string): Uint8Array {
  const known = shared.get(content);
  if (known !== undefined) return known;
  const bytes = encoder.encode(content);
  if (shared.size < SHARED_MAX) shared.set(content, bytes);
  return bytes;
}
