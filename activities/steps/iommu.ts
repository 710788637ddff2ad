import type { StepOutcome } from '../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { iommuProblem } from '../../src/domain/iommu.ts';
import type { Target } from '../../src/domain/spec.ts';
import { parseIommu, parseRunningArgs } from '../../src/facts/parse-facts.ts';
import { PROOF_PROBE } from '../../src/facts/probe.ts';
import type { HostPort } from '../../src/host/port.ts';
import { hold, ok } from './outcomes.ts';

/** Proves the IOMMU as asked, from the running kernel alone. */
export async function proveIommu(port: HostPort, target: Target): Promise<StepOutcome> {
  const snapshot = await port.read({ entries: PROOF_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const iommu = parseIommu(snapshot);
  const evidence = {
    units: iommu.units.join(' ') || 'none',
    groups: String(iommu.groups.length),
    types: countTypes(iommu.groups.map((group) => group.type)),
    interruptRemapping: iommu.interruptRemapping ? 'on' : 'not seen',
    running: parseRunningArgs(snapshot).join(' '),
  };
  const problem = iommuProblem(iommu, target);
  return problem === undefined ? ok(evidence) : hold(problem.code, problem.sentence, evidence);
}

/** `identity 11, DMA 2`: how many groups of each type. */
function countTypes(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${type} ${count}`).join(', ');
}
