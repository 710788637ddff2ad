import type { PokeOutcome, PokeRequest } from '../../host/port.ts';
import type { ModelHost } from './model-host.ts';

/** What a kernel file does when it is written to: takes the value, refuses with an error's words, or never returns. */
export type Attribute = (value: string) => 'stored' | 'hung' | { readonly error: string };

/**
 * Writes to kernel files, as src/host/scripts/poke.sh does. Sysctls keep what is written; any other file needs a
 * handler in `host.attributes`, else the write fails with a message that says so: the model never pretends.
 */
export async function pokeFiles(
  host: ModelHost,
  writes: PokeRequest['writes'],
): Promise<readonly PokeOutcome[]> {
  const outcomes: PokeOutcome[] = [];
  for (const { path, value, timeoutMs } of writes) {
    const outcome = poke(host, path, value);
    outcomes.push(outcome);
    const changed = outcome.kind === 'done';
    host.log.add({ verb: 'poke', what: path, effect: `${outcome.kind} ${value}`, changed });
    if (outcome.kind === 'hung') await host.wait(timeoutMs);
    if (outcome.kind !== 'done') break;
  }
  return outcomes;
}

function poke(host: ModelHost, path: string, value: string): PokeOutcome {
  const node = host.tree.at(path);
  if (node?.kind !== 'file') return { path, kind: 'failed', message: 'No such file' };
  const attribute = host.attributes.get(path) ?? (path.startsWith('/proc/sys/') ? store : unknown);
  const effect = attribute(value);
  if (effect === 'hung') return { path, kind: 'hung' };
  if (effect !== 'stored') return { path, kind: 'failed', message: effect.error };
  host.tree.put(path, `${value}\n`);
  return { path, kind: 'done' };
}

const store: Attribute = () => 'stored';
const unknown: Attribute = () => ({
  error: 'the model kernel does not know what a write to this file does',
});
