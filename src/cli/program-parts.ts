import { InvalidArgumentError, type Command as Commander } from 'commander';
import type { CommandContext } from './context.ts';
import type { Outcome } from './outcome.ts';

/** Runs a command's work in its context; main.ts gives it. */
export type Run = (
  options: { readonly json?: boolean },
  work: (context: CommandContext) => Promise<Outcome>,
) => Promise<void>;

/** A subcommand with `--json` and its examples at the end of its help. */
export function subcommand(
  program: Commander,
  usage: string,
  description: string,
  examples: readonly string[],
): Commander {
  const lines = examples.map((example) => `  $ vfleet ${example}`);
  return program
    .command(usage)
    .description(description)
    .option('--json', 'JSON on stdout and nothing else there')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** A whole number of at least `least`, or a usage error. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || text.trim() === '') {
      throw new InvalidArgumentError(`write a whole number of at least ${least}.`);
    }
    return value;
  };
}
