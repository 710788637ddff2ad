import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { Code } from '../../../src/domain/codes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { Guard, HostPort, PokeOutcome, PokeRequest } from '../../../src/host/port.ts';
import { hold, tail } from '../outcomes.ts';

export type KernelWrite = PokeRequest['writes'][number];

/** What a kernel answered, from the words of strerror(3) in the C locale; `absent`: there is no such file. */
export type KernelAnswer =
  | 'busy'
  | 'out-of-range'
  | 'no-entry'
  | 'no-memory'
  | 'no-device'
  | 'not-permitted'
  | 'absent'
  | 'hung'
  | 'other';

const WORDS: readonly (readonly [string, KernelAnswer])[] = [
  ['Device or resource busy', 'busy'],
  ['Numerical result out of range', 'out-of-range'],
  ['Cannot allocate memory', 'no-memory'],
  ['No such device', 'no-device'],
  ['No such file or directory', 'no-entry'],
  ['Operation not permitted', 'not-permitted'],
  ['Permission denied', 'not-permitted'],
  ['Operation not supported', 'other'],
  ['No such file', 'absent'],
];

/** How a write ended: the answer of the first that failed, and which one it was. */
export interface WriteFailure {
  readonly write: KernelWrite;
  readonly answer: KernelAnswer;
  readonly message: string;
}

/** The code and the sentence of each answer that has one of its own; `other` is for all the rest. */
export type AnswerTable = Readonly<
  Partial<Record<KernelAnswer, readonly [Code, string]>> & {
    other: readonly [Code, string];
  }
>;

/**
 * Writes kernel files in order and in one command; `undefined` when each write returned well, which does not say that it
 * had an effect. A command that does not end in time is an unknown outcome, and the next attempt reads where it got to.
 */
export async function writeKernel(
  port: HostPort,
  guard: Guard,
  writes: readonly KernelWrite[],
): Promise<WriteFailure | undefined> {
  if (writes.length === 0) return undefined;
  const limitsMs = writes.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
  const { pokeMargin, pokeMax } = HOST_DEADLINE_MS;
  const deadlineMs = Math.min(pokeMax, limitsMs + pokeMargin);
  const outcomes = await port.poke({ guard, writes, deadlineMs });
  const at = outcomes.findIndex(({ kind }) => kind !== 'done');
  const [outcome, write] = [outcomes[at], writes[at]];
  if (outcome === undefined || write === undefined) return undefined;
  return failure(write, outcome);
}

function failure(write: KernelWrite, outcome: PokeOutcome): WriteFailure {
  if (outcome.kind !== 'failed') {
    const message = `the write did not return within ${write.timeoutMs / 1000} s and may still take effect`;
    return { write, answer: 'hung', message };
  }
  const { message } = outcome;
  return {
    write,
    answer: WORDS.find(([words]) => message.includes(words))?.[1] ?? 'other',
    message,
  };
}

/** The hold for a write that failed. */
export function failureHold(
  { write, answer, message }: WriteFailure,
  table: AnswerTable,
  who: string,
): StepOutcome {
  const [code, sentence] = table[answer] ?? table.other;
  return hold(code, `${who}: ${sentence}`, {
    wrote: `${JSON.stringify(write.value)} to ${write.path}`,
    answer: tail(message),
  });
}
