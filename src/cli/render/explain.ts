import type { CodeEntry } from '../../domain/codes/code-entry.ts';
import { columns, labelled, wrapWords, type Style } from './style.ts';

/** What a code means, as `vfleet explain --json` prints it. */
export interface ExplainedCode extends CodeEntry {
  readonly code: string;
}

interface Look {
  readonly style: Style;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Everything about one code: what it means, what is seen, why, and what to do. */
export function renderCode(entry: ExplainedCode, { style, width }: Look): string {
  const item = (mark: string, text: string): string[] =>
    labelled(`  ${mark}`, text, 5, Math.min(width, 110));
  return [
    `${style.strong(entry.code)}   ${entry.sentence}`,
    '',
    ...labelled('SEEN', entry.symptom, 8, Math.min(width, 110)),
    '',
    'WHY     likely first',
    ...entry.causes.flatMap((cause) => item('-', cause)),
    '',
    'WHAT YOU CAN DO',
    ...entry.exits.flatMap((exit, at) => item(String(at + 1), exit)),
    ...standIns(entry.exits, { style, width }),
  ]
    .join('\n')
    .replace(/`([^`]+)`/g, (quoted, command: string) => {
      // Without colours the marks stay: they show where a command begins and ends.
      const colored = style.command(command);
      return colored === command ? quoted : colored;
    });
}

/** Codes with their sentences. */
export function renderCodes(entries: readonly ExplainedCode[], { style }: Look): string {
  return [
    ...columns(entries.map(({ code, sentence }) => [style.strong(code), sentence])),
    '',
    `Why, and what to do:   ${style.command('vfleet explain CODE')}`,
  ].join('\n');
}

const MEANINGS = [
  ['NAME', "a spec's name (its newest rollout) or one rollout"],
  ['HOST', 'a host of it'],
  ['SPEC', 'the file of a spec'],
  ['INVENTORY', 'file or folder of the inventory'],
] as const;

/** What the capital words in the commands stand for. */
function standIns(exits: readonly string[], { style, width }: Look): string[] {
  const commands = exits.flatMap((exit) => exit.match(/`[^`]+`/g) ?? []).join(' ');
  const used = MEANINGS.filter(([word]) => new RegExp(`\\b${word}\\b`).test(commands));
  if (used.length === 0) return [];
  const words = used
    .map(([word, meaning]) => `${word}: ${meaning}`)
    .join('; ')
    .split(' ');
  return ['', ...wrapWords(words, Math.min(width, 110)).map(style.faint)];
}
