import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostExit } from '../../domain/host-run.ts';
import type { RolloutHostStatus, RolloutStatus, RolloutVerb } from '../../domain/status.ts';
import { readHostView } from '../commands/host.ts';
import type { Engine } from '../engine.ts';
import { CliError } from '../outcome.ts';
import type { HostView } from '../render/host.ts';
import { exitCommand } from '../render/host-exits.ts';
import { shortName } from '../render/status.ts';
import type { Style } from '../render/style.ts';
import { sendVerb } from '../send-verb.ts';
import type { DemoFleet } from './demo-fleet.ts';

/** How often one host is helped before it is skipped: the demo must end. */
const HELP_MAX = 3;
/** How long a hold stays on the screen before it is left, so that it can be read, in milliseconds. */
const READ_MS = 400;
const WHO = 'demo (plays the person on call)';

/** What the demo's person has to do with. */
export interface AttendOptions {
  readonly engine: Engine;
  readonly fleet: Pick<DemoFleet, 'powerCycle'>;
  readonly style: Style;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Plays the person on call: shows each hold, leaves it by its recommended exit, promotes the canary, gives a spent
 * budget more room. Call it with each status; it says which CLI command it stands for.
 */
export function createAttendant(options: AttendOptions): (status: RolloutStatus) => Promise<void> {
  const helped = new Map<string, number>();
  const seen = new Set<string>();
  const once: Once = (key) => !seen.has(key) && seen.add(key).size > 0;
  return async (status) => {
    await attendRollout(options, status, once);
    for (const host of status.hosts) {
      if (host.state !== 'held' || !once(`${host.name} ${host.since ?? ''}`)) continue;
      const turn = (helped.get(host.name) ?? 0) + 1;
      helped.set(host.name, turn);
      const verb = await showHold(options, status, host, turn);
      if (verb === undefined) continue;
      await leaveHold(options, status, host, verb);
    }
  };
}

async function leaveHold(
  options: AttendOptions,
  status: RolloutStatus,
  { name, code }: RolloutHostStatus,
  verb: HostExit['verb'],
): Promise<void> {
  const hosts = { names: [name] };
  const command = `vfleet ${verb} ${shortName(status)} ${name}`;
  if (verb === 'retry') return take(options, status.id, `${command} --yes`, { verb, hosts });
  const reason = code ?? 'held';
  const full = `${command} --reason ${reason} --yes`;
  return take(options, status.id, full, { verb, hosts, reason });
}

/** Whether something is met for the first time. */
type Once = (key: string) => boolean;

async function attendRollout(
  options: AttendOptions,
  status: RolloutStatus,
  once: Once,
): Promise<void> {
  const name = shortName(status);
  const wave = status.waves.find((one) => one.phase === 'awaiting-promotion');
  if (wave !== undefined && once(`promote ${wave.name}`)) {
    options.say(`Wave ${wave.name} is through and has baked; a person lets the next one begin:`);
    await take(options, status.id, `vfleet promote ${name} --yes`, { verb: 'promote' });
  }
  if (status.phase === 'paused' && once(`resume ${status.budget.failures}`)) {
    const verb = { verb: 'resume', newBudget: 5 } as const;
    await take(options, status.id, `vfleet resume ${name} --new-budget 5`, verb);
  }
}

type DemoVerb =
  | { readonly verb: 'promote' }
  | { readonly verb: 'resume'; readonly newBudget: number }
  | {
      readonly verb: HostExit['verb'];
      readonly hosts: { readonly names: readonly string[] };
      readonly reason?: string;
    };

/** Shows why a host is held and mends what a person would mend; answers the exit to take. */
async function showHold(
  options: AttendOptions,
  status: RolloutStatus,
  host: RolloutHostStatus,
  turn: number,
): Promise<HostExit['verb'] | undefined> {
  const { engine, fleet, say, style, signal } = options;
  const view = await readHostView(engine, status, host);
  const exit = view?.status.hold?.exits.find((one) => one.recommended);
  if (view === undefined || exit === undefined) return turn > HELP_MAX ? 'skip' : undefined;
  say(shortHold(view, style));
  await sleep(READ_MS, undefined, { signal });
  if (turn > HELP_MAX) return 'skip';
  if (view.status.hold?.code === 'reboot.no-return') {
    say(
      `   the demo power-cycles the simulated machine ${host.name}, as somebody in the datacenter would`,
    );
    await fleet.powerCycle(host.name);
  }
  return exit.verb;
}

/** A hold in four lines; `vfleet host` shows it in full. */
function shortHold(view: HostView, style: Style): string {
  const { status } = view;
  const exits = status.hold?.exits ?? [];
  return [
    `${style.warn(`HELD ${status.name}`)} at ${status.hold?.step ?? ''}: ${style.strong(status.hold?.code ?? '')}`,
    `   ${status.hold?.sentence ?? ''}`,
    ...exits.map(
      (exit) =>
        `   ${exit.recommended ? '*' : ' '} ${style.command(exitCommand(exit, view))}   ${exit.effect} (reboots: ${exit.reboots})`,
    ),
  ].join('\n');
}

/** Shows the command that a person would type, and does what it does. */
async function take(
  options: AttendOptions,
  id: string,
  command: string,
  verb: DemoVerb,
): Promise<void> {
  const { style } = options;
  options.say(`${style.faint('$')} ${style.command(command)}`);
  const request: RolloutVerb = { ...verb, id: randomBytes(4).toString('hex'), who: WHO };
  try {
    const answer = await sendVerb(options.engine, id, request);
    options.say(`   ${answer.next}`);
    for (const { host, reason } of answer.refused) options.say(`   refused ${host}: ${reason}`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // The rollout moved on meanwhile; what is still held shows again in the next status.
    options.say(`   ${error.message}`);
  }
}
