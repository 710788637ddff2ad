import { plainLine } from '../plain-line.ts';
import { shortText } from '../short-text.ts';
import type { Proof, Symptoms } from './finding.ts';

/** Longest text of one proof, in characters. */
export const PROOF_TEXT_MAX = 300;
/** Most proofs that one finding shows of lines that say the same. */
const SAME_PROOFS_MAX = 3;

/** A proof in one plain line. */
export const proofOf = (source: string, text: string): Proof => ({
  source: shortText(plainLine(source), PROOF_TEXT_MAX),
  text: shortText(plainLine(text), PROOF_TEXT_MAX),
});

/** Lines of the kernel's log as proofs: the first ones, and the last where there are many. */
export function logProofs(lines: readonly string[]): readonly Proof[] {
  const last = lines.at(-1);
  const shown =
    lines.length <= SAME_PROOFS_MAX || last === undefined
      ? lines
      : [...lines.slice(0, SAME_PROOFS_MAX - 1), last];
  return shown.map((line) => proofOf('dmesg', line));
}

/** The lines of the kernel's log that a pattern finds; none when the log was not read. */
export function logLines({ kernelLog }: Symptoms, pattern: RegExp): readonly string[] {
  return (kernelLog ?? []).filter((line) => pattern.test(line));
}

/** Items by a key, in the order in which each key came first. */
export function groupedBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** `once`, `7 times`. */
export const timesText = (count: number): string => (count === 1 ? 'once' : `${count} times`);
