import type { RolloutInput } from '../../domain/status.ts';
import type { CommandContext } from '../context.ts';
import { withEngine, type Engine } from '../engine.ts';
import { readSpec } from '../inputs.ts';
import { omit } from '../omit.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { PlanFile } from '../plan/plan-file.ts';
import { plannedHosts, previewRollout } from '../plan/planned-hosts.ts';
import { loadPlan, savePlan } from '../plan/plan-store.ts';
import { createPlanView, type PlanView } from '../plan/plan-view.ts';
import { count, renderPlan } from '../render/plan.ts';
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

/** Starts a rollout of a spec: by a kept plan, or by one made now and shown before it asks. */
export async function start(
  context: CommandContext,
  file: string,
  options: StartOptions,
): Promise<Outcome> {
  const { spec } = await readSpec(file);
  return withEngine(context, async (engine) => {
    await checkStartable(engine, spec.name);
    const plan =
      options.plan === undefined
        ? await planNow(context, file)
        : await keptPlan(context, file, options.plan);
    const view = createPlanView(plan, previewRollout(plan));
    context.print(`${renderPlan(view, context.style)}\n`);
    if (view.changing === 0) {
      context.data({ rollout: null, changing: 0 });
      return 'done';
    }
    checkExpected(view, options.expectHosts);
    await context.confirm(question(view), { yes: options.yes === true });
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
  if (JSON.stringify(spec) === JSON.stringify(plan.spec)) return plan;
  throw new CliError(
    'refused',
    `${file} is not as it was when plan ${id} was made.`,
    `plan again: vfleet plan ${file}`,
    { code: 'start.spec-changed' },
  );
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

function question(view: PlanView): string {
  const { spec } = view.plan;
  return (
    `Start ${spec.name} on ${count(view.changing, 'host')} in ${count(view.waves.length, 'wave')}: ` +
    `${count(view.reboots, 'reboot')}, ${count(view.drains, 'drain')}?`
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
