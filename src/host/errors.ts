import { plainLine } from '../domain/plain-line.ts';
import { shortText } from '../domain/short-text.ts';

/** Stable code of a failure to reach or use a host. */
export type HostErrorCode =
  | 'ssh.timeout'
  | 'ssh.refused'
  | 'ssh.unreachable'
  | 'ssh.closed'
  | 'ssh.protocol'
  | 'ssh.name-not-found'
  | 'ssh.host-key-unknown'
  | 'ssh.host-key-changed'
  | 'ssh.host-key-revoked'
  | 'ssh.auth'
  | 'ssh.key-file'
  | 'ssh.jump'
  | 'host.no-sudo'
  | 'host.garbage'
  | 'host.output-too-large'
  | 'host.outcome-unknown'
  | 'host.lease-lost'
  | 'host.fenced'
  | 'host.other-boot'
  | 'host.lock-busy'
  | 'host.record-failed'
  | 'host.path-refused';

/** Codes after which a later attempt may go well without anybody's work. */
const TRANSIENT: ReadonlySet<HostErrorCode> = new Set([
  'ssh.timeout',
  'ssh.refused',
  'ssh.unreachable',
  'ssh.closed',
  'ssh.protocol',
  'host.outcome-unknown',
  'host.lock-busy',
]);

/** Longest sentence of an error, in characters: parts of it are the host's own words, and the engine keeps it. */
const SENTENCE_LENGTH_MAX = 1000;

/** A verb of the host port could not be carried out. The message is one sentence that says what to do next. */
export class HostError extends Error {
  override readonly name: string = 'HostError';
  readonly code: HostErrorCode;
  readonly host: string;

  constructor(code: HostErrorCode, host: string, sentence: string, options?: ErrorOptions) {
    super(plainLine(shortText(`${host}: ${sentence}`, SENTENCE_LENGTH_MAX)), options);
    this.code = code;
    this.host = host;
  }

  /** Whether the same attempt may succeed later; never true for a refused key, a changed host key or a lost lease. */
  get transient(): boolean {
    return TRANSIENT.has(this.code);
  }
}

/** The connection was lost while the command may have been running: neither a success nor a failure (law 8). */
export class OutcomeUnknown extends HostError {
  override readonly name = 'OutcomeUnknown';

  constructor(host: string, sentence: string, options?: ErrorOptions) {
    super('host.outcome-unknown', host, sentence, options);
  }
}
