import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BootLoaderFacts, Lease } from '../domain/facts.ts';
import type { HostConnection } from '../domain/host-entry.ts';
import { parseBootLoader } from '../facts/boot-loader.ts';
import { parseLease, parseRunningArgs, parseRunningGuests } from '../facts/parse-facts.ts';
import { BOOT_ID_PATH, BOOT_PROBE, GUESTS_PROBE, LEASE_PATH } from '../facts/probe.ts';
import { lineOf, textOf, type Snapshot } from '../facts/snapshot.ts';
import { HostError } from '../host/errors.ts';
import { createSshDirectory } from '../host/ssh/pool.ts';
import { sentenceOf } from './outcome.ts';

/**
 * How one host is right now, as far as this machine can tell: the workers' keys and routes may be others. `away`: it was
 * asked and did not answer as it should; `not-asked`: it could not be asked from here.
 */
export type HostLook = {
  /** ISO 8601, UTC. */
  readonly at: string;
} & (
  | {
      readonly kind: 'answers';
      readonly bootId?: string;
      readonly runningArgs: readonly string[];
      readonly guests: readonly string[];
      readonly bootLoader: BootLoaderFacts;
      readonly lease?: Lease;
    }
  | { readonly kind: 'away'; readonly code: string; readonly sentence: string }
  | { readonly kind: 'not-asked'; readonly sentence: string }
);

/** Longest that the look may take in all: whoever asks about a host must not wait for it. */
const LOOK_MS = 3_000;

/** Codes that speak of this machine's keys and names, and not of the host. */
const OURS: ReadonlySet<string> = new Set([
  'ssh.key-file',
  'ssh.auth',
  'ssh.host-key-unknown',
  'ssh.name-not-found',
]);

/** Looks at a host once, reading only, in 3 s at most. Never throws: what is known without it must be shown. */
export async function lookAtHost(connection: HostConnection, log: Logger): Promise<HostLook> {
  const hosts = createSshDirectory({ log, limits: { connectTimeoutMs: LOOK_MS, graceMs: 0 } });
  const looked = new AbortController();
  const late = sleep(LOOK_MS, 'late' as const, { signal: looked.signal });
  const read = hosts
    .host(connection)
    .read({ entries: [...BOOT_PROBE, ...GUESTS_PROBE], deadlineMs: LOOK_MS });
  try {
    const answer = await Promise.race([read, late]);
    const at = new Date().toISOString();
    if (answer !== 'late') return { at, kind: 'answers', ...understood(answer) };
    const sentence = `no answer within ${LOOK_MS / 1000} s`;
    return { at, kind: 'away', code: 'ssh.timeout', sentence };
  } catch (error) {
    return failed(error);
  } finally {
    looked.abort();
    // One of the two is left behind by the race: the clock is stopped, the read ends with its connection.
    for (const loser of [late, read]) loser.catch(() => undefined);
    void hosts.close();
  }
}

function understood(
  snapshot: Snapshot,
): Omit<Extract<HostLook, { kind: 'answers' }>, 'at' | 'kind'> {
  const bootId = lineOf(snapshot, BOOT_ID_PATH);
  const lease = textOf(snapshot, LEASE_PATH);
  return {
    ...(bootId === undefined ? {} : { bootId }),
    runningArgs: parseRunningArgs(snapshot),
    guests: parseRunningGuests(snapshot),
    bootLoader: parseBootLoader(snapshot),
    ...(lease === undefined ? {} : { lease: parseLease(lease) }),
  };
}

function failed(error: unknown): HostLook {
  const at = new Date().toISOString();
  const sentence = sentenceOf(error);
  if (!(error instanceof HostError) || OURS.has(error.code)) {
    return { at, kind: 'not-asked', sentence };
  }
  return { at, kind: 'away', code: error.code, sentence };
}
