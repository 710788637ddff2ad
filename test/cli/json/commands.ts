import { expect } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { runCliHere, type CliResult } from '../run-cli.ts';
import { publishedCheck } from './published-schemas.ts';

/** Names of the commands that have `--json`: all that print anything at all. */
export function commandsWithJson(): readonly string[] {
  return createProgram(() => Promise.resolve(), '0')
    .commands.filter(({ options }) => options.some(({ long }) => long === '--json'))
    .map((command) => command.name())
    .sort();
}

/** Commands run with `--json`, each held to its published schema; keeps count of which have been seen. */
export interface JsonCommands {
  /** Commands that printed a document by their schema. */
  readonly told: ReadonlySet<string>;
  /** Commands that printed an error by the schema of errors. */
  readonly failed: ReadonlySet<string>;
  /** Runs a command; all of its stdout is one document, which comes back. */
  readonly document: <T>(code: number, ...args: readonly [string, ...string[]]) => Promise<T>;
  /** Runs a command that cannot do what is asked; all of its stdout is the error. What people read is in `stderr`. */
  readonly error: (code: number, ...args: readonly [string, ...string[]]) => Promise<CliResult>;
  /** All of stdout of a command that prints lines; each is a document of its own. */
  readonly lines: (command: string, stdout: string) => readonly unknown[];
}

/** `command` names the schema; a bare `vfleet --json` is a list. */
export function createJsonCommands(stateHome: () => string): JsonCommands {
  const [told, failed] = [new Set<string>(), new Set<string>()];
  const run = async (code: number, args: readonly string[]): Promise<CliResult> => {
    const words = args.filter((word) => word !== '');
    const result = await runCliHere([...words, '--json'], { stateHome: stateHome() });
    expect({ args, ...result }).toMatchObject({ code });
    return result;
  };
  return {
    told,
    failed,
    document: async <T>(code: number, ...args: readonly [string, ...string[]]) => {
      const value = JSON.parse((await run(code, args)).stdout) as unknown;
      const command = args[0] === '' ? 'list' : args[0];
      expect({ args, breaks: publishedCheck(command)(value) }).toEqual({ args, breaks: [] });
      told.add(command);
      // The schema that it has just passed is made from the type that the caller names.
      return value as T;
    },
    error: async (code, ...args) => {
      const result = await run(code, args);
      const breaks = publishedCheck('error')(JSON.parse(result.stdout));
      expect({ args, breaks }).toEqual({ args, breaks: [] });
      failed.add(args[0]);
      return result;
    },
    lines: (command, stdout) => {
      const check = publishedCheck(command);
      expect(stdout).toMatch(/\n$/);
      const values = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect({ command, breaks: values.flatMap(check) }).toEqual({ command, breaks: [] });
      told.add(command);
      return values;
    },
  };
}
