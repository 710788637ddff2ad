import { HostError, type HostErrorCode } from '../errors.ts';

/** What ssh2 and Node put on an error of a connection. */
interface SshError extends Error {
  readonly level?: string;
  readonly code?: string | number;
}

/** Who was being connected to. */
export interface Target {
  readonly host: string;
  readonly user: string;
  readonly address: string;
  readonly port: number;
}

const SOCKET_CODES: Readonly<Record<string, HostErrorCode>> = {
  ECONNREFUSED: 'ssh.refused',
  EHOSTUNREACH: 'ssh.unreachable',
  ENETUNREACH: 'ssh.unreachable',
  EHOSTDOWN: 'ssh.unreachable',
  EADDRNOTAVAIL: 'ssh.unreachable',
  ETIMEDOUT: 'ssh.timeout',
  ENOTFOUND: 'ssh.name-not-found',
  EAI_AGAIN: 'ssh.name-not-found',
};

/** Turns an error of connecting or logging in into one with a stable code and a sentence that says what to do. */
export function connectError(error: unknown, target: Target): HostError {
  if (error instanceof HostError) return error;
  const cause = error instanceof Error ? (error as SshError) : new Error(String(error));
  const code = codeOf(cause);
  const sentence = SENTENCES[code]?.(target, cause) ?? `connecting failed (${cause.message})`;
  return new HostError(code, target.host, sentence, { cause });
}

function codeOf(error: SshError): HostErrorCode {
  switch (error.level) {
    case 'client-authentication':
    case 'agent':
      return 'ssh.auth';
    case 'client-timeout':
      return 'ssh.timeout';
    case 'client-dns':
      return 'ssh.name-not-found';
    case 'handshake':
    case 'protocol':
      return 'ssh.protocol';
    case 'client-socket':
      return SOCKET_CODES[String(error.code)] ?? 'ssh.closed';
    default:
      // node-ssh gives a connection that just closed the code ETIMEDOUT, whatever the time; it has no level.
      return 'ssh.closed';
  }
}

const LIMITS_HINT =
  'its sshd may limit new connections (MaxStartups, PerSourcePenalties), or be shutting down; it is tried again later';

type Sentence = (target: Target, error: Error) => string;

const SENTENCES: Readonly<Partial<Record<HostErrorCode, Sentence>>> = {
  'ssh.refused': (it) =>
    `${at(it)} refuses connections: no SSH server listens there; see whether the host is up and the port is right`,
  'ssh.unreachable': (it, error) =>
    `${at(it)} cannot be reached (${error.message}); see whether the host is up and routed from this worker`,
  'ssh.timeout': (it) =>
    `${at(it)} did not answer in time; see whether the host is up and a firewall drops the connection`,
  'ssh.name-not-found': (it) =>
    `the name ${it.address} cannot be looked up; correct the address in the inventory, or see to DNS`,
  'ssh.auth': (it) =>
    `${at(it)} refused every key for user ${it.user}; add the public key to its authorized_keys, or correct user and identityFile`,
  'ssh.protocol': (_it, error) =>
    `the SSH handshake failed (${error.message}); ${protocolHint(error)}`,
  'ssh.closed': (it, error) =>
    `${at(it)} closed the connection before the login was done (${error.message}); ${LIMITS_HINT}`,
};

/** A lost connection here is what MaxStartups and PerSourcePenalties look like from outside (reference/ssh.md trap 8). */
const protocolHint = (error: Error): string =>
  /lost before handshake/i.test(error.message)
    ? LIMITS_HINT
    : 'the two sides may share no algorithm; see the Ciphers, KexAlgorithms and HostKeyAlgorithms of its sshd';

const at = ({ address, port }: Target): string => `${address}:${port}`;
