import type { HostExit } from '../../domain/host-run.ts';
import { HOST_STATE_TABLE } from '../../domain/host-states.ts';
import type { RolloutHostStatus } from '../../domain/status.ts';
import { columns, padEnd, widthOf, type Style } from './style.ts';

/** How a host of a rollout is named in commands. */
export interface NamedHost {
  readonly rolloutName: string;
  readonly status: { readonly name: string };
}

/** The very command that takes an exit; on a terminal it asks for the reason that some verbs need. */
export function exitCommand(exit: Pick<HostExit, 'verb'>, host: NamedHost): string {
  return `vfleet ${exit.verb} ${host.rolloutName} ${host.status.name}`;
}

/**
 * The exits of a hold, the recommended one first: each as its command, what it does, and what it means for guests and
 * reboots, in columns of their own where the terminal has room.
 */
export function holdExitLines(
  exits: readonly HostExit[],
  host: NamedHost,
  width: number,
  style: Style,
): string[] {
  if (exits.length === 0) return [];
  const sorted = exits.toSorted((a, b) => Number(b.recommended) - Number(a.recommended));
  const rows = sorted.map((exit, at) => [
    `${at + 1}${exit.recommended ? ' *' : ''}`,
    style.command(exitCommand(exit, host)),
    exit.guests ?? '',
    exit.reboots,
  ]);
  const head = ['', style.strong('WHAT YOU CAN DO'), 'guests', 'reboots'];
  const table = columns([head, ...rows], { indent: 2 });
  const isWide = Math.max(...table.map(widthOf)) <= width;
  const lines = isWide
    ? table
    : columns(
        [head, ...rows].map((row) => row.slice(0, 2)),
        { indent: 2 },
      );
  return [
    ...lines.flatMap((line, at) => [line, ...effectLines(sorted[at - 1], isWide)]),
    '  *    recommended. Each says what it will do and asks, also for a reason; --yes --reason TEXT without asking.',
  ];
}

function effectLines(exit: HostExit | undefined, isWide: boolean): string[] {
  if (exit === undefined) return [];
  const costs = `guests ${exit.guests ?? 'unknown'}; reboots ${exit.reboots}`;
  return [exit.effect, ...(isWide ? [] : [costs])].map((line) => padEnd('', 9) + line);
}

/** The verbs of a host that is not held, or is held without a run of its own, from the table of states. */
export function stateExitLines(
  row: Pick<RolloutHostStatus, 'state' | 'name'>,
  rolloutName: string,
  style: Style,
): string[] {
  const exits = HOST_STATE_TABLE[row.state].exits.filter((exit) => exit !== 'abort');
  // Without a run there is nothing to take back.
  const taken = row.state === 'held' ? exits.filter((exit) => exit !== 'rollback') : exits;
  return taken.map((verb, at) => {
    const command = style.command(exitCommand({ verb }, { rolloutName, status: row }));
    return `${padEnd(at === 0 ? style.strong('WHAT YOU CAN DO') : '', 20)}${command}`;
  });
}
