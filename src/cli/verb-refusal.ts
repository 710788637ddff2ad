import { HOST_STATE_TABLE, wayOut } from '../domain/host-states.ts';
import type { HostSelection, RolloutHostStatus, RolloutStatus } from '../domain/status.ts';
import type { VerbName } from './commands/verb.ts';
import { CliError } from './outcome.ts';

/**
 * Throws a CliError for a verb that would be refused as things stand, so that nobody is asked first whether to do what
 * cannot be done. What passes here the engine still decides by itself when the verb arrives.
 */
export function refuseBeforeAsking(
  status: RolloutStatus,
  verb: VerbName,
  selection: HostSelection | undefined,
  hosts: readonly RolloutHostStatus[],
): void {
  if (!status.verbs.includes(verb)) {
    const phase = status.phase.replaceAll('-', ' ');
    throw refused(status, verb, `it is ${phase}. ${status.explanation}`, `status ${status.id}`);
  }
  // Any state may be waiting for a place, which "skip" gives up; what the others take is in the table.
  if (selection === undefined || !('names' in selection) || verb === 'skip') return;
  const exitsOf = ({ state }: RolloutHostStatus): readonly VerbName[] =>
    HOST_STATE_TABLE[state].exits;
  if (hosts.some((host) => exitsOf(host).includes(verb))) return;
  const [first] = hosts;
  if (first === undefined) return;
  const more = hosts.length > 1 ? ` (and ${hosts.length - 1} more)` : '';
  throw refused(
    status,
    verb,
    `${first.name} is ${first.state}; ${wayOut(first.state)}${more}.`,
    `host ${status.id} ${first.name}`,
  );
}

function refused({ id }: RolloutStatus, verb: VerbName, why: string, next: string): CliError {
  return new CliError('refused', `${id} refused ${verb}: ${why}`, `vfleet ${next}`, {
    code: 'verb.refused',
  });
}
