import type { CommandContext } from '../context.ts';
import { hostsOf, readSpec } from '../inputs.ts';
import type { Outcome } from '../outcome.ts';
import { count } from '../render/count.ts';
import { renderSpec } from '../render/spec.ts';

/** Checks a spec, its inventory and its host pattern, and says what they mean; touches no host. */
export async function check(context: CommandContext, file: string): Promise<Outcome> {
  const read = await readSpec(file);
  const { hosts, warnings } = await hostsOf(read, context.signal);
  const { spec } = read;
  context.data({ ok: true, spec, hosts: hosts.map((host) => host.name), warnings });
  for (const warning of warnings) context.print(context.style.warn(`warning ${warning}`));
  context.print(renderSpec(spec, context.style, context.width()));
  context.print(
    `${context.style.good('ok')}   ${count(hosts.length, 'host')}   see what would change:   ${context.style.command(`vfleet plan ${file}`)}`,
  );
  return 'done';
}
