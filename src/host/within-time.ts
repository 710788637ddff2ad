import { OutcomeUnknown } from './errors.ts';
import type { HostPort } from './port.ts';

/** How much longer than its deadline the caller may wait for each verb (port.ts), in milliseconds. */
const GRACE_MS = { read: 2_000, write: 8_000, poke: 8_000, run: 16_000 } as const;

/**
 * A port for one attempt that has `limitMs` in all: it begins no command that might not have ended by then, so that none
 * still runs on the host when the next attempt begins (law 3). For steps of many commands, whose longest times add up to
 * more than an attempt can be given, and which go on where an attempt before them stopped.
 *
 * Its verbs throw `OutcomeUnknown`, which is retried, when there is not enough time left.
 */
export function withinTime(
  port: HostPort,
  limitMs: number,
  now: () => number = Date.now,
): HostPort {
  const until = now() + limitMs;
  const checked =
    <R extends { readonly deadlineMs: number }, A>(
      graceMs: number,
      verb: (request: R) => Promise<A>,
    ) =>
    async (request: R): Promise<A> => {
      if (now() + request.deadlineMs + graceMs > until) {
        const sentence =
          'there is no time left for another command; the next attempt goes on from here';
        throw new OutcomeUnknown(port.name, sentence);
      }
      return verb(request);
    };
  return {
    name: port.name,
    read: checked(GRACE_MS.read, (request) => port.read(request)),
    write: checked(GRACE_MS.write, (request) => port.write(request)),
    poke: checked(GRACE_MS.poke, (request) => port.poke(request)),
    run: checked(GRACE_MS.run, (request) => port.run(request)),
  };
}
