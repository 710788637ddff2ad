import { WorkflowNotFoundError } from '@temporalio/client';
import { ownWritten, readOwnState, type OwnState } from '../../../activities/steps/own-state.ts';
import { releaseHost } from '../../../activities/steps/release.ts';
import type { Lease } from '../../domain/facts.ts';
import { hostWorkflowId, parseRolloutId, rolloutId, rolloutWorkflowId } from '../../domain/ids.ts';
import { plainLines } from '../../domain/plain-line.ts';
import { shellWord } from '../../domain/shell-word.ts';
import { shortText } from '../../domain/short-text.ts';
import { holderSentence } from '../../facts/lease.ts';
import { parseLease } from '../../facts/parse-facts.ts';
import { lastStandingRun } from '../../facts/record.ts';
import type { CommandContext } from '../context.ts';
import { DEADLINES, withEngine, type Engine } from '../engine.ts';
import { connectionOf, hostNamed } from '../inputs.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { changeWords } from '../render/change-words.ts';
import { columns } from '../render/style.ts';
import { withHosts } from '../with-hosts.ts';

/** Longest reason that is kept on the host, in characters. */
const REASON_LENGTH_MAX = 400;

/** Longest rollout id that an engine is asked for, in characters; Temporal refuses ids of more than 1000. */
const ID_LENGTH_MAX = 900;

/**
 * Takes a host from a rollout that will not give it up any more: its engine is lost, or its run was ended from outside.
 * Shows whose lease it is, asks, and refuses while that rollout still runs the host in the engine that is reachable.
 */
export async function release(
  context: CommandContext,
  host: string,
  options: { readonly inventory: string; readonly reason: string; readonly yes?: boolean },
): Promise<Outcome> {
  const connection = connectionOf(await hostNamed(options.inventory, host));
  return withHosts(context, async (hosts): Promise<Outcome> => {
    const port = hosts.host(connection);
    const own = await readOwnState(port);
    if (own.lease === undefined) {
      context.data({ host, released: false });
      context.print(`No rollout holds ${host}: there is nothing to release.`);
      return 'done';
    }
    const lease = plainLines(parseLease(own.lease));
    const engine = await askEngine(context, host, lease);
    context.print(shown(host, own, lease, engine));
    await context.confirm(`Release ${host} from ${lease.rollout}?`, { yes: options.yes === true });
    const who = context.config.who;
    const reason = shortText(options.reason, REASON_LENGTH_MAX);
    const written = await releaseHost(port, {
      own: { ...own, lease: own.lease },
      released: { who, at: new Date().toISOString(), reason },
    });
    const { problem, told } = ownWritten(own, written);
    if (problem?.kind === 'hold') {
      const again = `see what is there now: vfleet facts ${host} -i ${options.inventory}`;
      throw new CliError('failed', problem.sentence, again, { code: 'release.not-written' });
    }
    if (told['motd'] !== undefined) context.note(`warning message of the day: ${told['motd']}`);
    context.data({ host, released: true, lease, who, reason });
    context.print(
      `${context.style.good(`${host} is released`)} from ${lease.rollout}; its record keeps who did it and why.`,
    );
    return 'done';
  });
}

/** What a person has to know before the answer. */
function shown(host: string, own: OwnState, lease: Lease, engine: string): string {
  const changes = (own.record && lastStandingRun(own.record)?.changes) ?? [];
  const words = changes.length === 0 ? ['no change of vfleet'] : changes.map(changeWords);
  return columns([
    ['HOST', `${host}: ${holderSentence(lease)}`],
    ['ENGINE', engine],
    ...words.map((text, at) => [at === 0 ? 'STAYS' : '', text]),
    ['GOES', 'the lease and the message of the day; no change of the host, no reboot'],
  ]).join('\n');
}

/** Whether the reachable engine runs it still, in a sentence. Throws a CliError `refused` when it does. */
async function askEngine(context: CommandContext, host: string, lease: Lease): Promise<string> {
  try {
    return await withEngine(context, (engine) => refuseIfRunning(engine, host, lease));
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'engine.none') throw error;
    return `none is reachable from here, so nobody could say whether ${lease.rollout} still runs`;
  }
}

/**
 * What the engine runs of the lease's rollout, in a sentence. Throws a CliError `refused` while that runs the host, or is
 * open at all: it may know the machine by another name, under which this inventory cannot ask for it.
 */
export async function refuseIfRunning(engine: Engine, host: string, lease: Lease): Promise<string> {
  const { rollout } = lease;
  const run = await describe(engine, hostWorkflowId(host));
  if (run?.status.name === 'RUNNING' && run.memo?.['rollout'] === rollout) {
    throw new CliError(
      'refused',
      `${rollout} still runs ${host} in engine ${engine.address}: it gives the host up by its own verbs.`,
      `vfleet host ${rollout} ${host} shows them; to leave the host as it is: vfleet skip ${rollout} ${host} --reason TEXT`,
      { code: 'release.running' },
    );
  }
  // Root of a host can write there what it likes; what is no id names no rollout.
  const id = rollout.length <= ID_LENGTH_MAX ? parseRolloutId(rollout) : undefined;
  const open = id && (await describe(engine, rolloutWorkflowId(rollout)));
  if (id !== undefined && open?.status.name === 'RUNNING') {
    const word = rolloutId(shellWord(id.name), id.number);
    throw new CliError(
      'refused',
      `${rollout}, which holds ${host} (engine ${lease.engine}), is open in engine ${engine.address}, and may run it under another name.`,
      `vfleet status ${word} shows its hosts; leave this one as it is: vfleet skip ${word} HOST --reason TEXT; or end it all: vfleet abort ${word}`,
      { code: 'release.running' },
    );
  }
  return `${engine.address} runs nothing of ${rollout} on ${host}, and it is not open there`;
}

/** What the engine says of a workflow; `undefined` when it has none of this id. */
async function describe(engine: Engine, id: string) {
  try {
    return await engine.within(DEADLINES.listMs, () =>
      engine.client.workflow.getHandle(id).describe(),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
