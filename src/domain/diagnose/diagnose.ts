import type { Code } from '../codes.ts';
import { plainLine } from '../plain-line.ts';
import { shortText } from '../short-text.ts';
import type { Finding, Rule, Severity, Symptoms } from './finding.ts';
import { PROOF_TEXT_MAX } from './proof.ts';
import { RULES } from './rules.ts';

/** A finding in its place: after what it follows from. */
export interface RankedFinding extends Finding {
  /** Codes of other findings of this host that explain this one; empty: it is a cause by itself. */
  readonly follows: readonly Code[];
}

/** Most findings that one rule may make; a host that logs a fault of each of a thousand devices says no more with the last. */
const FINDINGS_MAX = 20;
/** Most proofs of one finding. */
const PROOFS_MAX = 8;
/** Longest sentence and next step, in characters. */
const SENTENCE_MAX = 600;

const ORDER: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, note: 2 };

/**
 * What is wrong with a host, the causes first: by severity, each after whatever explains it, and a cause before all that is
 * less severe than what follows from it. Never throws; whatever a host wrote comes back in short, plain lines.
 */
export function diagnose(
  symptoms: Symptoms,
  rules: readonly Rule[] = RULES,
): readonly RankedFinding[] {
  const findings = rules.flatMap((rule) =>
    rule
      .find(symptoms)
      .slice(0, FINDINGS_MAX)
      .map((found) => bounded(rule, found)),
  );
  const present = new Set(findings.map(({ code }) => code));
  const causes = causesOf(rules, present);
  const weights = weightsOf(findings, causes);
  const sorted = findings
    .map((finding) => ({ ...finding, follows: causes.get(finding.code) ?? [] }))
    .toSorted((a, b) => (weights.get(a.code) ?? 0) - (weights.get(b.code) ?? 0));
  return causesFirst(sorted);
}

function bounded(
  { code, topic, severity }: Rule,
  { sentence, proof, next }: ReturnType<Rule['find']>[number],
): Finding {
  const line = (text: string, max: number): string => shortText(plainLine(text), max);
  return {
    code,
    topic,
    severity,
    sentence: line(sentence, SENTENCE_MAX),
    proof: proof.slice(0, PROOFS_MAX).map(({ source, text }) => ({
      source: line(source, PROOF_TEXT_MAX),
      text: line(text, PROOF_TEXT_MAX),
    })),
    next: line(next, SENTENCE_MAX),
  };
}

/** Of each code that was found: the other found codes that explain it. */
function causesOf(
  rules: readonly Rule[],
  present: ReadonlySet<Code>,
): ReadonlyMap<Code, readonly Code[]> {
  const causes = new Map<Code, Code[]>();
  for (const { code, explains = [] } of rules) {
    if (!present.has(code)) continue;
    for (const effect of explains) {
      if (effect === code || !present.has(effect)) continue;
      const known = causes.get(effect) ?? [];
      if (!known.includes(code)) causes.set(effect, [...known, code]);
    }
  }
  return causes;
}

/** A cause weighs as much as the worst that follows from it. */
function weightsOf(
  findings: readonly Finding[],
  causes: ReadonlyMap<Code, readonly Code[]>,
): ReadonlyMap<Code, number> {
  const weights = new Map<Code, number>();
  const raise = (code: Code, weight: number): void => {
    const known = weights.get(code);
    if (known !== undefined && known <= weight) return;
    weights.set(code, weight);
    for (const cause of causes.get(code) ?? []) raise(cause, weight);
  };
  for (const { code, severity } of findings) raise(code, ORDER[severity]);
  return weights;
}

/** Each finding after all that it follows from; two that explain each other keep the order in which they came. */
function causesFirst(sorted: readonly RankedFinding[]): readonly RankedFinding[] {
  const left = [...sorted];
  const ranked: RankedFinding[] = [];
  while (left.length > 0) {
    const waiting = new Set(left.map(({ code }) => code));
    const at = left.findIndex(({ follows }) => !follows.some((cause) => waiting.has(cause)));
    ranked.push(...left.splice(Math.max(0, at), 1));
  }
  return ranked;
}

/** What could not be looked at, so that nothing found there means nothing: in words. */
export function notRead(symptoms: Symptoms): readonly string[] {
  const parts: readonly (readonly [string, unknown])[] = [
    ["the kernel's log", symptoms.kernelLog],
    ['the modules of the kernel', symptoms.moduleFiles],
    ['the files of modprobe.d and of the boot loader', symptoms.configLines],
    ['the chips of the interrupts', symptoms.irqChips],
  ];
  return parts.flatMap(([name, part]) => (part === undefined ? [name] : []));
}
