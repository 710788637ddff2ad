import type { RolloutInput } from '../../domain/status.ts';
import type { CommandContext } from '../context.ts';
import { withEngine, type Engine } from '../engine.ts';
import { readSpec } from '../inputs.ts';
import { omit } from '../omit.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { makePlan } from '../plan/make-plan.ts';
import { learnHostTime } from '../plan/learn-host-time.ts';
import type { PlanFile } from '../plan/plan-file.ts';
import { plannedHosts, previewRollout } from '../plan/planned-hosts.ts';
import { loadPlan, savePlan } from '../plan/plan-store.ts';
import { createPlanView, type PlanView } from '../plan/plan-view.ts';
import { specChanges } from '../plan/spec-changes.ts';
import { count } from '../render/count.ts';
import { renderPlan } from '../render/plan.ts';
import { startQuestion } from '../render/start-question.ts';
import { age } from '../render/time.ts';
import { checkStartable, startRollout } from '../start-rollout.ts';
import { watch } from './status.ts';

export interface StartOptions {
  readonly plan?: string;
  readonly expectHosts?: number;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly watch?: boolean;
}

/** Hosts probed at once when `start` makes the plan itself. */
const PARALLEL = 32;

/** Plans older than this say so before they are started: hosts change. */
const OLD_MS = 2 * 86_400_000;

/** Starts a rollout of a spec: by a kept plan, or by one made now and shown before it asks. */
export async function start(
  context: CommandContext,
  file: string,
  options: StartOptions,
): Promise<Outcome> {
  const { spec } = await readSpec(file);
  const kept = options.plan === undefined ? undefined : await keptPlan(context, file, options.plan);
  return withEngine(context, async (engine) => {
    await checkStartable(engine, spec.name);
    const plan = kept ?? (await planNow(context, file));
    const hostTime = await learnHostTime(context, engine, spec.name);
    const view = createPlanView(plan, previewRollout(plan, hostTime));
    const look = { width: context.width(), now: new Date() };
    context.print(`${renderPlan(view, context.style, look)}\n`);
    checkExpected(view, options.expectHosts);
    if (view.changing === 0) {
      context.data({ rollout: null, changing: 0 });
      return 'done';
    }
    await context.confirm(startQuestion(view), { yes: options.yes === true });
    return begin(context, engine, view, options);
  });
}

async function planNow(context: CommandContext, file: string): Promise<PlanFile> {
  const plan = await makePlan(context, file, { parallel: PARALLEL });
  await savePlan(context.config.stateFolder, plan);
  return plan;
}

/** A kept plan is started only for the spec that it was made of: an edit since then was never shown to anybody. */
async function keptPlan(context: CommandContext, file: string, id: string): Promise<PlanFile> {
  const plan = await loadPlan(context.config.stateFolder, id);
  const { spec } = await readSpec(file);
  if (spec.name !== plan.spec.name) {
    throw new CliError(
      'usage',
      `Plan ${id} is of ${plan.spec.name}, and ${file} is ${spec.name}.`,
      `vfleet start ${plan.specFile} --plan ${id}, or plan this one: vfleet plan ${file}`,
    );
  }
  const changes = specChanges(plan.spec, spec);
  if (changes.length > 0) {
    throw new CliError(
      'refused',
      `${file} is not as it was when plan ${id} was made:\n${changes.map((line) => `  ${line}`).join('\n')}`,
      `plan again: vfleet plan ${file}`,
      { code: 'start.spec-changed' },
    );
  }
  const now = new Date();
  if (now.getTime() - Date.parse(plan.madeAt) >= OLD_MS) {
    context.note(
      `warning plan ${id} is ${age(plan.madeAt, now)} old: a host that came to need other changes since is held with plan.changed, before its drain`,
    );
  }
  return plan;
}

function checkExpected(view: PlanView, expected: number | undefined): void {
  if (expected === undefined || expected === view.changing) return;
  throw new CliError(
    'refused',
    `${count(view.changing, 'host')} would change, not ${expected}. Nothing was started.`,
    'look at the plan; then give the right number to --expect-hosts',
    { code: 'start.wrong-count' },
  );
}

async function begin(
  context: CommandContext,
  engine: Engine,
  view: PlanView,
  options: StartOptions,
): Promise<Outcome> {
  const id = await startRollout(engine, rolloutInput(context, view.plan, options.reason));
  const { style } = context;
  context.data(
    { rollout: id, plan: view.plan.id, changing: view.changing },
    { line: options.watch === true },
  );
  context.print(
    `${style.good(`${id} started`)}   follow it:   ${style.command(`vfleet status ${id} --watch`)}`,
  );
  return options.watch === true ? watch(context, engine, id) : 'done';
}

/** What a rollout of a plan is started with; without its id, which the number decides. */
export function rolloutInput(
  context: Pick<CommandContext, 'config'>,
  plan: PlanFile,
  reason?: string,
): Omit<RolloutInput, 'id'> {
  return {
    direction: 'forward',
    spec: omit(plan.spec, 'hosts'),
    planId: plan.id,
    who: context.config.who,
    ...(reason === undefined ? {} : { reason }),
    hosts: plannedHosts(plan),
  };
}
