import type {
  HostSelection,
  RolloutHostStatus,
  RolloutInput,
  RolloutStatus,
} from '../domain/status.ts';
import type { VerbOptions } from './commands/verb.ts';
import type { CommandContext } from './context.ts';
import type { Engine } from './engine.ts';
import { omit } from './omit.ts';
import { CliError, type Outcome } from './outcome.ts';
import { affectedHosts, asBefore, namesOf } from './verb-question.ts';
import { reasonFor } from './verb-reason.ts';
import { countReboots, rebootsText } from './verb-reboots.ts';
import { count } from './render/count.ts';
import { checkStartable, readStartInput, startRollout } from './start-rollout.ts';

/**
 * Takes hosts of a finished rollout back by a new rollout of the next number: what is undone is what each host's own
 * record says.
 */
export async function startRollback(options: {
  readonly context: CommandContext;
  readonly engine: Engine;
  readonly status: RolloutStatus;
  readonly selection: HostSelection;
  readonly options: VerbOptions;
}): Promise<Outcome> {
  const { context, engine, status, selection } = options;
  const { yes } = options.options;
  const input = await readStartInput(engine, status.id);
  await checkStartable(engine, input.spec.name);
  const carrying = hostsToTakeBack(status, selection);
  const hosts = plannedFor(input, carrying);
  const reboots = await countReboots(engine, status, 'rollback', carrying);
  await context.confirm(
    `Take ${namesOf(carrying)} of ${status.id} back to ${asBefore(carrying)}, as a rollout of its own: ${rebootsText(reboots)}?`,
    { yes: yes === true },
  );
  const reason = await reasonFor(context, 'rollback', options.options);
  const id = await startRollout(engine, {
    ...omit(input, 'id', 'resume', 'planId', 'reason'),
    direction: 'rollback',
    who: context.config.who,
    ...reason,
    hosts,
  });
  context.data({ rollout: id, hosts: hosts.length, direction: 'rollback', of: status.id });
  context.print(
    `${context.style.good(`${id} started`)}: takes ${count(hosts.length, 'host')} of ${status.id} back.   ` +
      `Follow it:   ${context.style.command(`vfleet status ${id} --watch`)}`,
  );
  return 'done';
}

/** Only hosts that carry changes of this rollout: those that are done, and those skipped in the middle. */
function hostsToTakeBack(
  status: RolloutStatus,
  selection: HostSelection,
): readonly RolloutHostStatus[] {
  const carrying = affectedHosts(status, 'rollback', selection).filter(
    (host) => host.state === 'done' || host.state === 'skipped',
  );
  if (carrying.length > 0) return carrying;
  throw new CliError(
    'refused',
    `${status.id} changed none of these hosts.`,
    `vfleet status ${status.id} shows what was done`,
    { code: 'rollback.nothing' },
  );
}

function plannedFor(
  input: RolloutInput,
  hosts: readonly RolloutHostStatus[],
): RolloutInput['hosts'] {
  const names = new Set(hosts.map((host) => host.name));
  return input.hosts
    .filter((host) => names.has(host.connection.name))
    .map(({ connection, kind }) => ({ connection, kind, planned: 'changes' }));
}
