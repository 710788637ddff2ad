import { WorkflowNotFoundError } from '@temporalio/client';
import { compact } from '../../domain/compact.ts';
import { hostWorkflowId } from '../../domain/ids.ts';
import type { HostStatus, RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import { hostStatusQuery } from '../../../workflows/messages.ts';
import type { CommandContext } from '../context.ts';
import { DEADLINES, withEngine, type Engine } from '../engine.ts';
import { noSuchHost } from '../no-such-host.ts';
import type { Outcome } from '../outcome.ts';
import { renderHost, type HostView } from '../render/host.ts';
import { renderHostRow } from '../render/host-row.ts';
import { shortName } from '../render/status.ts';
import { resolveRollout } from '../resolve-rollout.ts';
import { askWorker, readStatus } from '../rollouts.ts';
import { readStartInput } from '../start-rollout.ts';

/** Shows one host of a rollout: why it waits, what was changed, every way out. */
export async function host(
  context: CommandContext,
  name: string,
  hostName: string,
): Promise<Outcome> {
  return withEngine(context, async (engine) => {
    const id = await resolveRollout(engine, name, { verb: 'host', others: [hostName] });
    const { status } = await readStatus(engine, id);
    const row = rowOf(status, hostName);
    const view = await readHostView(engine, status, row);
    context.data(
      view === undefined
        ? row
        : { ...row, ...compact({ run: view.status, connection: view.connection }) },
    );
    context.print(
      view === undefined
        ? renderHostRow(row, status, new Date(), context.style)
        : renderHost(view, context.style),
    );
    return row.state === 'held' ? 'waiting' : 'done';
  });
}

function rowOf(status: RolloutStatus, hostName: string): RolloutHostStatus {
  const row = status.hosts.find((one) => one.name === hostName);
  if (row !== undefined) return row;
  throw noSuchHost(status, hostName);
}

/** The host's own run, when it belongs to this rollout; `undefined` when there is none, or another rollout's. */
export async function readHostView(
  engine: Engine,
  status: RolloutStatus,
  row: RolloutHostStatus,
): Promise<HostView | undefined> {
  const run = await readHostStatus(engine, row.name);
  if (run?.rollout !== status.id) return undefined;
  const input = await readStartInput(engine, status.id);
  const connection = input.hosts.find((one) => one.connection.name === row.name)?.connection;
  const wave = row.wave === undefined ? undefined : status.waves[row.wave]?.name;
  return {
    status: run,
    rolloutName: shortName(status),
    now: new Date(),
    kind: row.kind,
    ...(connection === undefined ? {} : { connection }),
    ...(wave === undefined ? {} : { wave }),
  };
}

/** A host's own run as it stands; `undefined` when this engine has none. */
export async function readHostStatus(
  engine: Engine,
  name: string,
): Promise<HostStatus | undefined> {
  const handle = engine.client.workflow.getHandle(hostWorkflowId(name));
  try {
    const info = await engine.within(DEADLINES.listMs, () => handle.describe());
    return await askWorker(engine, info, () => handle.query(hostStatusQuery));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
