import type { HostSelection, RolloutInput, RolloutStatus } from '../domain/status.ts';
import type { VerbOptions } from './commands/verb.ts';
import type { CommandContext } from './context.ts';
import type { Engine } from './engine.ts';
import { omit } from './omit.ts';
import { CliError, type Outcome } from './outcome.ts';
import { affectedHosts } from './verb-question.ts';
import { count } from './render/plan.ts';
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
  const { reason, yes } = options.options;
  const input = await readStartInput(engine, status.id);
  await checkStartable(engine, input.spec.name);
  const hosts = hostsToTakeBack(status, input, selection);
  await context.confirm(
    `Take ${count(hosts.length, 'host')} of ${status.id} back to what they were? Each that runs the new line reboots once.`,
    { yes: yes === true },
  );
  const id = await startRollout(engine, {
    ...omit(input, 'id', 'resume', 'planId', 'reason'),
    direction: 'rollback',
    who: context.config.who,
    ...(reason === undefined ? {} : { reason }),
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
  input: RolloutInput,
  selection: HostSelection,
): RolloutInput['hosts'] {
  const changed = affectedHosts(status, 'rollback', selection).filter(
    (host) => host.state === 'done' || host.state === 'skipped',
  );
  const names = new Set(changed.map((host) => host.name));
  if (names.size === 0) {
    throw new CliError(
      'refused',
      `${status.id} changed none of these hosts.`,
      `vfleet status ${status.id} shows what was done`,
      { code: 'rollback.nothing' },
    );
  }
  return input.hosts
    .filter((host) => names.has(host.connection.name))
    .map(({ connection, kind }) => ({ connection, kind, planned: 'changes' }));
}
