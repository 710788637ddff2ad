import type { Lease } from '../domain/facts.ts';

/** Values in the lease file are one line each: a name with a newline must not become a second key. */
const oneLine = (value: string) => value.replace(/[\p{Cc}]+/gu, ' ');

/** Text of the lease file. Its first line, `id=...`, is what the host's scripts compare with a guard. */
export function leaseText(lease: Lease): string {
  const { id, rollout, engine, who, since } = lease;
  return Object.entries({ id, rollout, engine, who, since })
    .map(([key, value]) => `${key}=${oneLine(value)}\n`)
    .join('');
}

/** Who holds a host, as a busy host says it (law 6). */
export function holderSentence({ rollout, who, since, engine }: Lease): string {
  return `${rollout} of ${who} holds this host since ${since} (engine ${engine})`;
}
