import { CODES } from '../../domain/codes.ts';
import { nearest } from '../../schema/nearest.ts';
import type { CommandContext } from '../context.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { renderCode, renderCodes, type ExplainedCode } from '../render/explain.ts';

const ALL: readonly ExplainedCode[] = [...CODES].map(([code, entry]) => ({ code, ...entry }));

/**
 * What codes mean and what to do, from the table alone: it works with no engine, no inventory and no network. A part of a
 * code lists all that have it; no word lists every code.
 */
export function explain(context: CommandContext, word: string | undefined): Outcome {
  const look = { style: context.style, width: context.width() };
  const found = find(word);
  const [first] = found;
  context.data(found);
  context.print(
    first !== undefined && found.length === 1 ? renderCode(first, look) : renderCodes(found, look),
  );
  return 'done';
}

function find(given: string | undefined): readonly ExplainedCode[] {
  if (given === undefined) return ALL;
  const word = given.toLowerCase();
  const exact = ALL.filter(({ code }) => code === word);
  if (exact.length > 0) return exact;
  const begun = ALL.filter(({ code }) => code.startsWith(word));
  const near = begun.length > 0 ? begun : ALL.filter(({ code }) => code.includes(word));
  if (near.length > 0) return near;
  const meant = nearest(word, [...CODES.keys()]);
  throw new CliError(
    'usage',
    `There is no code "${given}".`,
    meant === undefined ? 'vfleet explain lists all' : `did you mean vfleet explain ${meant}?`,
  );
}
