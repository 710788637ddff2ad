import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { LoadedInventory } from './host-entries.ts';
import { parseInventory } from './load-inventory.ts';
import { readListOutput } from './ansible-json.ts';
import { wholeFile } from './whole-file.ts';

/** Clouds that answer page by page take a minute; a program that asks for a password would wait forever. */
const DEADLINE_MS = 120_000;
/** 10,000 hosts with fifty variables each are about half of it. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const STDERR_LINES_MAX = 20;

/** What ends the program before it ends by itself. */
export interface CommandLimits {
  readonly deadlineMs?: number;
  /** Aborted when vfleet itself is stopped. */
  readonly signal?: AbortSignal;
}

/**
 * Loads the inventory that a program prints as `ansible-inventory --list` does. It is run as it is written, without a
 * shell, in `folder`, with a deadline and bounded output, and nothing on its stdin; what it started is ended with it.
 * Never throws: a program that cannot be run, fails, is stopped, prints too much or something else is a problem, with
 * the end of what it said on stderr.
 */
export async function loadInventoryFromCommand(
  command: readonly [string, ...string[]],
  folder: string,
  limits: CommandLimits = {},
): Promise<LoadedInventory> {
  const name = `output of ${command[0]}`;
  const ran = await run(command, folder, limits).catch((error: unknown) => failedToStart(error));
  const failure = ran.failure === undefined ? undefined : failureOf(ran.failure, command);
  const message =
    failure ?? (readListOutput(ran.stdout) === undefined ? notListed(ran.stdout) : undefined);
  if (message === undefined) return parseInventory(ran.stdout, name);
  return { ok: false, problems: [wholeFile(name, `${message}${lastLines(ran.stderr)}`)] };
}

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  /** Why it did not end well, to stand behind its name. */
  readonly failure?: string;
}

const failedToStart = (error: unknown): Ran => ({
  stdout: '',
  stderr: '',
  failure: `failed: ${String(error instanceof Error && 'code' in error ? error.code : error)}`,
});

/** Runs it as a process group of its own, so that what it started can be ended with it. Rejects when it cannot be started. */
function run(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  { deadlineMs = DEADLINE_MS, signal }: CommandLimits,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stopped: string | undefined;
    const stop = (why: string): void => {
      stopped ??= why;
      killGroup(child.pid);
      // One that left the group may hold them open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const tooMuch = (): void => {
      stop(`printed more than ${OUTPUT_BYTES_MAX / 1024 / 1024} MiB`);
    };
    const stdout = collected(child.stdout, tooMuch);
    const stderr = collected(child.stderr, tooMuch);
    const timer = setTimeout(() => {
      stop(`did not end within ${deadlineMs / 1000} s`);
    }, deadlineMs);
    const onAbort = (): void => {
      stop('was stopped');
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (code, killedBy) => {
      settle();
      const failure = stopped ?? endFailure(code, killedBy);
      resolve({
        stdout: stdout(),
        stderr: stderr(),
        ...(failure === undefined ? {} : { failure }),
      });
    });
  });
}

/** Ends a process and all that it started, unless they left its group. */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All of the group have ended already.
  }
}

/** Collects what a program prints; `tooMuch` is called when it is more than may be kept. */
function collected(stream: Readable, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > OUTPUT_BYTES_MAX) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

function endFailure(code: number | null, killedBy: string | null): string | undefined {
  if (code === 0) return undefined;
  return code === null ? `failed: ${String(killedBy)}` : `ended with exit code ${code}`;
}

function failureOf(failure: string, command: readonly string[]): string {
  if (failure === 'failed: ENOENT') {
    return `there is no program ${command[0] ?? ''}, or no folder to run it in`;
  }
  return `"${command.join(' ')}" ${failure}`;
}

function notListed(stdout: string): string {
  const start = stdout.trim().slice(0, 60);
  const found = start === '' ? 'nothing' : `"${start}..."`;
  return `is no JSON with _meta, as ansible-inventory --list prints it, but ${found}`;
}

function lastLines(stderr: string): string {
  const lines = stderr.trim().split('\n').slice(-STDERR_LINES_MAX);
  return lines[0] === '' ? '' : `; it said:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
