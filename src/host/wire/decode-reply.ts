import { QUERY_NAMES } from '../../facts/snapshot.ts';
import { HostError } from '../errors.ts';
import { FILE_BYTES_MAX, type PokeOutcome, type RunOutcome, type WriteOutcome } from '../port.ts';
import type { Verb } from '../scripts/script-text.ts';
import { garbledReply, refusalError, unframedReply, type RawReply } from './failures.ts';
import { REFUSALS, type Answers, type SnapshotParts } from './reply.ts';

/**
 * Decodes what a script sent back.
 *
 * @throws HostError `host.<refusal>` when the script refused, `host.no-sudo`, `host.garbage`, `host.output-too-large`,
 * `ssh.closed` or `ssh.timeout` (read only); OutcomeUnknown when a mutation began and did not say how it ended.
 */
export function decodeReply<V extends Verb>(
  verb: V,
  nonce: string,
  raw: RawReply,
  host: string,
): Answers[V] {
  const mark = Buffer.from(`vfleet-begin ${nonce}\0`);
  const begin = raw.stdout.indexOf(mark);
  if (begin === -1) throw unframedReply(verb, raw, host, false);
  const fields = new Fields(raw.stdout.subarray(begin + mark.length), nonce, {
    host,
    cut: () => unframedReply(verb, raw, host, true),
    garbled: () => garbledReply(verb, raw, host),
  });
  return DECODERS[verb](fields);
}

interface Faults {
  readonly host: string;
  readonly cut: () => HostError;
  readonly garbled: () => HostError;
}

/** Most fields of one reply: a probe has some 75 for each PCI function, of which facts hold 4096; 16 MiB could hold 16 million. */
const FIELDS_MAX = 320_000;

/** Hands out NUL-ended fields up to the end mark; throws when the reply ends before it. */
class Fields {
  private at = 0;
  private handedOut = 0;
  private readonly bytes: Buffer;
  private readonly nonce: string;
  readonly faults: Faults;

  constructor(bytes: Buffer, nonce: string, faults: Faults) {
    this.bytes = bytes;
    this.nonce = nonce;
    this.faults = faults;
  }

  next(): string {
    this.handedOut += 1;
    if (this.handedOut > FIELDS_MAX) throw this.faults.garbled();
    const end = this.bytes.indexOf(0, this.at);
    if (end === -1) throw this.faults.cut();
    const field = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return field;
  }

  /** The tag of the next record, or `undefined` at the end mark. */
  tag(): string | undefined {
    const tag = this.next();
    if (tag === 'refused') throw this.refusal();
    if (tag !== 'vfleet-end') return tag;
    if (this.next() !== this.nonce) throw this.faults.garbled();
    return undefined;
  }

  one<T extends string>(values: readonly T[], value = this.next()): T {
    const known = values.find((it) => it === value);
    if (known === undefined) throw this.faults.garbled();
    return known;
  }

  number(): number {
    const field = this.next();
    if (!/^[0-9]{1,9}$/.test(field)) throw this.faults.garbled();
    return Number(field);
  }

  content(): Buffer {
    return Buffer.from(this.next(), 'base64');
  }

  private refusal(): HostError {
    const refused = this.one(REFUSALS);
    const detail = this.next();
    if (this.tag() !== undefined) return this.faults.garbled();
    return refusalError({ refused, detail }, this.faults.host);
  }
}

const DECODERS: { readonly [V in Verb]: (fields: Fields) => Answers[V] } = {
  read: readAnswer,
  write: (fields) => collect(fields, writeOutcome),
  poke: (fields) => collect(fields, pokeOutcome),
  run: runAnswer,
};

function collect<T>(fields: Fields, decode: (tag: string, fields: Fields) => T): T[] {
  const outcomes: T[] = [];
  for (let tag = fields.tag(); tag !== undefined; tag = fields.tag()) {
    outcomes.push(decode(tag, fields));
  }
  return outcomes;
}

function readAnswer(fields: Fields): Answers['read'] {
  const parts: SnapshotParts = {
    files: new Map(),
    links: new Map(),
    dirs: new Map(),
    queries: new Map(),
  };
  collect(fields, (tag) => readRecord(tag, fields, parts));
  return parts;
}

function readRecord(tag: string, fields: Fields, parts: SnapshotParts): void {
  switch (fields.one(['file', 'line', 'link', 'list', 'query'], tag)) {
    case 'file':
      readFileRecord(fields, parts);
      return;
    case 'line': {
      const path = fields.next();
      parts.files.set(path, Buffer.from(fields.next()));
      return;
    }
    case 'link':
      parts.links.set(fields.next(), fields.next());
      return;
    case 'list': {
      const path = fields.next();
      const names: string[] = [];
      for (let name = fields.next(); name !== ''; name = fields.next()) names.push(name);
      parts.dirs.set(path, names.sort());
      return;
    }
    case 'query':
      parts.queries.set(fields.one(QUERY_NAMES), { code: fields.number(), output: fields.next() });
  }
}

function readFileRecord(fields: Fields, parts: SnapshotParts): void {
  const path = fields.next();
  const content = fields.content();
  if (content.length > FILE_BYTES_MAX) {
    throw new HostError(
      'host.output-too-large',
      fields.faults.host,
      `${path} is larger than ${FILE_BYTES_MAX} bytes, more than vfleet reads; look at what has grown there`,
    );
  }
  parts.files.set(path, content);
}

function writeOutcome(tag: string, fields: Fields): WriteOutcome {
  const kind = fields.one(['written', 'unchanged', 'conflict', 'failed'], tag);
  const path = fields.next();
  switch (kind) {
    case 'written':
    case 'unchanged':
      return { path, kind };
    case 'conflict': {
      const digest = fields.next();
      return { path, kind, digest: digest === '-' ? null : digest, content: fields.content() };
    }
    case 'failed':
      return {
        path,
        kind,
        reason: fields.one(['no-space', 'read-only', 'denied', 'other']),
        message: fields.next(),
      };
  }
}

function pokeOutcome(tag: string, fields: Fields): PokeOutcome {
  const kind = fields.one(['done', 'hung', 'failed'], tag);
  const path = fields.next();
  return kind === 'failed' ? { path, kind, message: fields.next().trim() } : { path, kind };
}

function runAnswer(fields: Fields): RunOutcome {
  const tag = fields.tag();
  if (tag === undefined) throw fields.faults.garbled();
  const kind = fields.one(['exited', 'timed-out', 'not-found'], tag);
  const code = fields.number();
  const outcome = { kind, code, stdout: text(fields.content()), stderr: text(fields.content()) };
  if (fields.tag() !== undefined) throw fields.faults.garbled();
  return outcome;
}

/** Output that was cut at the front may begin inside a character: drop its rest. */
function text(bytes: Buffer): string {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.toString('utf8', start);
}
