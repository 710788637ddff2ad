import type { QueryName, QueryAnswer, Snapshot } from '../../facts/snapshot.ts';
import type { ReadEntry, ReadRequest } from '../../host/port.ts';
import type { ModelHost } from './model-host.ts';

interface Parts {
  readonly files: Map<string, Uint8Array>;
  readonly links: Map<string, string>;
  readonly dirs: Map<string, readonly string[]>;
  readonly queries: Map<QueryName, QueryAnswer>;
}

/** Reads paths and answers queries as src/host/scripts/read.sh does. `connection`: the value of SSH_CONNECTION. */
export function readPaths(
  host: ModelHost,
  { entries }: ReadRequest,
  connection: string | undefined,
): Snapshot {
  const parts: Parts = { files: new Map(), links: new Map(), dirs: new Map(), queries: new Map() };
  host.tree.whileStill(() => {
    for (const entry of entries) readEntry(host, entry, connection, parts);
  });
  return parts;
}

function readEntry(
  host: ModelHost,
  entry: ReadEntry,
  connection: string | undefined,
  parts: Parts,
): void {
  if (entry.kind === 'query') {
    const answer = host.answer(entry.query, connection);
    if (answer !== undefined) parts.queries.set(entry.query, answer);
    return;
  }
  for (const path of host.tree.glob(entry.glob)) READERS[entry.kind](host, path, parts);
}

const READERS: Readonly<
  Record<'file' | 'line' | 'list' | 'link', (host: ModelHost, path: string, parts: Parts) => void>
> = {
  file: ({ tree }, path, { files }) => {
    const bytes = tree.bytes(path);
    if (bytes !== undefined) files.set(path, bytes);
  },
  line: ({ tree }, path, { files }) => {
    const bytes = tree.bytes(path);
    if (bytes === undefined) return;
    const end = bytes.indexOf(0x0a);
    files.set(path, end === -1 ? bytes : bytes.subarray(0, end));
  },
  list: ({ tree }, path, { dirs }) => {
    const names = tree.names(path);
    if (names !== undefined) dirs.set(path, names);
  },
  link: ({ tree }, path, { links }) => {
    const node = tree.at(path, false);
    if (node?.kind === 'link') links.set(path, node.target);
  },
};
