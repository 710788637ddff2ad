import { readdir } from 'node:fs/promises';
import { saveCapture } from '../../facts/capture.ts';
import type { CommandContext } from '../context.ts';
import { connectionOf, hostNamed } from '../inputs.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { probeForDiagnosis } from '../plan/probe-hosts.ts';
import { withHosts } from '../with-hosts.ts';

/** Saves all that a probe reads from a host as a file tree. */
export async function capture(
  context: CommandContext,
  host: string,
  dir: string,
  options: { readonly inventory: string },
): Promise<Outcome> {
  await refuseUsed(dir);
  const connection = connectionOf(await hostNamed(options.inventory, host));
  const snapshot = await withHosts(context, (hosts) => probeForDiagnosis(hosts, connection));
  await saveCapture(snapshot, dir);
  context.data({ host, dir, files: snapshot.files.size });
  context.print(
    `${dir} holds ${snapshot.files.size} files of ${host}.   Look at it:   ${context.style.command(`vfleet facts --from ${dir}`)}   ${context.style.command(`vfleet diagnose --from ${dir}`)}`,
  );
  return 'done';
}

/** Says so before the host is asked; a folder that is not there yet is well. */
async function refuseUsed(dir: string): Promise<void> {
  const names = await readdir(dir).catch(() => []);
  if (names.length === 0) return;
  throw new CliError('usage', `${dir} is not empty.`, 'name a new folder for the capture');
}
