import type { PlanHost } from './plan-file.ts';

/** Hosts that vfleet cannot work on, with the same reason. */
export interface Obstacle {
  readonly code: string;
  readonly sentence: string;
  readonly hosts: readonly string[];
}

/** Most reasons of one code that are told apart; more differ in details that nobody reads in a row. */
const REASONS_MAX = 3;

/**
 * Hosts with their reason: one entry for each code and sentence, the host's own name at its start cut. A code with many
 * sentences is one entry with the first of them as an example, since they differ in an address or a time only.
 */
export function obstacles(
  hosts: readonly PlanHost[],
  kinds: readonly PlanHost['plan']['kind'][],
): readonly Obstacle[] {
  const codes = new Map<string, Map<string, string[]>>();
  for (const { connection, plan } of hosts) {
    if (!kinds.includes(plan.kind) || !('code' in plan)) continue;
    const reasons = codes.get(plan.code) ?? new Map<string, string[]>();
    const sentence = withoutName(plan.sentence, connection.name);
    reasons.set(sentence, [...(reasons.get(sentence) ?? []), connection.name]);
    codes.set(plan.code, reasons);
  }
  return [...codes].flatMap(([code, reasons]) => {
    const told = [...reasons].map(([sentence, names]) => ({ code, sentence, hosts: names }));
    const [first] = told;
    if (first === undefined || told.length <= REASONS_MAX) return told;
    const all = told.flatMap((one) => one.hosts);
    return [{ code, sentence: `e.g. ${first.sentence}`, hosts: all }];
  });
}

function withoutName(sentence: string, name: string): string {
  return sentence.startsWith(`${name}: `) ? sentence.slice(name.length + 2) : sentence;
}
