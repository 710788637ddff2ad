import type { HostConnection } from '../../domain/host-entry.ts';
import { CliError } from '../outcome.ts';

/** The simulated hosts of a demo, running. */
export interface DemoFleet {
  readonly connections: readonly HostConnection[];
  /** Repairs and resets a machine, as a person in the datacenter would. */
  readonly powerCycle: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts the simulated hosts; keys and known_hosts go into `folder`. */
export function startDemoFleet(options: {
  readonly hosts: number;
  readonly seed: number;
  readonly folder: string;
}): Promise<DemoFleet> {
  throw new CliError('failed', `not yet: ${options.hosts} simulated hosts.`, '');
}
