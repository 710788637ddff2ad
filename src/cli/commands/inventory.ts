import type { HostEntry, SshServer } from '../../domain/host-entry.ts';
import type { CommandContext } from '../context.ts';
import { readInventory, selectFrom } from '../inputs.ts';
import type { Outcome } from '../outcome.ts';
import { count } from '../render/count.ts';
import { columns } from '../render/style.ts';

/** Lists the hosts of an inventory that a pattern selects; as JSON with just what a script needs of each. */
export async function inventory(
  context: CommandContext,
  pattern: string,
  options: { readonly inventory: string },
): Promise<Outcome> {
  const loaded = await readInventory(options.inventory);
  for (const warning of loaded.warnings) context.note(`warning ${warning}`);
  const hosts = selectFrom(loaded, pattern, options.inventory);
  context.data(
    hosts.map(({ name, address, port, user, groups, labels }) => {
      return { name, address, port, user, groups, labels };
    }),
  );
  const { style } = context;
  context.print(
    columns([
      ['HOST', 'ADDRESS', 'USER', 'GROUPS', 'LABELS'].map((title) => style.strong(title)),
      ...hosts.map((host) => [
        host.name,
        addressOf(host),
        host.user,
        host.groups.join(' '),
        Object.entries(host.labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      ]),
    ]).join('\n'),
  );
  context.print(`\n${count(hosts.length, 'host')} of ${loaded.hosts.length}`);
  return 'done';
}

function addressOf(host: HostEntry): string {
  return host.jump === undefined ? serverOf(host) : `${serverOf(host)} via ${serverOf(host.jump)}`;
}

function serverOf({ address, port }: SshServer): string {
  return port === 22 ? address : `${address} port ${port}`;
}
