import { compact } from '../../domain/compact.ts';
import type { RolloutStatus } from '../../domain/status.ts';
import type { CommandContext } from '../context.ts';
import { withEngine, workersOf, type Engine } from '../engine.ts';
import { follow } from '../follow.ts';
import { createScreen } from '../live-screen.ts';
import { type Outcome } from '../outcome.ts';
import { outcomeOf } from '../rollout-outcome.ts';
import { resolveRollout } from '../resolve-rollout.ts';
import { readStatus } from '../rollouts.ts';
import { renderStatus } from '../render/status.ts';

/** Shows one rollout; with `watch` follows it to its end. Its outcome is the rollout's: 3 when something needs a person. */
export async function status(
  context: CommandContext,
  name: string,
  options: { readonly watch?: boolean },
): Promise<Outcome> {
  return withEngine(context, async (engine) => {
    const id = await resolveRollout(engine, name, { verb: 'status', others: [] });
    if (options.watch === true) return watch(context, engine, id);
    const read = await readStatus(engine, id);
    context.data(read.status);
    context.print(await textOf(context, engine, read.status, read.from));
    return outcomeOf(read.status);
  });
}

async function textOf(
  context: CommandContext,
  engine: Engine,
  read: RolloutStatus,
  from: 'query' | 'result',
): Promise<string> {
  // An ended rollout is read from its result: whether a worker is there says nothing about it.
  const workers = from === 'query' ? await workersOf(engine, engine.taskQueue) : undefined;
  return renderStatus(
    {
      status: read,
      now: new Date(),
      engine: engine.address,
      width: context.width(),
      ...compact({ workers: workers?.alive }),
    },
    context.style,
  );
}

/** Follows a rollout on the screen until it ends, or until Ctrl-C, which leaves the rollout alone. */
export async function watch(context: CommandContext, engine: Engine, id: string): Promise<Outcome> {
  const screen = createScreen(context);
  let last: RolloutStatus | undefined;
  try {
    const end = await follow({
      engine,
      id,
      signal: context.signal,
      onStatus: (now) => {
        last = now;
        screen.show(now);
      },
      onSilence: screen.silent,
    });
    screen.close();
    context.print(await textOf(context, engine, end, 'result'));
    return outcomeOf(end);
  } catch (error) {
    if (!context.signal.aborted) throw error;
    context.note(`No longer followed; ${id} goes on by itself.`);
    return last === undefined ? 'failed' : outcomeOf(last);
  } finally {
    screen.close();
  }
}
