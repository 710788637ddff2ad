import { QUERY_NAMES, type QueryName } from '../../facts/snapshot.ts';
import type {
  FileWrite,
  Guard,
  PokeRequest,
  ReadEntry,
  ReadRequest,
  RunRequest,
  WriteRequest,
} from '../port.ts';
import { VERBS, type Verb } from '../scripts/script-text.ts';
import { isPokablePath, isWritablePath, LEASE_PATH } from '../writable-paths.ts';
import { commandParts, RUN_REPORT_SECONDS, sha256 } from './call.ts';

interface CallOf<V extends Verb, R> {
  readonly verb: V;
  readonly request: R;
  readonly nonce: string;
  /** Whether the caller went through sudo. */
  readonly become: boolean;
}

/** What a simulated host is asked to do. */
export type DecodedCall =
  | CallOf<'read', ReadRequest>
  | CallOf<'write', WriteRequest>
  | CallOf<'poke', PokeRequest>
  | CallOf<'run', RunRequest>;

/** Which verb a command is, or `undefined` unless it is exactly the text that `encodeCall` makes. */
export function decodeCommand(
  command: string,
): { verb: Verb; become: boolean; deadlineMs: number } | undefined {
  for (const verb of VERBS) {
    for (const become of [true, false]) {
      const { head, tail } = commandParts(verb, become);
      if (!command.startsWith(head) || !command.endsWith(tail)) continue;
      const digits = command.slice(head.length, command.length - tail.length);
      if (!/^[1-9][0-9]*$/.test(digits)) continue;
      const seconds = Number(digits) - (verb === 'run' ? RUN_REPORT_SECONDS : 0);
      return { verb, become, deadlineMs: seconds * 1000 };
    }
  }
  return undefined;
}

/**
 * Reads a command and its whole stdin back, for the simulated fleet. `undefined` for anything that is not a known
 * command with complete, well-formed arguments; what the scripts refuse by path is `undefined` too.
 */
export function decodeCall(command: string, stdin: Uint8Array): DecodedCall | undefined {
  const known = decodeCommand(command);
  if (known === undefined) return undefined;
  const lines = Buffer.from(stdin).toString('utf8').split('\n');
  if (lines.pop() !== '' || lines.pop() !== 'end') return undefined;
  const { verb, become, deadlineMs } = known;
  try {
    const cursor = new Cursor(lines);
    const nonce = cursor.match(/^[0-9a-f]+$/);
    const call = decodeRequest(verb, cursor, deadlineMs);
    cursor.finish();
    return { ...call, nonce, become };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

class Malformed extends Error {}

/** Hands out lines; throws when there is none left or one is not as it must be. */
class Cursor {
  private at = 0;
  private readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.lines = lines;
  }

  get more(): boolean {
    return this.at < this.lines.length;
  }

  next(): string {
    const line = this.lines[this.at];
    if (line === undefined) throw new Malformed();
    this.at += 1;
    return line;
  }

  match(pattern: RegExp): string {
    const line = this.next();
    if (!pattern.test(line)) throw new Malformed();
    return line;
  }

  number(): number {
    return Number(this.match(/^[0-9]{1,15}$/));
  }

  finish(): void {
    if (this.more) throw new Malformed();
  }
}

type BareCall =
  | { readonly verb: 'read'; readonly request: ReadRequest }
  | { readonly verb: 'write'; readonly request: WriteRequest }
  | { readonly verb: 'poke'; readonly request: PokeRequest }
  | { readonly verb: 'run'; readonly request: RunRequest };

function decodeRequest(verb: Verb, cursor: Cursor, deadlineMs: number): BareCall {
  switch (verb) {
    case 'read':
      return { verb, request: { entries: readEntries(cursor), deadlineMs } };
    case 'write': {
      const guard = readGuard(cursor);
      const files = repeat(cursor.number(), () => readFileWrite(cursor, guard !== undefined));
      return { verb, request: { ...(guard && { guard }), files, deadlineMs } };
    }
    case 'poke': {
      const guard = readGuard(cursor);
      if (guard === undefined) throw new Malformed();
      const writes = repeat(cursor.number(), () => readPoke(cursor));
      return { verb, request: { guard, writes, deadlineMs } };
    }
    case 'run': {
      const guard = readGuard(cursor);
      const limitMs = cursor.number() * 1000;
      const [program, ...rest] = repeat(cursor.number(), () => cursor.next());
      if (program === undefined || limitMs !== deadlineMs) throw new Malformed();
      return { verb, request: { ...(guard && { guard }), argv: [program, ...rest], deadlineMs } };
    }
  }
}

const repeat = <T>(count: number, make: () => T): T[] => {
  const made: T[] = [];
  for (let i = 0; i < count; i += 1) made.push(make());
  return made;
};

function readEntries(cursor: Cursor): ReadEntry[] {
  const entries: ReadEntry[] = [];
  while (cursor.more) {
    const line = cursor.next();
    const space = line.indexOf(' ');
    const kind = line.slice(0, space);
    const rest = line.slice(space + 1);
    if (kind === 'query' && isQueryName(rest)) entries.push({ kind, query: rest });
    else if (isPathKind(kind)) entries.push({ kind, glob: rest });
    else throw new Malformed();
  }
  return entries;
}

const isQueryName = (name: string): name is QueryName =>
  (QUERY_NAMES as readonly string[]).includes(name);

const isPathKind = (kind: string): kind is 'file' | 'line' | 'list' | 'link' =>
  ['file', 'line', 'list', 'link'].includes(kind);

/** Reads the guard's five lines; the lock wait is the scripts' own affair. */
function readGuard(cursor: Cursor): Guard | undefined {
  const lease = cursor.next();
  const seq = cursor.number();
  const attempt = cursor.number();
  const bootId = cursor.next();
  cursor.number();
  if (lease === '-') return undefined;
  return { lease, seq, attempt, ...(bootId !== '-' && { bootId }) };
}

function readFileWrite(cursor: Cursor, guarded: boolean): FileWrite {
  const path = cursor.next();
  if (!isWritablePath(path) || (!guarded && path !== LEASE_PATH)) throw new Malformed();
  const expect = cursor.match(/^(-|[0-9a-f]{64})$/);
  const after = cursor.match(/^(-|[0-9a-f]{64})$/);
  const mode = Number.parseInt(cursor.match(/^[0-7]{1,4}$/), 8);
  const tidy = cursor.match(/^[yn]$/) === 'y';
  const content = Buffer.from(cursor.next(), 'base64');
  if (after !== '-' && sha256(content) !== after) throw new Malformed();
  return {
    path,
    expect: expect === '-' ? null : expect,
    content: after === '-' ? null : content,
    mode,
    ...(tidy && { removeEmptyParent: true }),
  };
}

function readPoke(cursor: Cursor): PokeRequest['writes'][number] {
  const path = cursor.next();
  if (!isPokablePath(path)) throw new Malformed();
  return { path, value: cursor.next(), timeoutMs: cursor.number() };
}
