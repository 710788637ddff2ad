import type { StepOutcome } from '../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { notLoadedProblem } from '../../src/domain/devices/loaded-modules.ts';
import type { Target } from '../../src/domain/spec.ts';
import { parseBootModules, parseModules } from '../../src/facts/devices/settings.ts';
import { MODULES_PROBE } from '../../src/facts/probe.ts';
import type { HostPort } from '../../src/host/port.ts';
import { hold, ok } from './outcomes.ts';

/** Proves that this boot has loaded what modules-load.d should load; the file alone proves nothing. Changes nothing. */
export async function proveModules(
  port: HostPort,
  { modules: asked }: Pick<Target, 'modules'>,
): Promise<StepOutcome> {
  if (asked.load.length === 0) return ok({});
  const snapshot = await port.read({ entries: MODULES_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const bootModules = parseBootModules(snapshot) ?? {};
  const problem = notLoadedProblem({ modules: parseModules(snapshot), bootModules }, asked);
  return problem === undefined
    ? ok({ modules: `${asked.load.join(' ')}: there` })
    : hold(problem.code, problem.sentence);
}
