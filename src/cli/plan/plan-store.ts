import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../outcome.ts';
import type { PlanFile } from './plan-file.ts';

/** Keeps a plan as a file that only its user can read; returns the path. */
export async function savePlan(stateFolder: string, plan: PlanFile): Promise<string> {
  const folder = join(stateFolder, 'plans');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${plan.id}.json`);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(plan)}\n`, { mode: 0o600 });
  await rename(draft, path);
  return path;
}

/** Reads a kept plan back. Throws a CliError when there is none of that id, or when another release wrote it. */
export async function loadPlan(stateFolder: string, id: string): Promise<PlanFile> {
  const again = 'make it again with: vfleet plan SPEC';
  if (!/^[0-9a-f]{6}$/.test(id)) {
    throw new CliError('usage', `"${id}" is not the id of a plan: six hex digits.`, again);
  }
  let text: string;
  try {
    text = await readFile(join(stateFolder, 'plans', `${id}.json`), 'utf8');
  } catch (error) {
    throw new CliError('usage', `There is no plan ${id} in ${stateFolder}.`, again, {
      cause: error,
    });
  }
  const plan = JSON.parse(text) as Partial<PlanFile>;
  if (plan.version !== 1 || plan.id !== id) {
    throw new CliError('usage', `Plan ${id} was written by another release.`, again);
  }
  // Written by savePlan alone, in this version, under a name that its content confirms.
  return plan as PlanFile;
}
