import type { Command as Commander } from 'commander';
import { complete } from '../complete.ts';
import { readConfig } from '../config.ts';
import { readKnownNames } from '../known-names.ts';

/** Prints what may stand next: a word a line, a TAB and what it means; or `:path`, for which the shell knows better. */
export async function printCompletion(program: Commander, words: readonly string[]): Promise<void> {
  const found = complete(program, words, await readKnownNames(readConfig().stateFolder));
  const lines = found === 'path' ? [':path'] : found.map(({ word, about }) => `${word}\t${about}`);
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
}
