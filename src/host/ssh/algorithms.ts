import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2';

const HOST_KEY_TYPES: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** The key type in known_hosts that an algorithm of the handshake signs with (RFC 8332: one RSA key, two hashes). */
const keyTypeFor = (algorithm: ServerHostKeyAlgorithm): string =>
  algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm;

/**
 * What a handshake may use. ssh2's defaults still offer `ssh-rsa` (SHA-1) and `hmac-sha1` (reference: ssh2 1.17
 * lib/protocol/constants.js); here they are not. Types that known_hosts lists for the host come first, or a host with several keys
 * would show one that is not listed.
 */
export function algorithmsFor(knownTypes: readonly string[]): Algorithms {
  const known = HOST_KEY_TYPES.filter((it) => knownTypes.includes(keyTypeFor(it)));
  const others = HOST_KEY_TYPES.filter((it) => !known.includes(it));
  return {
    kex: [
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group-exchange-sha256',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group18-sha512',
    ],
    serverHostKey: [...known, ...others],
    cipher: [
      'aes128-gcm@openssh.com',
      'aes256-gcm@openssh.com',
      'aes128-ctr',
      'aes192-ctr',
      'aes256-ctr',
    ],
    hmac: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
    ],
    compress: ['none'],
  };
}
