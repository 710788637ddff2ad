import type { Lease } from '../domain/facts.ts';
import { MOTD_FOLDER } from './probe.ts';

/** Values in the lease file are one line each: a name with a newline must not become a second key. */
const oneLine = (value: string) => value.replace(/[\p{Cc}]+/gu, ' ');

const MADE_MOTD_FOLDER = `made=${MOTD_FOLDER}\n`;

/**
 * Text of the lease file. Its first line, `id=...`, is what the host's scripts compare with a guard. With `madeFolder`
 * it says that the folder of the message of the day was not there before, so that it goes with the lease.
 */
export function leaseText(lease: Lease, options: { readonly madeFolder: boolean }): string {
  const { id, rollout, engine, who, since } = lease;
  const lines = Object.entries({ id, rollout, engine, who, since }).map(
    ([key, value]) => `${key}=${oneLine(value)}\n`,
  );
  return `${lines.join('')}${options.madeFolder ? MADE_MOTD_FOLDER : ''}`;
}

/** Whether the run that took this lease made the folder of the message of the day. */
export function madeMotdFolder(lease: string): boolean {
  return lease.endsWith(`\n${MADE_MOTD_FOLDER}`);
}

/** Who holds a host, as a busy host says it (law 6). */
export function holderSentence({ rollout, who, since, engine }: Lease): string {
  return `${rollout} of ${who} holds this host since ${since} (engine ${engine})`;
}
