import { shellWord } from '../domain/shell-word.ts';
import type { RolloutStatus } from '../domain/status.ts';
import { nearest } from '../schema/nearest.ts';
import { CliError } from './outcome.ts';

/**
 * The error for a host that a rollout does not have, with the nearest one that it has. One with another number is another
 * machine rather than a slip, so it is never the one that was meant: `hv1` may be `hv01`, not `hv02`. `typed` is the command
 * that named it, to be given as it should have been.
 */
export function noSuchHost(
  status: RolloutStatus,
  name: string,
  typed: { readonly verb: string; readonly hosts: readonly string[] },
): CliError {
  const names = status.hosts.map((host) => host.name);
  const near = nearest(
    name,
    names.filter((one) => !isOtherNumber(one, name)),
  );
  return new CliError(
    'usage',
    `${status.id} has no host "${name}"${near === undefined ? '' : `; did you mean ${near}?`}`,
    near === undefined
      ? `it has ${names.length}, e.g. ${names.slice(0, 3).join(' ')}; vfleet status ${status.id} --json lists them`
      : `vfleet ${typed.verb} ${status.id} ${typed.hosts
          .map((host) => shellWord(host === name ? near : host))
          .join(' ')}`,
  );
}

/** Whether two names differ in their numbers only, and not just by leading zeros. */
function isOtherNumber(one: string, other: string): boolean {
  const textOf = (name: string): string => name.replaceAll(/\d+/g, '#');
  const numbersOf = (name: string): string => name.replaceAll(/0*(\d+)/g, '$1');
  return textOf(one) === textOf(other) && numbersOf(one) !== numbersOf(other);
}
