import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { CODES } from '../../src/domain/codes.ts';
import type { CodeEntry } from '../../src/domain/codes/code-entry.ts';
import { REPOSITORY, filesUnder } from '../support/repository.ts';

const read = (file: string): string => readFileSync(new URL(file, REPOSITORY), 'utf8');
/** Names of kernel arguments look like codes. */
const NO_CODES = /kernel-args\.ts$|src\/domain\/codes(\.ts$|\/)|src\/host\/scripts\//;
const CODE = /'((?:[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)+|[a-z]+\.[a-z]+)|drift)'/g;
/** What the guard of a script refuses with becomes `host.<refusal>`. */
const REFUSAL = /refuse ([a-z]+(?:-[a-z]+)*)/g;
/** A command names its code so; file names in its messages look like codes. */
const COMMAND_CODE = /\bcode(?: =|:) '([^']+)'/g;

function raised(): ReadonlySet<string> {
  const found = new Set<string>();
  const take = (text: string, pattern: RegExp, prefix = ''): void => {
    for (const [, word] of text.matchAll(pattern)) found.add(`${prefix}${word!}`);
  };
  for (const file of filesUnder('src/domain', 'src/host', 'activities', 'workflows')) {
    if (file.endsWith('.sh')) take(read(file), REFUSAL, 'host.');
    else if (!NO_CODES.test(file)) take(read(file), CODE);
  }
  for (const file of filesUnder('src/cli')) take(read(file), COMMAND_CODE);
  return found;
}

const textsOf = ({ sentence, symptom, causes, exits }: CodeEntry): readonly string[] => [
  sentence,
  symptom,
  ...causes,
  ...exits,
];
const ENTRIES = [...CODES].map(([code, entry]) => ({ code, ...entry }));
/** Commands in the texts, and the code in whose entry each stands. */
const COMMANDS = ENTRIES.flatMap((entry) =>
  textsOf(entry).flatMap((text) =>
    [...text.matchAll(/`(?:[A-Z_]+=\S+ )?(vfleet\b[^`]*)`/g)].map(([, command]) => ({
      code: entry.code,
      words: command!.split(' ').slice(1),
    })),
  ),
);

/** The page that people read. */
function page(): string {
  const list = (items: readonly string[], mark: string): string =>
    items.map((item) => `${mark} ${item}\n`).join('');
  const parts = ENTRIES.map(
    ({ code, sentence, symptom, causes, exits }) =>
      `## ${code}\n\n${sentence}\n\nSeen: ${symptom}\n\nWhy, likely first:\n\n${list(causes, '-')}\n` +
      `What you can do:\n\n${list(exits, '1.')}`,
  );
  return (
    '# Codes\n\nWhy a host is held, blocked or unreachable, and why a command refuses or fails: what `vfleet explain CODE` says.\n' +
    "What leads out of one hold, with its guests and reboots, is what `vfleet host` shows. NAME is a spec's name or one rollout,\n" +
    'HOST a host of it, SPEC the file of a spec. A wrong command line or spec (exit code 2) has no code: its message says all.\n\n' +
    'This page is made from `src/domain/codes.ts` by `npx vitest run test/docs -u`.\n\n' +
    parts.join('\n')
  );
}

describe('the table of codes', () => {
  it('names each code that the source raises, and no other', () => {
    expect([...CODES.keys()].sort()).toEqual([...raised()].sort());
  });

  it('says of each code what it means in one sentence, and what is seen', () => {
    for (const { sentence, symptom } of ENTRIES) {
      expect(sentence).toMatch(/^\S.*\.$/);
      expect(symptom).toMatch(/^\S.*\.$/);
    }
  });

  it('names causes and ways out as half-sentences, and commands between pairs of marks', () => {
    for (const { causes, exits } of ENTRIES) {
      for (const text of [...causes, ...exits]) {
        expect(text).toMatch(/^\S.*[^.\s]$/);
        expect(text.split('`').length % 2, text).toBe(1);
      }
    }
  });

  it('leads from every code to a command, or to something that is done by hand', () => {
    const handless = ENTRIES.filter(({ exits }) => !exits.some((exit) => exit.includes('`')));
    // These three are about the command itself that the reader has just typed.
    expect(handless.map(({ code }) => code)).toEqual([
      'confirm.declined',
      'confirm.nobody',
      'vfleet.unwritable',
    ]);
  });

  it('names only commands and options that exist', () => {
    const program = createProgram(() => Promise.resolve(), '0');
    const wrong = COMMANDS.filter(({ words: [name, ...rest] }) => {
      if (name === undefined) return false;
      const command = program.commands.find((known) => known.name() === name);
      const options = rest.filter((word) => word.startsWith('-'));
      return (
        command === undefined ||
        options.some(
          (flag) => !command.options.some(({ short, long }) => flag === short || flag === long),
        )
      );
    });
    expect(wrong).toEqual([]);
    expect(COMMANDS.length).toBeGreaterThan(100);
  });

  it('names in its texts only codes that it has', () => {
    const named = ENTRIES.flatMap((entry) =>
      textsOf(entry).flatMap((text) =>
        [...text.matchAll(/`(?:vfleet explain )?([a-z]+\.[a-z-]+)`/g)].map(([, code]) => code!),
      ),
    );
    expect(named.filter((code) => !(CODES as ReadonlyMap<string, unknown>).has(code))).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
  });

  it('is what docs/codes.md shows', async () => {
    await expect(page()).toMatchFileSnapshot('../../docs/codes.md');
  });
});
