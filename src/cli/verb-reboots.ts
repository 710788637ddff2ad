import type { RolloutHostStatus, RolloutStatus } from '../domain/status.ts';
import { readHostStatus } from './commands/host.ts';
import type { VerbName } from './commands/verb.ts';
import type { Engine } from './engine.ts';
import { CliError } from './outcome.ts';
import { count } from './render/count.ts';

/** How often hosts would reboot, as far as it is known: never a guess, so often from 0 to one each. */
export interface Reboots {
  readonly least: number;
  readonly most: number;
}

/** Most held hosts asked for their exits before a question; for more, one reboot each is what may happen at most. */
const ASKED_MAX = 40;

const NONE: Reboots = { least: 0, most: 0 };
const PERHAPS: Reboots = { least: 0, most: 1 };

/** The reboots of a verb on these hosts: a hold's exits say them, else what became of the host in this rollout. */
export async function countReboots(
  engine: Engine,
  status: RolloutStatus,
  verb: VerbName,
  hosts: readonly RolloutHostStatus[],
): Promise<Reboots> {
  const held = hosts.filter((host) => host.state === 'held');
  const asked = new Set(held.length > ASKED_MAX ? [] : held);
  const each = await Promise.all(
    hosts.map(async (host) =>
      asked.has(host) ? ofExit(engine, status, verb, host) : ofState(verb, host),
    ),
  );
  return each.reduce(
    (sum, one) => ({ least: sum.least + one.least, most: sum.most + one.most }),
    NONE,
  );
}

/** `no reboot`, `1 reboot`, `1 or 2 reboots`, `at most 40 reboots`. */
export function rebootsText({ least, most }: Reboots): string {
  if (most === 0) return 'no reboot';
  if (least === most) return count(most, 'reboot');
  if (least === 0) return `at most ${count(most, 'reboot')}`;
  return `${least} ${most - least === 1 ? 'or' : 'to'} ${count(most, 'reboot')}`;
}

function ofState(verb: VerbName, host: RolloutHostStatus): Reboots {
  if (verb === 'skip') return NONE;
  // It booted into the new line in this rollout: out of it again is one more.
  const back = verb === 'rollback' || verb === 'abort';
  return back && host.state === 'done' && host.rebootMs !== undefined
    ? { least: 1, most: 1 }
    : PERHAPS;
}

async function ofExit(
  engine: Engine,
  status: RolloutStatus,
  verb: VerbName,
  host: RolloutHostStatus,
): Promise<Reboots> {
  const wanted = verb === 'abort' ? 'rollback' : verb;
  const run = await readHostStatus(engine, host.name).catch((error: unknown) => {
    // The question is worth asking without an answer from this host's run.
    if (error instanceof CliError) return undefined;
    throw error;
  });
  const exit =
    run?.rollout === status.id ? run.hold?.exits.find((one) => one.verb === wanted) : undefined;
  if (exit === undefined) return ofState(verb, host);
  // `0`, `1`, `0 or 1` (src/domain/holds.ts).
  const numbers = [...exit.reboots.matchAll(/\d+/g)].map(Number);
  return numbers.length === 0
    ? PERHAPS
    : { least: Math.min(...numbers), most: Math.max(...numbers) };
}
