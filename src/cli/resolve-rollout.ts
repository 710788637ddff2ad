import { parseRolloutId, rolloutId } from '../domain/ids.ts';
import { shellWord } from '../domain/shell-word.ts';
import { nearest } from '../schema/nearest.ts';
import type { Engine } from './engine.ts';
import { CliError } from './outcome.ts';
import { listRollouts, newestNumber } from './rollouts.ts';

/** The command that a name was given to, so that a wrong one can be shown as it should have been. */
interface Typed {
  readonly verb: string;
  /** What stood after the name. */
  readonly others: readonly string[];
}

/** The rollout that NAME means: an id as it is, or a spec's newest. Throws a CliError that names what there is. */
export async function resolveRollout(engine: Engine, name: string, typed: Typed): Promise<string> {
  if (parseRolloutId(name) !== undefined) return name;
  const newest = await newestNumber(engine, name);
  if (newest > 0) return rolloutId(name, newest);
  const known = await listRollouts(engine, { limit: 200 });
  const names = [...new Set(known.map((rollout) => rollout.name))];
  const ids = known.map((rollout) => rollout.id);
  const swapped = typed.others.find((other) => names.includes(other) || ids.includes(other));
  if (swapped !== undefined) throw isSwapped(name, swapped, typed);
  const missing = `There is no rollout of "${name}" in engine ${engine.address}`;
  const near = nearest(name, names) ?? nearest(name, ids);
  if (near === undefined) throw new CliError('usage', `${missing}.`, nextOf(names));
  throw new CliError(
    'usage',
    `${missing}; did you mean ${near}?`,
    ['vfleet', typed.verb, near, ...typed.others.map(shellWord)].join(' '),
  );
}

function isSwapped(name: string, swapped: string, { verb, others }: Typed): CliError {
  const hosts = [name, ...others.filter((other) => other !== swapped)];
  return new CliError(
    'usage',
    `"${name}" is no rollout, but "${swapped}" is: the rollout comes first, then the hosts.`,
    `vfleet ${verb} ${swapped} ${hosts.join(' ')}`,
  );
}

/** Most names listed. */
const NAMED_MAX = 20;

function nextOf(names: readonly string[]): string {
  if (names.length === 0) return 'start one: vfleet start SPEC';
  return `there are: ${names.slice(0, NAMED_MAX).join(' ')}`;
}
