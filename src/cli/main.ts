import { runCommandLine } from './command-line.ts';
import { CliError, EXIT_CODES } from './outcome.ts';

/** How long handles that a library left open may keep the process after its work is done, in milliseconds. */
const LINGER_MS = 1000;

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

const outcome = await runCommandLine(process.argv.slice(2), abortedBySignals);
process.exitCode = EXIT_CODES[outcome];
setTimeout(() => process.exit(), LINGER_MS).unref();
