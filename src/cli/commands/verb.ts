import { randomBytes } from 'node:crypto';
import { compact } from '../../domain/compact.ts';
import type { HostSelection, RolloutVerb } from '../../domain/status.ts';
import type { CommandContext } from '../context.ts';
import { withEngine, type Engine } from '../engine.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { isFinal } from '../rollout-outcome.ts';
import { resolveRollout } from '../resolve-rollout.ts';
import { readStatus } from '../rollouts.ts';
import { renderAnswer } from '../render/answer.ts';
import { sendVerb } from '../send-verb.ts';
import { startRollback } from '../start-rollback.ts';
import { affectedHosts, questionFor } from '../verb-question.ts';
import { refuseBeforeAsking } from '../verb-refusal.ts';
import { selectionOf } from '../verb-selection.ts';
import { checkReason, reasonFor } from '../verb-reason.ts';
import { countReboots } from '../verb-reboots.ts';

export type VerbName = RolloutVerb['verb'];

export interface VerbOptions {
  readonly json?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly id?: string;
  readonly now?: boolean;
  readonly newBudget?: number;
  readonly rollback?: boolean;
  readonly held?: boolean;
  readonly failed?: boolean;
  readonly notStarted?: boolean;
  readonly done?: boolean;
  readonly all?: boolean;
}

/** Sends one verb to a rollout, or to hosts of it, and says what the engine answered. */
export async function verb(
  context: CommandContext,
  name: VerbName,
  rollout: string,
  hosts: readonly string[],
  options: VerbOptions,
): Promise<Outcome> {
  const selection = selectionOf(name, rollout, hosts, options);
  checkReason(context, name, [rollout, ...hosts], options);
  return withEngine(context, async (engine) => {
    const id = await resolveRollout(engine, rollout, { verb: name, others: hosts });
    const { status } = await readStatus(engine, id);
    if (isFinal(status)) {
      if (name !== 'rollback' || selection === undefined) throw ended(id, status.phase, name);
      return startRollback({ context, engine, status, selection, options });
    }
    const affected = affectedHosts(status, name, selection, options);
    if (NEEDS_CONSENT.has(name) && options.yes !== true) {
      refuseBeforeAsking(status, name, selection, affected);
      const reboots = await countReboots(engine, status, name, affected);
      const question = questionFor(name, status, affected, reboots, options);
      await context.confirm(question, { yes: false });
    }
    const reason = await reasonFor(context, name, options);
    return send(context, engine, id, request(context, name, selection, { ...options, ...reason }));
  });
}

/** `pause` and `resume` are quick to take back and must work in a hurry, so they never ask. */
const NEEDS_CONSENT: ReadonlySet<VerbName> = new Set([
  'promote',
  'abort',
  'retry',
  'skip',
  'rollback',
]);

async function send(
  context: CommandContext,
  engine: Engine,
  id: string,
  update: RolloutVerb,
): Promise<Outcome> {
  const answer = await sendVerb(engine, id, update);
  context.data({ rollout: id, id: update.id, ...answer });
  context.print(renderAnswer(id, update, answer, context.style));
  return answer.refused.length > 0 ? 'refused' : 'done';
}

function request(
  context: CommandContext,
  name: VerbName,
  selection: HostSelection | undefined,
  options: VerbOptions,
): RolloutVerb {
  const common = compact({
    id: options.id ?? randomBytes(4).toString('hex'),
    who: context.config.who,
    reason: options.reason,
  });
  switch (name) {
    case 'pause':
      return { ...common, ...compact({ verb: name, now: options.now }) };
    case 'promote':
      return { ...common, verb: name };
    case 'resume':
      return { ...common, ...compact({ verb: name, newBudget: options.newBudget }) };
    case 'abort':
      return { ...common, verb: name, rollback: options.rollback === true };
    case 'retry':
    case 'skip':
    case 'rollback':
      return { ...common, verb: name, hosts: selection ?? { names: [] } };
  }
}

function ended(id: string, phase: string, name: VerbName): CliError {
  return new CliError(
    'refused',
    `${id} has ended (${phase}); ${name} needs one that is under way.`,
    name === 'retry'
      ? 'start the spec again: hosts that comply are left alone'
      : `vfleet status ${id} shows how it ended`,
    { code: 'rollout.ended' },
  );
}
