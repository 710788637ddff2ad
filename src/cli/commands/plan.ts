import { compact } from '../../domain/compact.ts';
import type { CommandContext } from '../context.ts';
import type { PlanOutput } from '../json/outputs.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { makePlan, makePlanFromCapture } from '../plan/make-plan.ts';
import { previewRollout } from '../plan/planned-hosts.ts';
import { savePlan } from '../plan/plan-store.ts';
import { createPlanView, type PlanView } from '../plan/plan-view.ts';
import { renderPlan } from '../render/plan.ts';
import { wrapWords } from '../render/style.ts';

/** Shows what a rollout would change on every host, and keeps it, so that `start --plan ID` starts exactly that. */
export async function plan(
  context: CommandContext,
  file: string,
  options: { readonly from?: string; readonly hosts?: string; readonly parallel: number },
): Promise<Outcome> {
  const made =
    options.from === undefined
      ? await makePlan(context, file, options)
      : await makePlanFromCapture(file, options.from);
  const view = createPlanView(made, previewRollout(made));
  if (made.capture === undefined) await savePlan(context.config.stateFolder, made);
  context.data(planData(view));
  context.print(renderPlan(view, context.style));
  if (options.hosts !== undefined) context.print(kindHosts(view, options.hosts));
  return 'done';
}

/** A plan as JSON: counts and groups first, then every host. */
export function planData(view: PlanView): PlanOutput {
  const { plan: made, ...rest } = view;
  const { id, digest, madeAt, specFile, capture, hosts } = made;
  return compact({ id, digest, madeAt, specFile, capture, ...rest, hosts });
}

function kindHosts(view: PlanView, letter: string): string {
  const kind = view.kinds.find((one) => one.letter === letter.toUpperCase());
  if (kind !== undefined)
    return ['', `KIND ${kind.letter}`, ...wrapWords(kind.hosts, 110)].join('\n');
  throw new CliError(
    'usage',
    `The plan has no kind "${letter}".`,
    `it has: ${view.kinds.map((one) => one.letter).join(' ') || 'none'}`,
  );
}
