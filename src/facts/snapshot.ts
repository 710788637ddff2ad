/**
 * What was read from a host, exactly as it stood there: the only input of every fact.
 *
 * A snapshot comes from the `read` verb of the host port, or from a capture (the same thing saved as a
 * file tree). Paths are absolute, as on the host. Contents are bytes, since nothing promises UTF-8.
 */
export interface Snapshot {
  /** Regular files (also sysfs and proc attributes) by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Symbolic links by path, with their target as stored (often relative). */
  readonly links: ReadonlyMap<string, string>;
  /** Directories by path, with the names in them, sorted. */
  readonly dirs: ReadonlyMap<string, readonly string[]>;
  /** Answers of the fixed queries, by name. A query that could not run is absent. */
  readonly queries: ReadonlyMap<QueryName, QueryAnswer>;
}

/** The fixed read-only questions that the `read` verb can ask beside paths; each is one program in its script. */
export const QUERY_NAMES = [
  'uid',
  'ssh-connection',
  'grub-probe-fs',
  'grub-probe-abstraction',
  'space',
] as const;
export type QueryName = (typeof QUERY_NAMES)[number];

export interface QueryAnswer {
  readonly code: number;
  readonly output: string;
}

const decoder = new TextDecoder('utf-8', { fatal: false });

/** The text of a file, or `undefined` when it was not there or could not be read. */
export function textOf(snapshot: Snapshot, path: string): string | undefined {
  const bytes = snapshot.files.get(path);
  return bytes === undefined ? undefined : decoder.decode(bytes);
}

/** The first line of an attribute file without its newline, or `undefined` when absent. */
export function lineOf(snapshot: Snapshot, path: string): string | undefined {
  return textOf(snapshot, path)?.split('\n', 1)[0]?.trimEnd();
}

/** The names in a directory, or an empty list when it is absent. */
export function namesIn(snapshot: Snapshot, path: string): readonly string[] {
  return snapshot.dirs.get(path) ?? [];
}
