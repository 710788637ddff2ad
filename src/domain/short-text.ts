import type { Evidence } from './changes.ts';

/** Longest sentence or value of evidence, in characters: the longest kernel line that x86 reads is 2048. */
export const OUTCOME_TEXT_MAX = 2100;

/** A text in at most `max` characters: a longer one keeps its start and its end, where reasons stand. */
export function shortText(text: string, max: number): string {
  if (text.length <= max) return text;
  const half = Math.floor((max - 5) / 2);
  return `${text.slice(0, half)} ... ${text.slice(text.length - half)}`;
}

/**
 * An outcome whose sentence and evidence are short enough for the engine's history, whatever a host printed: a 16 MiB
 * reply would else be an activity's result, which the engine refuses (2 MB), or a history of tens of megabytes.
 */
export function shortOutcome<T>(outcome: T): T {
  if (typeof outcome !== 'object' || outcome === null) return outcome;
  const { sentence, evidence } = outcome as { sentence?: string; evidence?: Evidence };
  return {
    ...outcome,
    ...(sentence === undefined ? {} : { sentence: shortText(sentence, OUTCOME_TEXT_MAX) }),
    ...(evidence === undefined ? {} : { evidence: shortEvidence(evidence) }),
  };
}

function shortEvidence(evidence: Evidence): Evidence {
  return Object.fromEntries(
    Object.entries(evidence).map(([name, value]) => [name, shortText(value, OUTCOME_TEXT_MAX)]),
  );
}
