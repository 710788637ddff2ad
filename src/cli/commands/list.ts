import type { CommandContext } from '../context.ts';
import { withEngine, type Engine } from '../engine.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { outcomeOf } from '../rollout-outcome.ts';
import { listRollouts, readStatus, type ListedRollout } from '../rollouts.ts';
import { renderList, type ListRow } from '../render/list.ts';

/** Lists rollouts, newest first; with `attention` only those in which something waits for a person. */
export async function list(
  context: CommandContext,
  options: { readonly attention?: boolean; readonly limit: number },
): Promise<Outcome> {
  return withEngine(context, async (engine) => {
    const attention = options.attention === true;
    const listed = await listRollouts(engine, { limit: options.limit, open: attention });
    const rows = await Promise.all(listed.map((rollout) => readRow(engine, rollout)));
    const shown = attention ? rows.filter(needsAttention) : rows;
    context.data(shown.map(({ rollout, ...row }) => ({ ...rollout, ...row })));
    context.print(renderList(shown, { now: new Date(), attention, style: context.style }));
    return attention && shown.length > 0 ? 'waiting' : 'done';
  });
}

function needsAttention(row: ListRow): boolean {
  if (row.status === undefined) return row.rollout.engineStatus === 'RUNNING';
  return outcomeOf(row.status) === 'waiting';
}

/** One that cannot be read is a row with the reason: the others are still worth showing. */
async function readRow(engine: Engine, rollout: ListedRollout): Promise<ListRow> {
  try {
    return { rollout, status: (await readStatus(engine, rollout.id)).status };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { rollout, problem: error.message };
  }
}
