import { cmdlineOf } from '../domain/changes.ts';
import type { HostExit, HostState } from '../domain/host-run.ts';
import type { HostStatus, RolloutHostStatus, RolloutStatus } from '../domain/status.ts';
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

/** Most hosts whose runs are asked before a question; for more, one reboot each is what may happen at most. */
const ASKED_MAX = 40;

const NONE: Reboots = { least: 0, most: 0 };
const ONCE: Reboots = { least: 1, most: 1 };
const PERHAPS: Reboots = { least: 0, most: 1 };

/** The reboots of a verb on these hosts: a hold's exits say them, else what their runs do or have done. */
export async function countReboots(
  engine: Engine,
  status: RolloutStatus,
  verb: VerbName,
  hosts: readonly RolloutHostStatus[],
): Promise<Reboots> {
  const ran = verb === 'skip' ? [] : hosts.filter(({ state }) => RAN.has(state));
  const held = hosts.filter((host) => host.state === 'held');
  const wanted = ran.length > ASKED_MAX ? held : ran;
  const asked = new Set(wanted.length > ASKED_MAX ? [] : wanted);
  const each = await Promise.all(
    hosts.map(async (host) => {
      const run = asked.has(host) ? await runOf(engine, status, host) : undefined;
      return rebootsOfHost(verb, host, run);
    }),
  );
  return each.reduce(
    (sum, one) => ({ least: sum.least + one.least, most: sum.most + one.most }),
    NONE,
  );
}

/** States of hosts with a run whose plan says whether it reboots. */
const RAN: ReadonlySet<HostState> = new Set<HostState>(['held', 'running', 'done']);

/** `no reboot`, `1 reboot`, `1 or 2 reboots`, `at most 40 reboots`. */
export function rebootsText({ least, most }: Reboots): string {
  if (most === 0) return 'no reboot';
  if (least === most) return count(most, 'reboot');
  if (least === 0) return `at most ${count(most, 'reboot')}`;
  return `${least} ${most - least === 1 ? 'or' : 'to'} ${count(most, 'reboot')}`;
}

type HostsRun = Pick<HostStatus, 'hold' | 'run'>;

/** One host's reboots by a verb; `run`: its own run, as far as it was asked and is this rollout's. */
export function rebootsOfHost(
  verb: VerbName,
  host: Pick<RolloutHostStatus, 'state' | 'rebootMs'>,
  run: HostsRun | undefined,
): Reboots {
  const wanted = verb === 'abort' ? 'rollback' : verb;
  const exit = run?.hold?.exits.find((one) => one.verb === wanted);
  if (exit !== undefined) return ofExit(exit);
  if (verb === 'skip' || rebootsNever(run)) return NONE;
  // Out of a line that it booted into in this rollout is one more.
  return wanted === 'rollback' && bootedItsLine(host, run) ? ONCE : PERHAPS;
}

/** A plan without a reboot changes neither the kernel line nor modules, and so needs none on the way back either. */
function rebootsNever(run: HostsRun | undefined): boolean {
  return run !== undefined && run.run.changes.length > 0 && run.run.reboots === 0;
}

/** A run that was not asked is taken for one of the kernel line, as long as its host did reboot. */
function bootedItsLine(
  { state, rebootMs }: Pick<RolloutHostStatus, 'state' | 'rebootMs'>,
  run: HostsRun | undefined,
): boolean {
  const hasLine = run === undefined || cmdlineOf(run.run.changes) !== undefined;
  return hasLine && state === 'done' && rebootMs !== undefined;
}

/** `0`, `1`, `0 or 1` (src/domain/holds.ts). */
function ofExit({ reboots }: Pick<HostExit, 'reboots'>): Reboots {
  const numbers = [...reboots.matchAll(/\d+/g)].map(Number);
  return numbers.length === 0
    ? PERHAPS
    : { least: Math.min(...numbers), most: Math.max(...numbers) };
}

async function runOf(
  engine: Engine,
  status: RolloutStatus,
  host: RolloutHostStatus,
): Promise<HostStatus | undefined> {
  const run = await readHostStatus(engine, host.name).catch((error: unknown) => {
    // The question is worth asking without an answer from this host's run.
    if (error instanceof CliError) return undefined;
    throw error;
  });
  return run?.rollout === status.id ? run : undefined;
}
