import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { newKey } from './new-key.ts';
import type { FleetKeys } from './ssh-front.ts';

const { parseKey } = ssh2.utils;

/** Keys of a new fleet, and where its client finds them. */
export interface WrittenKeys {
  readonly keys: FleetKeys;
  readonly identityFile: string;
  readonly knownHostsFile: string;
}

/** Makes fresh ed25519 keys and writes the client's, and a known_hosts file, into the folder. */
export async function writeKeys(
  folder: string,
  places: readonly { readonly address: string; readonly port: number }[],
): Promise<WrittenKeys> {
  const [host, other, client] = [newKey('host'), newKey('other'), newKey('client')];
  const parsed = parseKey(client.public);
  if (parsed instanceof Error) throw parsed;
  const identityFile = join(folder, 'id_ed25519');
  const knownHostsFile = join(folder, 'known_hosts');
  await mkdir(folder, { recursive: true });
  await writeFile(identityFile, client.private, { mode: 0o600 });
  await chmod(identityFile, 0o600);
  const [type = '', body = ''] = host.public.split(' ');
  const lines = places.map(({ address, port }) => `[${address}]:${port} ${type} ${body}\n`);
  await writeFile(knownHostsFile, lines.join(''));
  return {
    keys: { hostKey: host.private, otherHostKey: other.private, client: parsed },
    identityFile,
    knownHostsFile,
  };
}
