import { execFile } from 'node:child_process';
import type { LoadedInventory } from './host-entries.ts';
import { parseInventory } from './load-inventory.ts';
import { readListOutput } from './ansible-json.ts';
import { wholeFile } from './whole-file.ts';

/** Clouds that answer page by page take a minute; a program that asks for a password would wait forever. */
const DEADLINE_MS = 120_000;
/** 10,000 hosts with fifty variables each are about half of it. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const STDERR_LINES_MAX = 20;

/**
 * Loads the inventory that a program prints as `ansible-inventory --list` does. It is run as it is written, without a
 * shell, in `folder`, with a deadline and bounded output, and nothing on its stdin. Never throws: a program that
 * cannot be run, fails, prints too much or something else is a problem, with the end of what it said on stderr.
 */
export async function loadInventoryFromCommand(
  command: readonly [string, ...string[]],
  folder: string,
  deadlineMs = DEADLINE_MS,
): Promise<LoadedInventory> {
  const name = `output of ${command[0]}`;
  const ran = await run(command, folder, deadlineMs);
  const message =
    ran.failure ?? (readListOutput(ran.stdout) === undefined ? notListed(ran.stdout) : undefined);
  if (message === undefined) return parseInventory(ran.stdout, name);
  return { ok: false, problems: [wholeFile(name, `${message}${lastLines(ran.stderr)}`)] };
}

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  /** Why it did not end well. */
  readonly failure?: string;
}

function run(command: readonly [string, ...string[]], cwd: string, timeout: number): Promise<Ran> {
  const [program, ...args] = command;
  const limits = { cwd, timeout, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const;
  return new Promise((resolve) => {
    const child = execFile(program, args, limits, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else resolve({ stdout, stderr, failure: failureOf(error, command, timeout) });
    });
    child.stdin?.end();
  });
}

type RunError = Parameters<NonNullable<Parameters<typeof execFile>[3]>>[0];

function failureOf(
  error: NonNullable<RunError>,
  command: readonly string[],
  timeout: number,
): string {
  const line = command.join(' ');
  if (error.code === 'ENOENT')
    return `there is no program ${line.split(' ')[0] ?? ''}, or no folder to run it in`;
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return `"${line}" printed more than ${OUTPUT_BYTES_MAX / 1024 / 1024} MiB`;
  }
  if (error.killed === true) return `"${line}" did not end within ${timeout / 1000} s`;
  if (typeof error.code === 'number') return `"${line}" ended with exit code ${error.code}`;
  return `"${line}" failed: ${String(error.signal ?? error.code)}`;
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
