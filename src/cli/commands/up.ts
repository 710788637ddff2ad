import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseInUse } from '../../engine/embedded/database-lock.ts';
import { resolveEngine } from '../../engine/connect.ts';
import { addressSetting } from '../../engine/temporal-profiles.ts';
import { readUpState, removeUpState, writeUpState } from '../../engine/up-state.ts';
import type { CommandContext } from '../context.ts';
import { startLocalEngine, type LocalEngine } from '../local-engine.ts';
import { CliError, type Outcome } from '../outcome.ts';

/** Runs an embedded engine and a worker until Ctrl-C; what is under way goes on at the next `up`. */
export async function up(
  context: CommandContext,
  options: { readonly hooks?: string },
): Promise<Outcome> {
  const { stateFolder } = context.config;
  await refuseSecond(stateFolder);
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const local = await startOn(context, options);
  try {
    await writeUpState(stateFolder, {
      address: local.server.address,
      namespace: local.server.namespace,
      pid: process.pid,
      since: new Date().toISOString(),
    });
    sayReady(context, local);
    await noteOtherEngine(context, local);
    return await untilStopped(context, local);
  } finally {
    await removeUpState(stateFolder, process.pid);
    await local.stop();
  }
}

async function refuseSecond(stateFolder: string): Promise<void> {
  const running = await readUpState(stateFolder);
  if (running === undefined) return;
  throw new CliError(
    'refused',
    `vfleet up is running already: process ${running.pid} at ${running.address} since ${running.since}.`,
    'use that one, or stop it first',
    { code: 'up.running' },
  );
}

async function startOn(
  context: CommandContext,
  options: { readonly hooks?: string },
): Promise<LocalEngine> {
  try {
    return await startLocalEngine(context, {
      dbFile: join(context.config.stateFolder, 'engine.db'),
      ...(options.hooks === undefined ? {} : { hooksFolder: resolve(options.hooks) }),
    });
  } catch (error) {
    if (!(error instanceof DatabaseInUse)) throw error;
    throw new CliError('refused', error.message, 'use that one, or stop it first', {
      code: 'up.running',
      cause: error,
    });
  }
}

function sayReady(context: CommandContext, { server }: LocalEngine): void {
  context.data(
    { ready: true, address: server.address, namespace: server.namespace, pid: process.pid },
    { line: true },
  );
  const { good, command } = context.style;
  context.print(
    `${good('ready')}   engine ${server.address}, one worker on ${context.config.taskQueue}; Ctrl-C stops both, rollouts go on at the next up\n` +
      `   in another terminal:   ${command('vfleet plan SPEC')}   ${command('vfleet list')}`,
  );
}

/** In a shell that names a Temporal server, the other commands never come here, which looks as if nothing had started. */
async function noteOtherEngine(context: CommandContext, { server }: LocalEngine): Promise<void> {
  const { address, source } = await resolveEngine();
  if (source !== 'temporal-config' || address === server.address) return;
  const { name, undo } = addressSetting();
  context.note(
    `note: ${name} names ${address}: with it vfleet list, start and the others go there, not here; ${undo} to use this engine`,
  );
}

async function untilStopped(context: CommandContext, local: LocalEngine): Promise<Outcome> {
  const stopped = context.signal.aborted
    ? Promise.resolve('stopped' as const)
    : once(context.signal, 'abort').then(() => 'stopped' as const);
  const why = await Promise.race([stopped, local.broken]);
  if (why === 'stopped') {
    context.note('stopping; steps under way come to their end first');
    return 'done';
  }
  throw new CliError('failed', `${why}.`, 'run vfleet up again; VFLEET_LOG=info shows more', {
    code: 'up.broken',
  });
}
