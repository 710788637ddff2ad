import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Code } from '../../src/domain/codes.ts';
import type { Hook } from '../../src/domain/spec.ts';
import type { Guard, HostPort, RunOutcome } from '../../src/host/port.ts';
import { OUTPUT_BYTES_MAX } from '../../src/host/port.ts';
import { ok, runProblem, tail } from './outcomes.ts';

/** How long a hook that is told to stop may take for it, in milliseconds; then it is killed. */
export const KILL_AFTER_MS = 5_000;

export type HookPhase = 'drain' | 'undrain' | 'health';

const FAILURE_CODES: Readonly<Record<HookPhase, Code>> = {
  drain: 'drain.hook-failed',
  undrain: 'undrain.hook-failed',
  health: 'health.failed',
};

/** What a hook on the worker gets in its environment beside PATH: which host, and for which rollout. */
export interface HookContext {
  readonly phase: HookPhase;
  readonly host: string;
  readonly address: string;
  readonly rollout: string;
  /** The worker's hooks folder; a hook is the name of a file in it. */
  readonly folder: string;
}

/** Runs the operator's hook; anything but exit 0 is a hold with its output. Hooks must be safe to run twice. */
export async function runHook(
  port: HostPort,
  call: {
    readonly hook: Hook;
    readonly guard: Guard;
    readonly context: HookContext;
    readonly signal?: AbortSignal;
  },
): Promise<StepOutcome> {
  const { hook, guard, context, signal } = call;
  const outcome =
    hook.on === 'host'
      ? await port.run({ guard, argv: hook.run, deadlineMs: hook.timeoutMs })
      : await runOnWorker(hook, context, signal);
  const name = `the ${context.phase} hook ${hook.run[0]} on the ${hook.on}`;
  return (
    runProblem(FAILURE_CODES[context.phase], name, outcome) ??
    ok({ [context.phase]: 'exit 0', output: tail(outcome.stdout) })
  );
}

/** A hook's own environment: no credentials of the worker reach it (law 10). */
function environment(context: HookContext): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    VFLEET_HOST: context.host,
    VFLEET_ADDRESS: context.address,
    VFLEET_ROLLOUT: context.rollout,
    VFLEET_PHASE: context.phase,
  };
}

async function runOnWorker(
  hook: Hook,
  context: HookContext,
  signal: AbortSignal | undefined,
): Promise<RunOutcome> {
  const [file, ...args] = hook.run;
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(file)) return notFound(`"${file}" is not a plain name`);
  const limit = AbortSignal.timeout(hook.timeoutMs);
  const stop = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  // A process group of its own: what the hook started ends with it, or a second attempt would run beside the first.
  const child = spawn(join(context.folder, file), args, {
    env: environment(context),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const killed = stopGroup(child, stop);
  try {
    return await new Promise((resolve) => {
      child.on('error', (error: NodeJS.ErrnoException) => {
        const missing = error.code === 'ENOENT';
        resolve(notFound(missing ? `no ${file} in the worker's hooks folder` : error.message));
      });
      child.on('close', (code) => {
        const kind = limit.aborted ? 'timed-out' : 'exited';
        resolve({ kind, code: code ?? 255, stdout: stdout(), stderr: stderr() });
      });
    });
  } finally {
    killed.dispose();
  }
}

/** On `stop` ends the child's whole group: TERM first, KILL for what is left after a grace. */
function stopGroup(child: ChildProcess, stop: AbortSignal): { readonly dispose: () => void } {
  const kill = (signal: NodeJS.Signals): void => {
    try {
      // A negative pid means the group; without a pid nothing was started.
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group has ended meanwhile.
    }
  };
  let patience: NodeJS.Timeout | undefined;
  const end = (): void => {
    kill('SIGTERM');
    patience = setTimeout(() => {
      kill('SIGKILL');
    }, KILL_AFTER_MS);
  };
  stop.addEventListener('abort', end, { once: true });
  return {
    dispose: () => {
      stop.removeEventListener('abort', end);
      clearTimeout(patience);
    },
  };
}

const notFound = (stderr: string): RunOutcome => ({
  kind: 'not-found',
  code: 127,
  stdout: '',
  stderr,
});

/** Keeps the last bytes of a stream; returns what gives them as text. */
function collect(stream: NodeJS.ReadableStream): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-OUTPUT_BYTES_MAX);
  });
  return () => kept.toString('utf8');
}
