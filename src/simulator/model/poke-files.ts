import type { PokeOutcome, PokeRequest } from '../../host/port.ts';
import { HostDown } from './host-down.ts';
import type { Hold } from './guard.ts';
import type { WriteEffect } from './kernel/model-kernel.ts';
import type { ModelHost } from './model-host.ts';

/** What a kernel file does when it is written to: takes the value, refuses with an error's words, or takes it only later. */
export type Attribute = (
  value: string,
) => 'stored' | { readonly error: string } | { readonly hangsUntil: Promise<void> };

/**
 * Writes to kernel files, as src/host/scripts/poke.sh does. Sysctls keep what is written; any other file is one
 * that the model's kernel knows or has a handler in `host.attributes`, else the write fails with a message that says so: the model never pretends.
 */
export async function pokeFiles(
  host: ModelHost,
  writes: PokeRequest['writes'],
  hold: Hold,
): Promise<readonly PokeOutcome[]> {
  const outcomes: PokeOutcome[] = [];
  for (const { path, value, timeoutMs } of writes) {
    const outcome = poke(host, path, value, hold);
    outcomes.push(outcome);
    const changed = outcome.kind === 'done';
    host.log.add({ verb: 'poke', what: path, effect: `${outcome.kind} ${value}`, changed });
    if (changed && host.faults.takeWrite()) throw new HostDown();
    if (outcome.kind === 'hung') await host.wait(timeoutMs);
    if (outcome.kind !== 'done') break;
  }
  return outcomes;
}

function poke(host: ModelHost, path: string, value: string, hold: Hold): PokeOutcome {
  const node = host.tree.at(path);
  if (node?.kind !== 'file') return { path, kind: 'failed', message: 'No such file' };
  const attribute = host.attributes.get(path);
  if (attribute === undefined) {
    // What the kernel makes of it shows in its files by itself.
    const effect = host.kernel.write(host.tree.real(path) ?? path, `${value}\n`);
    if (effect !== undefined) return outcomeOf(path, effect, hold);
  }
  const effect = (attribute ?? (path.startsWith('/proc/sys/') ? store : unknown))(value);
  const take = (): void => host.tree.put(path, `${value}\n`);
  if (effect === 'stored') take();
  else if ('hangsUntil' in effect) void effect.hangsUntil.then(take);
  return outcomeOf(path, effect, hold);
}

function outcomeOf(
  path: string,
  effect: ReturnType<Attribute> | WriteEffect,
  hold: Hold,
): PokeOutcome {
  if (typeof effect === 'string') return { path, kind: 'done' };
  if ('error' in effect) return { path, kind: 'failed', message: effect.error };
  hold(effect.hangsUntil);
  return { path, kind: 'hung' };
}

const store: Attribute = () => 'stored';
const unknown: Attribute = () => ({
  error: 'the model kernel does not know what a write to this file does',
});
