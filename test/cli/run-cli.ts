import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { EXIT_CODES } from '../../src/cli/outcome.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a command line did: its exit code and its streams. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Folder for XDG_STATE_HOME, so that a test never sees the user's own state. */
  readonly stateHome: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the CLI as a process of its own, as bin/vfleet does, with no terminal. */
export function startCli(
  args: readonly string[],
  options: CliOptions,
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...environment(options) },
  });
}

/** The user's own state and engine are none of a test's business. */
function environment({ stateHome, env }: CliOptions): NodeJS.ProcessEnv {
  const engines = Object.keys(process.env).filter((name) => name.startsWith('TEMPORAL_'));
  const none = Object.fromEntries(engines.map((name) => [name, undefined]));
  return { ...none, XDG_STATE_HOME: stateHome, ...env };
}

/**
 * Runs the CLI to its end in this process, which saves the second that a start takes; one at a time. All that it writes
 * to the process's streams is its output.
 */
export async function runCliHere(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const stdout = collected(process.stdout);
  const stderr = collected(process.stderr);
  for (const [name, value] of Object.entries(environment(options))) vi.stubEnv(name, value);
  try {
    const outcome = await runCommandLine(args, () => new AbortController().signal);
    return { code: EXIT_CODES[outcome], stdout: stdout.end(), stderr: stderr.end() };
  } finally {
    vi.unstubAllEnvs();
    stdout.end();
    stderr.end();
  }
}

/** Keeps from a stream's reader what is written to it, until the end. */
function collected(stream: NodeJS.WriteStream): { readonly end: () => string } {
  let text = '';
  const spy = vi.spyOn(stream, 'write').mockImplementation((part) => {
    text += String(part);
    return true;
  });
  return {
    end: () => {
      spy.mockRestore();
      return text;
    },
  };
}

/** Runs the CLI to its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return finished(startCli(args, options));
}

/** Collects a started CLI's output until it ends. */
export function finished(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdin.end();
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({
        code,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}
