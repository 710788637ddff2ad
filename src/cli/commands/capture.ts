import { saveCapture } from '../../facts/capture.ts';
import type { CommandContext } from '../context.ts';
import { connectionOf, hostNamed } from '../inputs.ts';
import type { Outcome } from '../outcome.ts';
import { probeHost } from '../plan/probe-hosts.ts';
import { withHosts } from '../with-hosts.ts';

/** Saves all that a probe reads from a host as a file tree. */
export async function capture(
  context: CommandContext,
  host: string,
  dir: string,
  options: { readonly inventory: string },
): Promise<Outcome> {
  const connection = connectionOf(await hostNamed(options.inventory, host));
  const snapshot = await withHosts(context, (hosts) => probeHost(hosts, connection));
  await saveCapture(snapshot, dir);
  context.data({ host, dir, files: snapshot.files.size });
  context.print(
    `${dir} holds ${snapshot.files.size} files of ${host}.   Look at it:   ${context.style.command(`vfleet facts --from ${dir}`)}`,
  );
  return 'done';
}
