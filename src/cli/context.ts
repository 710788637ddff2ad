import { isatty } from 'node:tty';
import { createInterface } from 'node:readline/promises';
import pino, { type Logger } from 'pino';
import type { CliConfig } from './config.ts';
import type { Output } from './json/outputs.ts';
import { CliError } from './outcome.ts';
import { createStyle, type Style } from './render/style.ts';
import { terminalJson, terminalText } from './terminal-text.ts';

/** Everything a command may touch beside its own work. */
export interface CommandContext {
  readonly config: CliConfig;
  /** stdout holds JSON and nothing else. */
  readonly json: boolean;
  readonly style: Style;
  /** Whether a person sits at both ends: only then may a command ask, or redraw. */
  readonly interactive: boolean;
  /** Columns of the terminal, 110 when there is none. */
  readonly width: () => number;
  /** Text for people on stdout; nothing under --json. */
  readonly print: (text: string) => void;
  /** One JSON document on stdout, under --json only; `line` writes it as one NDJSON line. */
  readonly data: (value: Output, options?: { readonly line?: boolean }) => void;
  /** Progress for people on stderr, also under --json. */
  readonly note: (text: string) => void;
  /** Log on stderr. */
  readonly log: Logger;
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP: stop what was started and return. */
  readonly signal: AbortSignal;
  /** Asks a yes-or-no question; refuses with exit 5 when nobody is there to answer. */
  readonly confirm: (question: string, options: { readonly yes: boolean }) => Promise<void>;
  /** Asks for a line of text, which may be empty; only where `interactive`. */
  readonly ask: (question: string) => Promise<string>;
}

/** Builds the context of one invocation on the process's own streams. */
export function createContext(options: {
  readonly config: CliConfig;
  readonly json: boolean;
  readonly signal: AbortSignal;
}): CommandContext {
  const { config, json, signal } = options;
  const interactive = process.stdout.isTTY && process.stdin.isTTY && !json;
  const print = (text: string): void => {
    if (!json) process.stdout.write(`${terminalText(text)}\n`);
  };
  return {
    config,
    json,
    // Not `stdout.isTTY`, which is undefined in a pipe: picocolors then decides by itself, and colours for CI.
    style: createStyle(config.color && !json && isatty(1)),
    interactive,
    width: () => (process.stdout.isTTY ? process.stdout.columns : 110),
    print,
    data: (value, how) => {
      if (!json) return;
      const text = JSON.stringify(value, null, how?.line === true ? 0 : 2);
      process.stdout.write(`${terminalJson(text)}\n`);
    },
    note: (text) => {
      process.stderr.write(`${terminalText(text)}\n`);
    },
    log: createLog(config.logLevel),
    signal,
    confirm: (question, { yes }) => confirm(question, { yes, interactive, signal }),
    ask: (question) => ask(question, signal),
  };
}

/** JSON lines on stderr, which is often a terminal. */
function createLog(level: string): Logger {
  const stderr = pino.destination({ dest: 2, sync: true });
  return pino({ level, base: null }, { write: (line) => stderr.write(terminalJson(line)) });
}

async function confirm(
  question: string,
  options: { readonly yes: boolean; readonly interactive: boolean; readonly signal: AbortSignal },
): Promise<void> {
  if (options.yes) return;
  if (!options.interactive) {
    throw new CliError(
      'refused',
      `${question} Nobody is here to answer.`,
      'add --yes to go on without being asked',
      { code: 'confirm.nobody' },
    );
  }
  if (/^y(es)?$/i.test(await ask(`${question} [y/N]`, options.signal))) return;
  throw new CliError('refused', 'Nothing was done.', 'answer y, or add --yes', {
    code: 'confirm.declined',
  });
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${terminalText(question)} `, { signal })).trim();
  } finally {
    lines.close();
  }
}
