import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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
  const env: NodeJS.ProcessEnv = { ...process.env, XDG_STATE_HOME: options.stateHome };
  for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_')) env[name] = undefined;
  return spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    cwd: ROOT,
    env: { ...env, ...options.env },
  });
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
