import { HOST_STATE_TABLE } from '../domain/host-states.ts';
import type { HostSelection, RolloutHostStatus, RolloutStatus } from '../domain/status.ts';
import type { VerbName, VerbOptions } from './commands/verb.ts';
import { noSuchHost } from './no-such-host.ts';
import { CliError } from './outcome.ts';
import { count } from './render/count.ts';
import { rebootsText, type Reboots } from './verb-reboots.ts';

/**
 * The hosts that a verb means now, for the question before it; the engine decides by itself again when the verb arrives.
 * Throws a CliError for a host that is not in the rollout.
 */
export function affectedHosts(
  status: RolloutStatus,
  verb: VerbName,
  selection: HostSelection | undefined,
  options: Pick<VerbOptions, 'rollback'> = {},
): readonly RolloutHostStatus[] {
  if (selection === undefined) return meantByRollout(status, verb, options);
  if ('names' in selection) {
    const typed = { verb, hosts: selection.names };
    return selection.names.map((name) => {
      const host = status.hosts.find((one) => one.name === name);
      if (host !== undefined) return host;
      throw noSuchHost(status, name, typed);
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

/** The hosts that a verb on the whole rollout sets in motion. */
function meantByRollout(
  status: RolloutStatus,
  verb: VerbName,
  options: Pick<VerbOptions, 'rollback'>,
): readonly RolloutHostStatus[] {
  if (verb === 'promote') {
    const wave = status.waves.findIndex((one) => one.phase === 'awaiting-promotion') + 1;
    return status.hosts.filter((host) => wave > 0 && host.wave === wave && host.state === 'queued');
  }
  if (verb === 'abort' && options.rollback === true) {
    return status.hosts.filter(({ state }) => CHANGED.has(state));
  }
  return [];
}

/** States of hosts that may carry changes of the rollout. */
const CHANGED: ReadonlySet<string> = new Set(['done', 'held', 'running']);

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

/** What the verb will do, as a question that names the hosts and how often they reboot. */
export function questionFor(
  verb: VerbName,
  status: RolloutStatus,
  hosts: readonly RolloutHostStatus[],
  reboots: Reboots,
  options: Pick<VerbOptions, 'rollback'> = {},
): string {
  const { id, counts } = status;
  const named = namesOf(hosts);
  const rebootsOf = rebootsText(reboots);
  switch (verb) {
    case 'pause':
    case 'resume':
      return `${verb} ${id}?`;
    case 'promote':
      return `Let the next wave of ${id} begin: ${named}, ${rebootsOf}?`;
    case 'abort':
      return options.rollback === true
        ? `End ${id} and take back every host that it changed: ${named}, ${rebootsOf}?`
        : `End ${id}? ${count(counts.queued, 'queued host')} never start, ${counts.running} running come to their end (they may reboot), ` +
            `${counts.held} held stay as they are${heldNames(status)}, ${counts.done} done stay changed. Nothing re-applies the spec.`;
    case 'retry':
      return `Try ${named} again, from the step that failed: ${rebootsOf}?`;
    case 'skip':
      return `Go on without ${named}, left as now: ${rebootsOf}?`;
    case 'rollback':
      return `Take ${named} back to ${asBefore(hosts)}: ${rebootsOf}?`;
  }
}

/** What hosts are taken back to: `what it was`, `what they were`. */
export function asBefore(hosts: readonly unknown[]): string {
  return hosts.length === 1 ? 'what it was' : 'what they were';
}

function heldNames(status: RolloutStatus): string {
  const held = status.hosts.filter((host) => host.state === 'held');
  return held.length === 0 ? '' : ` (${namesOf(held)})`;
}

/** Most hosts named one by one. */
const NAMED_MAX = 6;

/** `hv-01 hv-02`, or `40 hosts (hv-01 hv-02 hv-03 hv-04 ...)`. */
export function namesOf(hosts: readonly Pick<RolloutHostStatus, 'name'>[]): string {
  const names = hosts.map((host) => host.name);
  if (names.length === 0) return 'no host';
  if (names.length <= NAMED_MAX) return names.join(' ');
  return `${count(names.length, 'host')} (${names.slice(0, 4).join(' ')} ...)`;
}
