import { CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { compact } from '../domain/compact.ts';
import type { ErrorOutput } from './json/outputs.ts';
import { CliError, sentenceOf, type Outcome } from './outcome.ts';
import { createProgram } from './program.ts';
import { checkCommand } from './wrong-command.ts';
import { terminalJson, terminalText } from './terminal-text.ts';

/**
 * Runs one command line, prints what it has to say and returns how it ended. `createSignal` is asked only when a command
 * is about to do its work.
 */
export async function runCommandLine(
  argv: readonly string[],
  createSignal: () => AbortSignal,
): Promise<Outcome> {
  const json = argv.includes('--json');
  let outcome: Outcome = 'done';
  const program = createProgram(async (options, work) => {
    const { createContext } = await import('./context.ts');
    const { readConfig } = await import('./config.ts');
    const context = createContext({
      config: readConfig(),
      json: options.json === true,
      signal: createSignal(),
    });
    outcome = await work(context);
  }, version());
  // Bare `vfleet` says what needs a person.
  const bare = argv.every((word) => word === '--json');
  try {
    checkCommand(program, argv);
    await program.parseAsync(bare ? ['list', '--attention', ...argv] : [...argv], { from: 'user' });
    return outcome;
  } catch (error) {
    return await report(error, json);
  }
}

/** Says what went wrong and what to do next: on stderr for people, and as JSON on stdout under --json. */
async function report(error: unknown, json: boolean): Promise<Outcome> {
  // How the parser ends --help and --version.
  if (error instanceof CommanderError && error.exitCode === 0) return 'done';
  const { explainError } = await import('./explain-error.ts');
  const known = error instanceof CliError ? error : explainError(error);
  const { localTimes } = await import('./render/time.ts');
  const message = localTimes(known.message, new Date());
  process.stderr.write(`vfleet: ${terminalText(message)}\n`);
  if (known.next !== '') process.stderr.write(`  next: ${terminalText(known.next)}\n`);
  if (known.code !== undefined) process.stderr.write(`  more: vfleet explain ${known.code}\n`);
  if (process.env['VFLEET_LOG'] === 'debug')
    process.stderr.write(`${terminalText(stackOf(error))}\n`);
  if (json) writeJsonError(known);
  return known.outcome;
}

function writeJsonError({ outcome, message, next, code }: CliError): void {
  const output: ErrorOutput = { error: compact({ outcome, message, next, code }) };
  process.stdout.write(`${terminalJson(JSON.stringify(output))}\n`);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : sentenceOf(error);
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
