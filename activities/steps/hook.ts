import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Hook } from '../../src/domain/spec.ts';
import type { Guard, HostPort, RunOutcome } from '../../src/host/port.ts';
import { OUTPUT_BYTES_MAX } from '../../src/host/port.ts';
import { ok, runProblem, tail } from './outcomes.ts';

export type HookPhase = 'drain' | 'undrain' | 'health';

const FAILURE_CODES: Readonly<Record<HookPhase, string>> = {
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
  const child = spawn(join(context.folder, file), args, {
    env: environment(context),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    killSignal: 'SIGTERM',
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(notFound(`no ${file} in the worker's hooks folder`));
      else if (error.name !== 'AbortError') resolve(notFound(error.message));
    });
    child.on('close', (code) => {
      const kind = limit.aborted ? 'timed-out' : 'exited';
      resolve({ kind, code: code ?? 255, stdout: stdout(), stderr: stderr() });
    });
  });
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
