import { createHash, randomBytes } from 'node:crypto';
import { HostError } from '../errors.ts';
import type {
  FileWrite,
  Guard,
  PokeRequest,
  ReadRequest,
  RunRequest,
  WriteRequest,
} from '../port.ts';
import { scriptText, SCRIPT_VERSION, type Verb } from '../scripts/script-text.ts';
import { isPokablePath, isWritablePath, LEASE_PATH } from '../writable-paths.ts';

export interface Requests {
  read: ReadRequest;
  write: WriteRequest;
  poke: PokeRequest;
  run: RunRequest;
}

/** One verb as it goes over the wire. */
export interface Call {
  /** What the login shell gets: always the same text for a verb, but for the digits of the time limit. */
  readonly command: string;
  /** The arguments, one a line; ends in the line `end`. */
  readonly stdin: Buffer;
  /** Hex; the reply's marks carry it. */
  readonly nonce: string;
  /** After so many milliseconds the host ends the command by itself (5 s later by force). */
  readonly hostLimitMs: number;
}

export interface EncodeOptions {
  /** The host's name, for errors. */
  readonly host: string;
  /** Go through `sudo -n`; false when the login user is root. */
  readonly become: boolean;
  readonly nonce?: string;
}

/** A program gets its whole deadline; the script needs this much longer to end it and to answer. */
export const RUN_REPORT_SECONDS = 8;
const NONE = '-';

/** Text in front of and behind the digits of the time limit. */
export function commandParts(verb: Verb, become: boolean): { head: string; tail: string } {
  const quoted = `'${scriptText(verb).replaceAll("'", "'\\''")}'`;
  return {
    head: `exec ${become ? 'sudo -n -- ' : ''}timeout -k 5 `,
    tail: ` /bin/sh -c ${quoted} vfleet-${verb}-${SCRIPT_VERSION} "$SSH_CONNECTION"`,
  };
}

/**
 * Encodes a verb's request as a command and its stdin.
 *
 * @throws HostError `host.path-refused` for a path that vfleet does not write; RangeError for a request that no
 * script can carry (a newline in an argument, no file, a relative pattern), which is a mistake in vfleet.
 */
export function encodeCall<V extends Verb>(
  verb: V,
  request: Requests[V],
  options: EncodeOptions,
): Call {
  const nonce = options.nonce ?? randomBytes(16).toString('hex');
  const lines = [nonce, ...ENCODERS[verb](request, options.host), 'end'];
  const bad = lines.find((line) => /[\n\0]/.test(line));
  if (bad !== undefined) {
    throw new RangeError(`an argument holds a newline or NUL: ${JSON.stringify(bad)}`);
  }
  const seconds =
    Math.max(1, Math.ceil(request.deadlineMs / 1000)) + (verb === 'run' ? RUN_REPORT_SECONDS : 0);
  const { head, tail } = commandParts(verb, options.become);
  return {
    command: `${head}${seconds}${tail}`,
    stdin: Buffer.from(lines.join('\n') + '\n'),
    nonce,
    hostLimitMs: seconds * 1000,
  };
}

const ENCODERS: {
  readonly [V in Verb]: (request: Requests[V], host: string) => readonly string[];
} = { read: encodeRead, write: encodeWrite, poke: encodePoke, run: encodeRun };

function encodeRead(request: ReadRequest): readonly string[] {
  return request.entries.map((entry) => {
    if (entry.kind === 'query') return `query ${entry.query}`;
    if (!entry.glob.startsWith('/') || entry.glob.includes('\\')) {
      throw new RangeError(`a pattern is absolute and without backslash: ${entry.glob}`);
    }
    return `${entry.kind} ${entry.glob}`;
  });
}

function encodeWrite(request: WriteRequest, host: string): readonly string[] {
  if (request.files.length === 0) throw new RangeError('a write needs at least one file');
  const lines = [...guardLines(request.guard, request.deadlineMs), String(request.files.length)];
  for (const file of request.files) {
    const allowed = isWritablePath(file.path) && (request.guard ?? file.path === LEASE_PATH);
    if (!allowed) throw refused(host, file.path);
    lines.push(...fileLines(file));
  }
  return lines;
}

function fileLines({ path, expect, content, mode, removeEmptyParent }: FileWrite): string[] {
  return [
    path,
    expect ?? NONE,
    content === null ? NONE : sha256(content),
    (mode ?? 0o644).toString(8),
    removeEmptyParent === true ? 'y' : 'n',
    content === null ? '' : Buffer.from(content).toString('base64'),
  ];
}

function encodePoke(request: PokeRequest, host: string): readonly string[] {
  const lines = [...guardLines(request.guard, request.deadlineMs), String(request.writes.length)];
  for (const { path, value, timeoutMs } of request.writes) {
    if (!isPokablePath(path)) throw refused(host, path);
    lines.push(path, value, String(Math.max(1, Math.ceil(timeoutMs))));
  }
  return lines;
}

function encodeRun(request: RunRequest): readonly string[] {
  if (!/^[^-]/.test(request.argv[0])) {
    throw new RangeError(`not the name of a program: ${request.argv[0]}`);
  }
  return [
    ...guardLines(request.guard, request.deadlineMs),
    String(Math.max(1, Math.ceil(request.deadlineMs / 1000))),
    String(request.argv.length),
    ...request.argv,
  ];
}

/** Lease, seq, attempt, boot id, and how many seconds to wait for the host's lock. */
function guardLines(guard: Guard | undefined, deadlineMs: number): readonly string[] {
  const lockWait = String(Math.min(30, Math.max(1, Math.floor(deadlineMs / 2000))));
  if (guard === undefined) return [NONE, '0', '0', NONE, lockWait];
  if (!/^[\x21-\x7e]{2,300}$/.test(guard.lease)) {
    throw new RangeError(`a lease id is printable ASCII without spaces: ${guard.lease}`);
  }
  return [guard.lease, String(guard.seq), String(guard.attempt), guard.bootId ?? NONE, lockWait];
}

function refused(host: string, path: string): HostError {
  return new HostError(
    'host.path-refused',
    host,
    `${path} is not on the list of paths that vfleet may write, so nothing was sent; this is a mistake in vfleet, please report it`,
  );
}

/** Lower-case hex SHA-256, as `FileWrite.expect` holds it. */
export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
