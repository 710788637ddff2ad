import type { HostConnection } from '../domain/host-entry.ts';
import type { HostPort } from './port.ts';

/** Opens hosts. The SSH pool, the in-memory fleet of tests and offline captures each are one. */
export interface HostDirectory {
  /** The port of one host. Cheap: a connection is made by the first verb, and shared. */
  host(connection: HostConnection): HostPort;
  /** Closes the host's pooled connection, so that the next verb connects afresh (law 9: a reboot is proven on one). */
  forget(connection: HostConnection): void;
  close(): Promise<void>;
}
