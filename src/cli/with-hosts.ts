import type { HostDirectory } from '../host/connection.ts';
import { createSshDirectory } from '../host/ssh/pool.ts';
import type { CommandContext } from './context.ts';

/** Opens hosts by SSH for one command and closes every connection at its end. */
export async function withHosts<T>(
  context: Pick<CommandContext, 'log'>,
  work: (hosts: HostDirectory) => Promise<T>,
): Promise<T> {
  const hosts = createSshDirectory({ log: context.log });
  try {
    return await work(hosts);
  } finally {
    await hosts.close();
  }
}
