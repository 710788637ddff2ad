import type { QueryName, Snapshot } from '../facts/snapshot.ts';

/**
 * The host port: everything vfleet does to a host goes through these four verbs, each one SSH command with
 * a deadline and bounded output. Arguments travel as data on stdin, never inside the command's text.
 *
 * Three implementations stand behind one contract suite (test/host/contract): SSH, the simulated fleet, memory.
 * Every verb throws a `HostError` (errors.ts) when it could not be carried out; `OutcomeUnknown` when the
 * connection was lost while it may still be running. What a verb answers is what the host said.
 *
 * `deadlineMs` is the time on the host, from the command's start, where it ends itself: by force 5 s later, a `run` 13 s
 * later. Connecting comes before it. The caller waits 2 s (read), 8 s (write, poke) or 16 s (run) longer than the deadline.
 */
export interface HostPort {
  /** Name of the inventory entry, for messages. */
  readonly name: string;
  /** Reads many paths and fixed queries in one round trip. Paths that are absent are absent from the answer. */
  read(request: ReadRequest): Promise<Snapshot>;
  /** Replaces, creates or deletes files atomically, in order, each by compare-and-set; stops at the first that is not as expected. */
  write(request: WriteRequest): Promise<readonly WriteOutcome[]>;
  /** Writes values, each with a newline behind it, to kernel files (sysfs, /proc/sys) in order and with a time limit each; stops at the first failure. */
  poke(request: PokeRequest): Promise<readonly PokeOutcome[]>;
  /** Runs one program from the host's PATH. A non-zero exit is an answer, not an error. */
  run(request: RunRequest): Promise<RunOutcome>;
}

/**
 * What to read. `glob` is a shell file pattern (`*`, `?`, `[...]`), absolute, without backslashes;
 * `*` does not match a leading dot.
 * - `file`: whole contents of regular files, at most FILE_BYTES_MAX each
 * - `line`: the first line only, without its newline, by a shell builtin; much cheaper for sysfs attributes
 * - `list`: the names in each matching directory
 * - `link`: the targets of matching symbolic links
 */
export type ReadEntry =
  | { readonly kind: 'file' | 'line' | 'list' | 'link'; readonly glob: string }
  | { readonly kind: 'query'; readonly query: QueryName };

export interface ReadRequest {
  readonly entries: readonly ReadEntry[];
  readonly deadlineMs: number;
}

/**
 * What makes a mutation safe against a second attempt of itself, and against another rollout. The host checks
 * it under its own lock (flock on /var/lib/vfleet/lock) before anything is changed.
 */
export interface Guard {
  /** Id in the host's lease file; the mutation is refused unless the lease carries exactly this id. */
  readonly lease: string;
  /** Number of the mutation within the host's run: grows with every mutation the workflow schedules. */
  readonly seq: number;
  /** Attempt of that mutation, from 1. The host refuses a (seq, attempt) older than the newest it has seen. */
  readonly attempt: number;
  /** When given, refused unless the host's current boot id is this one. */
  readonly bootId?: string;
}

export interface FileWrite {
  readonly path: string;
  /** `null` when the file must be absent before, else the lower-case hex SHA-256 of the contents expected. */
  readonly expect: string | null;
  /** New contents; `null` deletes the file. */
  readonly content: Uint8Array | null;
  /** Permission bits for a file that is created; a file that is replaced keeps its own. */
  readonly mode?: number;
  /** After a deletion, also remove the parent directory when it is left empty (for a directory that we created). */
  readonly removeEmptyParent?: boolean;
}

export interface WriteRequest {
  /** Absent only for the lease file itself, which is what a guard is checked against. */
  readonly guard?: Guard;
  readonly files: readonly FileWrite[];
  readonly deadlineMs: number;
}

/**
 * - `written`: it was as expected and is now as asked, and was synced
 * - `unchanged`: it was already as asked
 * - `conflict`: it is neither; `digest` and the start of `content` say what is there (`null`: absent)
 * - `failed`: the host's own error, with what is there unchanged
 */
export type WriteOutcome =
  | { readonly path: string; readonly kind: 'written' | 'unchanged' }
  | {
      readonly path: string;
      readonly kind: 'conflict';
      readonly digest: string | null;
      readonly content: Uint8Array;
    }
  | {
      readonly path: string;
      readonly kind: 'failed';
      readonly reason: 'no-space' | 'read-only' | 'denied' | 'other';
      readonly message: string;
    };

export interface PokeRequest {
  readonly guard: Guard;
  readonly writes: readonly {
    readonly path: string;
    readonly value: string;
    readonly timeoutMs: number;
  }[];
  readonly deadlineMs: number;
}

/** `hung`: the write did not return within its limit and may still take effect. */
export type PokeOutcome =
  | { readonly path: string; readonly kind: 'done' | 'hung' }
  | { readonly path: string; readonly kind: 'failed'; readonly message: string };

export interface RunRequest {
  /** Absent only for programs that change nothing. */
  readonly guard?: Guard;
  /** Program and arguments; no NUL or newline in any. */
  readonly argv: readonly [string, ...string[]];
  readonly deadlineMs: number;
}

export interface RunOutcome {
  /** `exited`: with `code`; `timed-out`: ended on the host at the deadline; `not-found`: no such program. */
  readonly kind: 'exited' | 'timed-out' | 'not-found';
  readonly code: number;
  /** At most OUTPUT_BYTES_MAX each, cut at the front. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Largest file that `read` returns, in bytes; a longer one is an error, never a silent cut. */
export const FILE_BYTES_MAX = 1024 * 1024;
/** Most bytes that one command may send back before it is ended. */
export const REPLY_BYTES_MAX = 16 * 1024 * 1024;
/** Most bytes kept of a program's stdout or stderr. */
export const OUTPUT_BYTES_MAX = 16 * 1024;
