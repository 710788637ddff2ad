import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../outcome.ts';
import { age } from '../render/time.ts';
import { PLAN_VERSION, type PlanFile } from './plan-file.ts';

/** Most kept plans that are named where one was not found. */
const LISTED_MAX = 10;

const folderOf = (stateFolder: string): string => join(stateFolder, 'plans');

/** Keeps a plan as a file that only its user can read; returns the path. */
export async function savePlan(stateFolder: string, plan: PlanFile): Promise<string> {
  const folder = folderOf(stateFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${plan.id}.json`);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(plan)}\n`, { mode: 0o600 });
  await rename(draft, path);
  return path;
}

/**
 * Reads a kept plan back. Throws a CliError that lists the plans that are kept, newest first, when there is none of that
 * id, and one when another release wrote it.
 */
export async function loadPlan(stateFolder: string, id: string): Promise<PlanFile> {
  const plan = await readPlan(stateFolder, id);
  if (plan === undefined) {
    const kept = await keptPlans(stateFolder);
    const list = kept.length === 0 ? 'None is kept.' : `Kept, newest first:\n${kept.join('\n')}`;
    throw new CliError(
      'usage',
      `There is no plan "${id}" in ${folderOf(stateFolder)}. ${list}`,
      'name one of them, or make one: vfleet plan SPEC',
    );
  }
  if (plan.version === PLAN_VERSION) return plan as PlanFile;
  throw new CliError(
    'usage',
    `Plan ${id} was written by another release.`,
    'make it again with: vfleet plan SPEC',
  );
}

/** A plan under this id; `undefined` for none. Written by savePlan alone, under a name that its content confirms. */
async function readPlan(stateFolder: string, id: string): Promise<Partial<PlanFile> | undefined> {
  if (!/^[0-9a-f]{6}$/.test(id)) return undefined;
  try {
    const text = await readFile(join(folderOf(stateFolder), `${id}.json`), 'utf8');
    const plan = JSON.parse(text) as Partial<PlanFile>;
    return plan.id === id ? plan : undefined;
  } catch {
    return undefined;
  }
}

/** A line for each kept plan, newest first: its id, spec, number of hosts to change and age. */
async function keptPlans(stateFolder: string): Promise<readonly string[]> {
  const folder = folderOf(stateFolder);
  const names = await readdir(folder).catch(() => []);
  const ids = names.flatMap((name) => /^([0-9a-f]{6})\.json$/.exec(name)?.[1] ?? []);
  const times = await Promise.all(
    ids.map(async (id) => ({ id, at: (await stat(join(folder, `${id}.json`))).mtimeMs })),
  );
  const newest = times.sort((a, b) => b.at - a.at).slice(0, LISTED_MAX);
  const lines = await Promise.all(newest.map(({ id }) => keptLine(stateFolder, id)));
  const more = times.length - newest.length;
  return more === 0 ? lines : [...lines, `  and ${more} older`];
}

async function keptLine(stateFolder: string, id: string): Promise<string> {
  const plan = await readPlan(stateFolder, id);
  if (plan?.version !== PLAN_VERSION || plan.madeAt === undefined)
    return `  ${id}   of another release`;
  const changing = plan.hosts?.filter((host) => host.plan.kind === 'changes').length ?? 0;
  return `  ${id}   ${plan.spec?.name ?? ''}, ${changing} to change, ${age(plan.madeAt, new Date())} ago`;
}
