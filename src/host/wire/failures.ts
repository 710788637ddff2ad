import { HostError, OutcomeUnknown } from '../errors.ts';
import type { Verb } from '../scripts/script-text.ts';
import type { Refusal } from './reply.ts';

/** What came back over the connection; `code` is null when it was lost before the exit code. */
export interface RawReply {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly code: number | null;
}

/** Exit codes of timeout(1): ended by TERM, and by KILL. */
const TIMED_OUT: ReadonlySet<number | null> = new Set([124, 137]);

/**
 * The error for a reply without an end mark (`begun`), or without any mark of ours. Once a mutation has begun, only a fresh
 * probe can tell what it did.
 */
export function unframedReply(verb: Verb, raw: RawReply, host: string, begun: boolean): HostError {
  if (verb !== 'read' && (begun || raw.code === null || TIMED_OUT.has(raw.code))) {
    return new OutcomeUnknown(host, lostSentence(verb, raw));
  }
  if (raw.code === null) {
    return new HostError('ssh.closed', host, 'the connection was lost during a read; try again');
  }
  if (TIMED_OUT.has(raw.code)) {
    return new HostError(
      'ssh.timeout',
      host,
      'it did not finish a read in time and was stopped; the host may be overloaded or a disk may hang',
    );
  }
  if (!begun && saysNoSudo(raw)) {
    return new HostError(
      'host.no-sudo',
      host,
      `sudo refused (${sample(raw.stderr)}); allow this user NOPASSWD in sudoers, or log in as root`,
    );
  }
  return garbledReply('read', raw, host);
}

/** The error for a reply that no script of ours gave. */
export function garbledReply(verb: Verb, raw: RawReply, host: string): HostError {
  const seen = sample(raw.stderr.length > 0 ? raw.stderr : raw.stdout);
  if (verb !== 'read') {
    return new OutcomeUnknown(host, `its reply cannot be read (${seen}); it is probed afresh`);
  }
  return new HostError(
    'host.garbage',
    host,
    `it answered with something other than vfleet's script (exit code ${raw.code ?? 'unknown'}: ${seen}); see what its login shell or a forced command prints`,
  );
}

const lostSentence = (verb: Verb, raw: RawReply): string =>
  raw.code === null
    ? `the connection was lost during a ${verb}, which may still be running; it is probed afresh`
    : `a ${verb} was ended before it answered (exit code ${raw.code}: ${sample(raw.stderr)}); it is probed afresh`;

/** sudo's own words, in front of which nothing of ours ran; a missing program under sudo is something else. */
function saysNoSudo({ stderr }: RawReply): boolean {
  // Its first lines say it; long text of a hostile host would keep these patterns busy.
  const text = stderr.toString('latin1', 0, 4096);
  return (
    /sudo: .*(password|terminal|tty|not allowed|may not|setuid|nosuid|no valid sudoers)/i.test(
      text,
    ) ||
    /not in the sudoers file|is not allowed to (execute|run)|may not run sudo/i.test(text) ||
    /sudo: *(command )?not found|exec: sudo/.test(text)
  );
}

/** Printable and short, whatever it was. */
export function sample(bytes: Buffer): string {
  const shown = bytes
    .toString('latin1', 0, 400)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 160);
  return shown === '' ? 'no output' : shown;
}

/** The error for a script's refusal; each says what was found in place of what. */
export function refusalError({ refused, detail }: Refusal, host: string): HostError {
  return new HostError(`host.${refused}`, host, REFUSAL_SENTENCES[refused](detail));
}

const REFUSAL_SENTENCES: Readonly<Record<Refusal['refused'], (detail: string) => string>> = {
  'lease-lost': (detail) =>
    detail.trim() === ''
      ? 'the lease of this rollout is no longer on the host, so nothing was changed; see who removed /var/lib/vfleet/lease'
      : `the lease on the host is not this rollout's, so nothing was changed; it says: ${detail.trim().split('\n').join(', ')}`,
  fenced: (detail) =>
    `a newer attempt (seq and attempt ${detail}) has been here, so this one changed nothing`,
  'other-boot': (detail) =>
    `it has booted since it was looked at (boot id now ${detail}), so nothing was changed; it is probed afresh`,
  'lock-busy': (detail) =>
    `another vfleet command still holds /var/lib/vfleet/lock after ${detail} s; wait for it to end, then retry`,
  'record-failed': (detail) =>
    `vfleet cannot keep its record under /var/lib/vfleet (${detail.trim()}), so nothing was changed; make it writable, then retry`,
  'path-refused': (detail) =>
    `${detail} is not on the list of paths that vfleet may write, so nothing was changed there`,
};
