import { WorkflowNotFoundError } from '@temporalio/client';
import { compact } from '../../domain/compact.ts';
import type { HostConnection } from '../../domain/host-entry.ts';
import { hostWorkflowId } from '../../domain/ids.ts';
import type { HostStatus, RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import { hostStatusQuery } from '../../../workflows/messages.ts';
import type { CommandContext } from '../context.ts';
import { DEADLINES, withEngine, type Engine } from '../engine.ts';
import { lookAtHost } from '../look-at-host.ts';
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
    const width = context.width();
    const view = await readHostView(engine, status, row, width);
    const connection = view?.connection ?? (await connectionOf(engine, status, row));
    const look = connection === undefined ? undefined : await lookAtHost(connection, context.log);
    context.data({ ...row, ...compact({ run: view?.status, connection, look }) });
    context.print(
      view === undefined
        ? renderHostRow(
            { row, rollout: status, now: new Date(), width, ...compact({ look }) },
            context.style,
          )
        : renderHost({ ...view, ...compact({ look }) }, context.style),
    );
    return row.state === 'held' ? 'waiting' : 'done';
  });
}

function rowOf(status: RolloutStatus, hostName: string): RolloutHostStatus {
  const row = status.hosts.find((one) => one.name === hostName);
  if (row !== undefined) return row;
  throw noSuchHost(status, hostName, { verb: 'host', hosts: [hostName] });
}

/** The host's own run, when it belongs to this rollout; `undefined` when there is none, or another rollout's. */
export async function readHostView(
  engine: Engine,
  rollout: RolloutStatus,
  row: RolloutHostStatus,
  width = 110,
): Promise<HostView | undefined> {
  const status = await readHostStatus(engine, row.name);
  if (status?.rollout !== rollout.id) return undefined;
  const connection = await connectionOf(engine, rollout, row);
  return {
    status,
    rolloutName: shortName(rollout),
    now: new Date(),
    width,
    rollout,
    row,
    ...compact({ connection }),
  };
}

/** How the rollout's workers reach a host, as it was started with it. */
async function connectionOf(
  engine: Engine,
  rollout: RolloutStatus,
  row: RolloutHostStatus,
): Promise<HostConnection | undefined> {
  const { hosts } = await readStartInput(engine, rollout.id);
  return hosts.find((one) => one.connection.name === row.name)?.connection;
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
