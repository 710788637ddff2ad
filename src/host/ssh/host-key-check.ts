import { shellWord } from '../../domain/shell-word.ts';
import { HostError } from '../errors.ts';
import { knownHostsFiles, readKnownHosts } from './known-hosts-files.ts';
import {
  fingerprintOf,
  judgeHostKey,
  keyTypeOf,
  knownHostName,
  knownKeyTypes,
  type HostKeyVerdict,
} from './known-hosts.ts';

export interface Place {
  /** The host's name, for messages. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly knownHostsFile?: string;
}

/** Checks one handshake's host key; strict: what is not listed is refused. */
export interface HostKeyCheck {
  /** Key types listed for the host. */
  readonly knownTypes: readonly string[];
  /** For ssh2's `hostVerifier`, without which it accepts any key (reference/ssh.md trap 9). */
  readonly verify: (key: Buffer) => boolean;
  /** Why `verify` said no; ssh2's own error does not tell. */
  readonly refusal: () => HostError | undefined;
}

/** Reads known_hosts afresh and gives the check for one handshake. */
export async function prepareHostKeyCheck(place: Place): Promise<HostKeyCheck> {
  const files = knownHostsFiles(place.knownHostsFile);
  const entries = await readKnownHosts(files);
  const name = knownHostName(place.address, place.port);
  let refusal: HostError | undefined;
  return {
    knownTypes: knownKeyTypes(entries, name),
    verify: (key) => {
      const verdict = judgeHostKey(entries, name, key);
      refusal = errorOf(verdict, { place, key, file: files[0] ?? '~/.ssh/known_hosts' });
      return refusal === undefined;
    },
    refusal: () => refusal,
  };
}

interface Shown {
  readonly place: Place;
  readonly key: Buffer;
  readonly file: string;
}

function errorOf(verdict: HostKeyVerdict, { place, key, file }: Shown): HostError | undefined {
  const shown = `${keyTypeOf(key)} ${fingerprintOf(key)}`;
  const { host, address, port } = place;
  switch (verdict.kind) {
    case 'known':
      return undefined;
    case 'revoked':
      return new HostError(
        'ssh.host-key-revoked',
        host,
        `it showed a host key that is revoked in ${verdict.where} (${shown}): do not log in; find out what answers at ${address}`,
      );
    case 'changed':
      return new HostError(
        'ssh.host-key-changed',
        host,
        `its host key is not the one in ${verdict.where} (it showed ${shown}): something else answers at ${address}, or the host was ` +
          `reinstalled; if its console shows the same fingerprint, run: ssh-keygen -R '${knownHostName(address, port)}' -f ${shellWord(file)}; ssh-keyscan -p ${port} ${address} >> ${shellWord(file)}`,
      );
    case 'unknown':
      return new HostError(
        'ssh.host-key-unknown',
        host,
        `its host key is not in ${file} (it showed ${shown}${hintOf(verdict)}); compare that with its console, ` +
          `then run: ssh-keyscan -p ${port} ${address} >> ${shellWord(file)}`,
      );
  }
}

function hintOf(verdict: HostKeyVerdict & { kind: 'unknown' }): string {
  if (verdict.others.length > 0) return `, only ${verdict.others.join(' and ')} is listed`;
  return verdict.authority
    ? '; a certificate authority is listed, but host certificates are not supported'
    : '';
}
