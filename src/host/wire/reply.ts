import type { QueryAnswer, QueryName, Snapshot } from '../../facts/snapshot.ts';
import {
  FILE_BYTES_MAX,
  OUTPUT_BYTES_MAX,
  type PokeOutcome,
  type RunOutcome,
  type WriteOutcome,
} from '../port.ts';
import type { Verb } from '../scripts/script-text.ts';

export interface Answers {
  read: Snapshot;
  write: readonly WriteOutcome[];
  poke: readonly PokeOutcome[];
  run: RunOutcome;
}

/** Why a script refused before it changed anything; each is the HostError `host.<refused>`. */
export const REFUSALS = [
  'lease-lost',
  'fenced',
  'other-boot',
  'lock-busy',
  'record-failed',
  'path-refused',
] as const;

export interface Refusal {
  readonly refused: (typeof REFUSALS)[number];
  /**
   * lease-lost: the start of the lease file (`''`: none); fenced: `<seq> <attempt>` that was seen; other-boot: the boot id
   * now; lock-busy: seconds waited; record-failed: the host's error; path-refused: the path and why.
   */
  readonly detail: string;
}

/** A value, or the script's refusal in its place. */
export type Reply<V extends Verb> = Answers[V] | Refusal;

/** Most bytes of a conflicting file's content that come back. */
export const CONFLICT_BYTES_MAX = 4096;

/** Encodes what a host answers, as its script would: for the simulated fleet. */
export function encodeReply<V extends Verb>(verb: V, nonce: string, reply: Reply<V>): Buffer {
  const fields = isRefusal(reply)
    ? ['refused', reply.refused, reply.detail]
    : ENCODERS[verb](reply);
  const framed = [`vfleet-begin ${nonce}`, ...fields, 'vfleet-end', nonce];
  return Buffer.from(framed.map((field) => `${field}\0`).join(''));
}

export function isRefusal(reply: object): reply is Refusal {
  return 'refused' in reply;
}

const ENCODERS: { readonly [V in Verb]: (answer: Answers[V]) => readonly string[] } = {
  read: (snapshot) => [
    ...[...snapshot.files].flatMap(([path, content]) => [
      'file',
      path,
      base64(content.subarray(0, FILE_BYTES_MAX + 1)),
    ]),
    ...[...snapshot.links].flatMap(([path, target]) => ['link', path, target]),
    ...[...snapshot.dirs].flatMap(([path, names]) => ['list', path, ...names, '']),
    ...[...snapshot.queries].flatMap(([name, { code, output }]) => [
      'query',
      name,
      String(code),
      output,
    ]),
  ],
  write: (outcomes) => outcomes.flatMap(writeFields),
  poke: (outcomes) =>
    outcomes.flatMap((it) => [it.kind, it.path, ...(it.kind === 'failed' ? [it.message] : [])]),
  run: ({ kind, code, stdout, stderr }) => [kind, String(code), outputOf(stdout), outputOf(stderr)],
};

function writeFields(outcome: WriteOutcome): readonly string[] {
  const { kind, path } = outcome;
  switch (kind) {
    case 'written':
    case 'unchanged':
      return [kind, path];
    case 'conflict':
      return [
        kind,
        path,
        outcome.digest ?? '-',
        base64(outcome.content.subarray(0, CONFLICT_BYTES_MAX)),
      ];
    case 'failed':
      return [kind, path, outcome.reason, outcome.message];
  }
}

const base64 = (content: Uint8Array): string => Buffer.from(content).toString('base64');
const outputOf = (text: string): string => base64(Buffer.from(text).subarray(-OUTPUT_BYTES_MAX));

/** The parts of a snapshot while it is being put together. */
export interface SnapshotParts {
  readonly files: Map<string, Uint8Array>;
  readonly links: Map<string, string>;
  readonly dirs: Map<string, readonly string[]>;
  readonly queries: Map<QueryName, QueryAnswer>;
}
