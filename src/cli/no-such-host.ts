import type { RolloutStatus } from '../domain/status.ts';
import { nearest } from '../schema/nearest.ts';
import { CliError } from './outcome.ts';

/** The error for a host that a rollout does not have, with the nearest one that it has. */
export function noSuchHost(status: RolloutStatus, name: string): CliError {
  const names = status.hosts.map((host) => host.name);
  const near = nearest(name, names);
  return new CliError(
    'usage',
    `${status.id} has no host "${name}"${near === undefined ? '' : `; did you mean ${near}?`}`,
    near === undefined
      ? `it has ${names.length}, e.g. ${names.slice(0, 3).join(' ')}; vfleet status ${status.id} --json lists them`
      : `say ${near} instead of ${name}`,
  );
}
