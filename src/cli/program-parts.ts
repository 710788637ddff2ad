import { InvalidArgumentError, type Command as Commander, type CommanderError } from 'commander';
import type { CommandContext } from './context.ts';
import { CliError, type Outcome } from './outcome.ts';

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
  const command = program
    .command(usage)
    .description(description)
    .option('--json', 'JSON on stdout and nothing else there')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
  return throwOwnErrors(command, examples[0]);
}

/** Makes a command throw a CliError for a wrong command line, with its name and an example, where the parser would write. */
export function throwOwnErrors(command: Commander, example?: string): Commander {
  return command.exitOverride((error: CommanderError) => {
    // --help and --version end like this too, and are no errors.
    if (error.exitCode === 0) throw error;
    const message = error.message.replace(/^error: /, '');
    if (example === undefined) {
      throw new CliError('usage', message, 'vfleet --help lists the commands', { cause: error });
    }
    const name = command.name();
    const [words] = example.split(/ {2,}/); // what follows a gap is said about it
    const next = `vfleet ${name} --help has more; e.g. vfleet ${words ?? example}`;
    throw new CliError('usage', `${name}: ${message}`, next, { cause: error });
  });
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
