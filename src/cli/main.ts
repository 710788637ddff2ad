import { CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { compact } from '../domain/compact.ts';
import type { ErrorOutput } from './json/outputs.ts';
import { EXIT_CODES, CliError, sentenceOf, type Outcome } from './outcome.ts';
import { createProgram } from './program.ts';
import { checkCommand } from './wrong-command.ts';
import { terminalJson, terminalText } from './terminal-text.ts';

/** How long handles that a library left open may keep the process after its work is done, in milliseconds. */
const LINGER_MS = 1000;

/** Runs one command line and returns how it ended; the only place that knows of the process. */
async function main(argv: readonly string[]): Promise<Outcome> {
  const json = argv.includes('--json');
  let outcome: Outcome = 'done';
  const program = createProgram(async (options, work) => {
    const { createContext } = await import('./context.ts');
    const { readConfig } = await import('./config.ts');
    const context = createContext({
      config: readConfig(),
      json: options.json === true,
      signal: abortedBySignals(),
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
  if (error instanceof CommanderError) {
    // Commander has written its own sentence, also for --help and --version, which are no errors.
    const outcome = error.exitCode === 0 ? 'done' : 'usage';
    if (json && outcome === 'usage')
      writeJsonError({ outcome, message: error.message, next: 'vfleet --help' });
    return outcome;
  }
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

function writeJsonError({
  outcome,
  message,
  next,
  code,
}: Pick<CliError, 'outcome' | 'message' | 'next'> & Partial<Pick<CliError, 'code'>>): void {
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

/** Aborts at the first signal; the second one ends the process at once. */
function abortedBySignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_CODES.failed);
      controller.abort(
        new CliError('failed', `Stopped by ${name}.`, '', { code: 'vfleet.stopped' }),
      );
    });
  }
  return controller.signal;
}

// A reader that went away (`vfleet list | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_CODES.done);
  throw error;
});

const outcome = await main(process.argv.slice(2));
process.exitCode = EXIT_CODES[outcome];
setTimeout(() => process.exit(), LINGER_MS).unref();
