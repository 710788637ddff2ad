import type { HostConnection } from '../../domain/host-entry.ts';
import { shellWord } from '../../domain/shell-word.ts';

/** The ssh command that reaches a host as vfleet does, in words that a shell takes as they are. */
export function sshWords(connection: HostConnection): readonly string[] {
  const { address, port, user, jump, identityFile, knownHostsFile } = connection;
  return [
    'ssh',
    ...(jump === undefined ? [] : ['-J', `${jump.user}@${jump.address}:${jump.port}`]),
    ...(identityFile === undefined ? [] : ['-i', shellWord(identityFile)]),
    ...(knownHostsFile === undefined
      ? []
      : ['-o', `UserKnownHostsFile=${shellWord(knownHostsFile)}`]),
    ...(port === 22 ? [] : ['-p', String(port)]),
    `${user}@${address}`,
  ];
}
