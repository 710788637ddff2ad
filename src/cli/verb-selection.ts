import type { HostSelection } from '../domain/status.ts';
import type { VerbName, VerbOptions } from './commands/verb.ts';
import { CliError } from './outcome.ts';

/** Which hosts were asked for: names or exactly one flag. */
export function selectionOf(
  name: VerbName,
  rollout: string,
  hosts: readonly string[],
  options: VerbOptions,
): HostSelection | undefined {
  if (name !== 'retry' && name !== 'skip' && name !== 'rollback') return undefined;
  const flags = FLAGS.filter(([flag]) => options[flag] === true).map(([, all]) => all);
  if (hosts.length === 0 && flags.length === 0) {
    throw selectionError(name, rollout, `${name} which hosts?`);
  }
  const [flag] = flags;
  if (flag === undefined) return { names: [...new Set(hosts)] };
  if (hosts.length === 0 && flags.length === 1) return { all: flag };
  const wrong = 'Names of hosts and flags for many hosts do not go together, nor do two flags.';
  throw selectionError(name, rollout, wrong);
}

function selectionError(name: VerbName, rollout: string, wrong: string): CliError {
  return new CliError(
    'usage',
    wrong,
    `vfleet ${name} ${rollout} HOST..., or one of --held --failed --not-started --done --all`,
  );
}

/** The flags that mean many hosts, with the selection that each is. */
export const FLAGS = [
  ['held', 'held'],
  ['failed', 'failed'],
  ['notStarted', 'not-started'],
  ['done', 'done'],
  ['all', 'hosts'],
] as const;
