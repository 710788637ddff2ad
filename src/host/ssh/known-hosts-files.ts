import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expandHome } from './expand-home.ts';
import { parseKnownHosts, type KnownHost } from './known-hosts.ts';

/** The files that OpenSSH reads, where the inventory names none. The first is the one to add to. */
export function knownHostsFiles(named: string | undefined): readonly string[] {
  if (named !== undefined) return [expandHome(named)];
  const folder = join(homedir(), '.ssh');
  return [
    join(folder, 'known_hosts'),
    join(folder, 'known_hosts2'),
    '/etc/ssh/ssh_known_hosts',
    '/etc/ssh/ssh_known_hosts2',
  ];
}

/** All entries of the files; one that is absent has none. Read at each connect, so that a repair works at once. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHost[]> {
  const parsed = await Promise.all(
    files.map(async (file) => parseKnownHosts(await textOf(file), file)),
  );
  return parsed.flat();
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
