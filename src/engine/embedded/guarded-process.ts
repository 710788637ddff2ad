import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const GUARDIAN = fileURLToPath(new URL('guardian.sh', import.meta.url));
const LINES_KEPT = 40;

/** A program that cannot outlive this process. */
export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when it has ended, with its exit code, or the signal's name when a signal ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Its last lines of output (both streams, at most 40), for error messages. */
  readonly lastLines: () => readonly string[];
  /** Resolves with the first line that matches; never rejects, so race it with `ended`. */
  readonly line: (pattern: RegExp) => Promise<string>;
  /** Ends it (TERM, then KILL after `graceMs`) and resolves when it is gone. Safe twice. */
  readonly stop: (graceMs?: number) => Promise<void>;
}

/**
 * Starts `command` so that it ends when this process ends, however that happens (guardian.sh), and in its own
 * session, so that a Ctrl-C at the terminal reaches us first. Each output line is given to `onLine`.
 * Throws when the shell cannot be started.
 */
export async function startGuarded(
  command: readonly [string, ...string[]],
  onLine: (line: string) => void = () => undefined,
): Promise<GuardedProcess> {
  const child = spawn('/bin/sh', [GUARDIAN, ...command], { detached: true });
  const kept: string[] = [];
  const seers = new Set<(line: string) => void>([onLine]);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (kept.push(line) > LINES_KEPT) kept.shift();
      for (const see of seers) see(line);
    });
  }
  // The guardian's end may go away first; what we never write cannot be lost.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    // `close` comes after `exit` and after the last line of output.
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });
  await once(child, 'spawn');
  const pid = child.pid;
  if (pid === undefined) throw new Error(`no process id for ${command[0]}`);
  return {
    pid,
    ended,
    lastLines: () => [...kept],
    line: (pattern) => firstLine(pattern, kept, seers),
    stop: async (graceMs = 10_000) => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(late);
    },
  };
}

function firstLine(
  pattern: RegExp,
  kept: readonly string[],
  seers: Set<(line: string) => void>,
): Promise<string> {
  const already = kept.find((line) => pattern.test(line));
  if (already !== undefined) return Promise.resolve(already);
  return new Promise((resolve) => {
    const see = (line: string): void => {
      if (!pattern.test(line)) return;
      seers.delete(see);
      resolve(line);
    };
    seers.add(see);
  });
}
