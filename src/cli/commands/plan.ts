import { setTimeout } from 'node:timers/promises';
import type { CommandContext } from '../context.ts';
import type { PlanOutput } from '../json/outputs.ts';
import { CliError, type Outcome } from '../outcome.ts';
import type { HostTime } from '../plan/estimate-time.ts';
import { makePlan, makePlanFromCapture } from '../plan/make-plan.ts';
import { previewRollout } from '../plan/planned-hosts.ts';
import { savePlan } from '../plan/plan-store.ts';
import { createPlanView, type PlanView } from '../plan/plan-view.ts';
import { renderPart, renderPlan } from '../render/plan.ts';

export interface PlanOptions {
  readonly from?: string;
  /** Letter of a kind or name of a wave. */
  readonly hosts?: string;
  readonly parallel: number;
  readonly detailedExitcode?: boolean;
}

/** Longest wait in milliseconds for an engine that may know how long hosts take. */
const LEARN_MS = 3_000;

/** Shows what a rollout would change on every host, and keeps it, so that `start --plan ID` starts exactly that. */
export async function plan(
  context: CommandContext,
  file: string,
  options: PlanOptions,
): Promise<Outcome> {
  const made =
    options.from === undefined
      ? await makePlan(context, file, options)
      : await makePlanFromCapture(context, file, options.from);
  if (made.capture === undefined) await savePlan(context.config.stateFolder, made);
  const hostTime = await askEngine(context, made.spec.name);
  const view = createPlanView(made, previewRollout(made, hostTime));
  const width = context.width();
  const part = options.hosts === undefined ? '' : `\n\n${partText(view, options.hosts, width)}`;
  context.data(planData(view));
  context.print(renderPlan(view, context.style, { width, now: new Date(), spec: file }) + part);
  return options.detailedExitcode === true ? complies(view) : 'done';
}

/** What hosts of an earlier rollout took, where an engine is there that knows; the plan itself needs none. */
async function askEngine(context: CommandContext, name: string): Promise<HostTime | undefined> {
  const { withEngine } = await import('../engine.ts');
  const { learnHostTime } = await import('../plan/learn-host-time.ts');
  const asked = withEngine(context, (engine) => learnHostTime(context, engine, name));
  const none = asked.catch(() => undefined);
  return Promise.race([none, setTimeout(LEARN_MS, undefined, { ref: false })]);
}

/**
 * The drift check for cron: `done` when every host complies, `waiting` when one has changes to make or needs work outside
 * vfleet, `failed` when all that answered comply and others did not answer.
 */
function complies(view: PlanView): Outcome {
  if (view.changing > 0 || view.blocked.length > 0) return 'waiting';
  return view.unreachable.length > 0 ? 'failed' : 'done';
}

/** A plan as JSON: counts and groups first, then every host. */
function planData(view: PlanView): PlanOutput {
  const { plan: made, ...rest } = view;
  const { id, digest, madeAt, specFile, capture, hosts } = made;
  return {
    id,
    digest,
    madeAt,
    specFile,
    ...(capture === undefined ? {} : { capture }),
    ...rest,
    hosts,
  };
}

function partText(view: PlanView, part: string, width: number): string {
  const text = renderPart(view, part, width);
  if (text !== undefined) return text;
  throw new CliError(
    'usage',
    `The plan has no kind and no wave "${part}".`,
    `kinds: ${view.kinds.map((one) => one.letter).join(' ') || 'none'}; waves: ${view.waves.map((one) => one.name).join(' ')}`,
  );
}
