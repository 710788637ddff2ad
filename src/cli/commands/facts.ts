import { parseFacts } from '../../facts/parse-facts.ts';
import type { Snapshot } from '../../facts/snapshot.ts';
import type { CommandContext } from '../context.ts';
import { connectionOf, hostNamed, readCapture } from '../inputs.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { probeWhole } from '../plan/probe-hosts.ts';
import { renderFacts } from '../render/facts.ts';
import { withHosts } from '../with-hosts.ts';

/** Reads one host, or a capture, and shows what was understood of it. */
export async function facts(
  context: CommandContext,
  host: string | undefined,
  options: { readonly inventory?: string; readonly from?: string; readonly all?: boolean },
): Promise<Outcome> {
  const found = parseFacts(await readSource(context, host, options));
  context.data(found);
  const { style } = context;
  context.print(renderFacts(found, { style, width: context.width(), all: options.all === true }));
  return 'done';
}

async function readSource(
  context: CommandContext,
  host: string | undefined,
  options: { readonly inventory?: string; readonly from?: string },
): Promise<Snapshot> {
  const { inventory, from } = options;
  if (from !== undefined && host === undefined) return readCapture(from);
  if (from === undefined && host !== undefined && inventory !== undefined) {
    const connection = connectionOf(await hostNamed(inventory, host));
    return withHosts(context, (hosts) => probeWhole(hosts, connection));
  }
  throw new CliError(
    'usage',
    'Name either a host with its inventory, or a capture.',
    'vfleet facts HOST -i INVENTORY, or vfleet facts --from DIR',
  );
}
