import type { Snapshot } from '../../facts/snapshot.ts';
import type { VirtualFiles } from './virtual-files.ts';

/** One thing in the tree. A device node has no contents here; it only exists. */
export type Node =
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly kind: 'dir'; readonly names: Set<string> }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'device' };

const LINKS_MAX = 40;
const MAGIC = /[*?[]/;

/**
 * The files of one model host. Paths are absolute; links in every part of a path are followed, as a kernel does.
 * It knows nothing of full disks or of what a write to a kernel file does: that is the host's affair.
 */
export class FileTree {
  private readonly nodes = new Map<string, Node>([['', { kind: 'dir', names: new Set() }]]);
  private readonly virtual: VirtualFiles[] = [];
  /** In which order files of /etc were written last: of them programs ask which is older. */
  private readonly written = new Map<string, number>();
  private writes = 0;
  /** Where folders really are, while nothing changes. */
  private folders: Map<string, string> | undefined;

  /** A tree with what a capture or a `read` holds. Names in listings of which nothing was read become empty files. */
  static fromSnapshot(snapshot: Snapshot): FileTree {
    const tree = new FileTree();
    for (const [path, target] of snapshot.links) tree.link(path, target);
    for (const [path, bytes] of snapshot.files) tree.put(path, bytes);
    for (const [path, names] of snapshot.dirs) {
      tree.mkdir(path);
      for (const name of names) {
        const child = `${path}/${name}`;
        if (tree.at(child, false) === undefined) tree.put(child, '');
      }
    }
    return tree;
  }

  /**
   * Adds files that are made when they are looked at. A file that is put at the path of one covers it, and is gone again
   * when it is removed.
   */
  mount(files: VirtualFiles): void {
    this.virtual.push(files);
    for (const root of files.roots) {
      const cut = root.lastIndexOf('/');
      const parent = root.slice(0, cut);
      if (this.node(parent)?.kind !== 'dir') this.mkdir(parent);
      const above = this.nodes.get(parent);
      if (above?.kind === 'dir') above.names.add(root.slice(cut + 1));
    }
  }

  /** Looks at much in one go: where folders really are is found out once for each, as nothing changes meanwhile. */
  whileStill<T>(look: () => T): T {
    this.folders = new Map();
    try {
      return look();
    } finally {
      this.folders = undefined;
    }
  }

  /** The path with every link in it followed; the last one only when `followLast`. `undefined`: a loop. */
  real(path: string, followLast = true): string | undefined {
    const cut = path.lastIndexOf('/');
    const name = path.slice(cut + 1);
    if (this.folders === undefined || cut < 1 || name === '' || name.startsWith('.')) {
      return this.walk(path, followLast);
    }
    const folder = this.folderOf(this.folders, path.slice(0, cut));
    if (folder === undefined) return undefined;
    const found = `${folder}/${name}`;
    return followLast && this.node(found)?.kind === 'link' ? this.walk(found, true) : found;
  }

  private folderOf(known: Map<string, string>, path: string): string | undefined {
    const found = known.get(path) ?? this.walk(path, true);
    if (found !== undefined) known.set(path, found);
    return found;
  }

  private walk(path: string, followLast: boolean): string | undefined {
    let rest = partsOf(path);
    let at = '';
    let links = 0;
    while (rest.length > 0) {
      const [part = '', ...others] = rest;
      const next = step(at, part);
      const node = this.node(next);
      rest = others;
      if (node?.kind !== 'link' || (others.length === 0 && !followLast)) {
        at = next;
        continue;
      }
      links += 1;
      if (links > LINKS_MAX) return undefined;
      if (node.target.startsWith('/')) at = '';
      rest = [...partsOf(node.target), ...others];
    }
    return at;
  }

  /** What is at a path, or `undefined`. */
  at(path: string, followLast = true): Node | undefined {
    const real = this.real(path, followLast);
    return real === undefined ? undefined : this.node(real);
  }

  bytes(path: string): Uint8Array | undefined {
    const node = this.at(path);
    return node?.kind === 'file' ? node.bytes : undefined;
  }

  text(path: string): string | undefined {
    const bytes = this.bytes(path);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  }

  /** Names in a directory, sorted by bytes; `undefined` when it is none. */
  names(path: string): readonly string[] | undefined {
    const real = this.real(path);
    const node = real === undefined ? undefined : this.node(real);
    if (real === undefined || node?.kind !== 'dir') return undefined;
    const made = this.made(real);
    const more = made?.kind === 'dir' && made !== node ? [...made.names] : [];
    return [...new Set([...node.names, ...more])].sort();
  }

  /** Creates or replaces a file, with the folders on the way. A file that is replaced keeps its mode unless one is given. */
  put(path: string, content: Uint8Array | string, mode?: number): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const old = this.at(path);
    const kept = old?.kind === 'file' ? old.mode : 0o644;
    this.set(path, { kind: 'file', bytes, mode: mode ?? kept }, true);
  }

  /** Whether a file of /etc was written before another one (`-ot` of test(1)). */
  isOlder(path: string, than: string): boolean {
    const when = (name: string) => this.written.get(this.real(name) ?? name) ?? 0;
    return when(path) < when(than);
  }

  mkdir(path: string): void {
    if (this.at(path)?.kind !== 'dir') this.set(path, { kind: 'dir', names: new Set() }, true);
  }

  link(path: string, target: string): void {
    this.set(path, { kind: 'link', target }, false);
  }

  device(path: string): void {
    this.set(path, { kind: 'device' }, true);
  }

  /** Removes a file, a link or a directory with all in it; nothing happens when there is none. */
  remove(path: string): void {
    const real = this.real(path, false);
    if (real === undefined || real === '') return;
    const node = this.nodes.get(real);
    if (node?.kind === 'dir') for (const name of node.names) this.remove(`${real}/${name}`);
    this.nodes.delete(real);
    const parent = this.nodes.get(real.slice(0, real.lastIndexOf('/')));
    if (parent?.kind === 'dir') parent.names.delete(real.slice(real.lastIndexOf('/') + 1));
  }

  /**
   * Paths that a shell file pattern (`*`, `?`, `[...]`) stands for, sorted. A pattern's part without a
   * wildcard is taken as it is, whether it exists or not; `*` does not match a leading dot.
   */
  glob(pattern: string): readonly string[] {
    let paths = [''];
    for (const part of pattern.split('/').slice(1)) {
      if (!MAGIC.test(part)) {
        paths = paths.map((path) => `${path}/${part}`);
        continue;
      }
      const matches = matcher(part);
      paths = paths.flatMap((path) =>
        (this.names(path) ?? []).filter(matches).map((name) => `${path}/${name}`),
      );
    }
    return paths;
  }

  /** Every path that is no directory, with its node; for tests that compare trees byte for byte. */
  *leaves(): Generator<[string, Exclude<Node, { kind: 'dir' }>]> {
    for (const [path, node] of this.nodes) if (node.kind !== 'dir') yield [path, node];
    for (const root of this.virtual.flatMap(({ roots }) => roots)) yield* this.madeBelow(root);
  }

  private *madeBelow(path: string): Generator<[string, Exclude<Node, { kind: 'dir' }>]> {
    const node = this.made(path);
    if (node?.kind === 'dir') {
      for (const name of node.names) yield* this.madeBelow(`${path}/${name}`);
    } else if (node !== undefined && !this.nodes.has(path)) yield [path, node];
  }

  private node(path: string): Node | undefined {
    return this.nodes.get(path) ?? this.made(path);
  }

  private made(path: string): Node | undefined {
    for (const files of this.virtual) {
      const node = files.node(path);
      if (node !== undefined) return node;
    }
    return undefined;
  }

  private set(path: string, node: Node, followLast: boolean): void {
    const real = this.real(path, followLast);
    if (real === undefined || real === '') throw new Error(`too many links in ${path}`);
    const cut = real.lastIndexOf('/');
    const folder = real.slice(0, cut);
    if (!this.nodes.has(folder)) this.set(folder, { kind: 'dir', names: new Set() }, false);
    const parent = this.nodes.get(folder);
    if (parent?.kind !== 'dir') throw new Error(`${folder} is not a directory`);
    parent.names.add(real.slice(cut + 1));
    this.nodes.set(real, node);
    if (node.kind === 'file' && real.startsWith('/etc/'))
      this.written.set(real, (this.writes += 1));
  }
}

function step(at: string, part: string): string {
  return part === '..' ? at.slice(0, Math.max(0, at.lastIndexOf('/'))) : `${at}/${part}`;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

const matchers = new Map<string, (name: string) => boolean>();

/**
 * One part of a pattern as a POSIX shell matches it. Not by picomatch: it also gives brackets and a plus sign
 * a meaning, which a shell's pattern does not have. Patterns are few and fixed.
 */
function matcher(part: string): (name: string) => boolean {
  const known = matchers.get(part);
  if (known !== undefined) return known;
  const source = part.replace(/\[(!?)([^\]]+)\]|[\s\S]/gu, (token, not?: string, set?: string) => {
    if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replace(/[\\^]/g, '\\$&')}]`;
    if (token === '*') return '.*';
    return token === '?' ? '.' : token.replace(/[.+^${}()|[\]\\/]/g, '\\$&');
  });
  const pattern = new RegExp(`^${source}$`, 'su');
  const matches = (name: string): boolean =>
    (part.startsWith('.') || !name.startsWith('.')) && pattern.test(name);
  matchers.set(part, matches);
  return matches;
}
