import { spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { ROOT } from './set-up.mjs';

const GUARDIAN = fileURLToPath(new URL('../src/engine/embedded/guardian.sh', import.meta.url));
const GRACE_MS = 10_000;
let running;
let stopping = false;

/**
 * Runs one program in the clone's root and resolves with its exit code; with `keep`, its output too, else that is shown as
 * it comes. The program is in a group of its own and ends with us (guardian.sh), also when we are killed.
 */
export function runToEnd(program, args, { keep = false } = {}) {
  const shown = keep ? 'pipe' : 'inherit';
  running = spawn('/bin/sh', [GUARDIAN, program, ...args], {
    cwd: ROOT,
    detached: true,
    stdio: ['pipe', shown, shown],
  });
  let output = '';
  running.stdout?.on('data', (chunk) => (output += chunk));
  running.stderr?.on('data', (chunk) => (output += chunk));
  running.stdin.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    running.once('error', reject);
    running.once('close', (code) => {
      if (!stopping) resolve({ code: code ?? 1, output });
    });
  });
}

/** At a signal, ends the running program with all it started, then this process as that signal would. */
export function stopOnSignals() {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      if (running === undefined || running.exitCode !== null) process.exit(code);
      running.once('close', () => process.exit(code));
      signalGroup('SIGTERM');
      setTimeout(() => {
        signalGroup('SIGKILL');
        process.exit(code);
      }, GRACE_MS);
    });
  }
}

function signalGroup(signal) {
  try {
    process.kill(-running.pid, signal);
  } catch {
    // Gone already.
  }
}
