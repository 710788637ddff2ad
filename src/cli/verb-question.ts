import { HOST_STATE_TABLE } from '../domain/host-states.ts';
import type { HostSelection, RolloutHostStatus, RolloutStatus } from '../domain/status.ts';
import type { VerbName, VerbOptions } from './commands/verb.ts';
import { CliError } from './outcome.ts';
import { count } from './render/plan.ts';

/**
 * The hosts that a selection means now, for the question before a verb; the engine decides by itself again when the
 * verb arrives. Throws a CliError for a host that is not in the rollout.
 */
export function affectedHosts(
  status: RolloutStatus,
  verb: VerbName,
  selection: HostSelection | undefined,
): readonly RolloutHostStatus[] {
  if (selection === undefined) return [];
  if ('names' in selection) {
    return selection.names.map((name) => {
      const host = status.hosts.find((one) => one.name === name);
      if (host !== undefined) return host;
      throw new CliError(
        'usage',
        `${status.id} has no host "${name}".`,
        `vfleet status ${status.id} --json lists its hosts`,
      );
    });
  }
  const hosts = status.hosts.filter((host) => isMeant(host, selection.all) && takes(host, verb));
  if (hosts.length > 0) return hosts;
  throw new CliError(
    'refused',
    `No host of ${status.id} is meant by this: none to ${verb}.`,
    `vfleet status ${status.id}`,
    { code: 'verb.no-host' },
  );
}

/** Whether a host in its state takes the verb at all: asked for many, the others are left out. */
function takes(host: RolloutHostStatus, verb: VerbName): boolean {
  const exits: readonly VerbName[] = HOST_STATE_TABLE[host.state].exits;
  return exits.includes(verb);
}

function isMeant(
  host: RolloutHostStatus,
  all: Extract<HostSelection, { all: string }>['all'],
): boolean {
  switch (all) {
    case 'held':
    case 'done':
      return host.state === all;
    case 'failed':
      return HOST_STATE_TABLE[host.state].failed && HOST_STATE_TABLE[host.state].final;
    case 'not-started':
      return host.state === 'queued';
    case 'hosts':
      return true;
  }
}

/** What the verb will do, as a question. */
export function questionFor(
  verb: VerbName,
  rollout: string,
  hosts: readonly RolloutHostStatus[],
  options: VerbOptions,
): string {
  const named =
    hosts.length <= 6
      ? hosts.map((host) => host.name).join(' ')
      : `${count(hosts.length, 'host')} (${hosts
          .slice(0, 4)
          .map((host) => host.name)
          .join(' ')} ...)`;
  switch (verb) {
    case 'pause':
    case 'resume':
      return `${verb} ${rollout}?`;
    case 'promote':
      return `Let the next wave of ${rollout} begin?`;
    case 'abort':
      return options.rollback === true
        ? `End ${rollout} and take every changed host back? Each reboots once.`
        : `End ${rollout}? Changed hosts stay changed, held hosts stay as they are; nothing re-applies the spec.`;
    case 'retry':
      return `Try ${named} again, from the step that failed? A host may reboot.`;
    case 'skip':
      return `Leave ${named} as now, and count as failed?`;
    case 'rollback':
      return `Take ${named} back to what it was? A host that runs the new line reboots once.`;
  }
}
