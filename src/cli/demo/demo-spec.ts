import { parseSpec } from '../../schema/spec.ts';
import { formatProblem } from '../../schema/problem.ts';
import type { Spec } from '../../domain/spec.ts';

/** The demo's spec, as a person would write it, but for times fit for somebody who watches. */
export const DEMO_SPEC_TEXT = `version: 1
name: demo
owner: { team: you, ticket: DEMO-1 }
hosts: { inventory: simulated, select: all }
target:
  iommu: enabled
  hostDma: passthrough
waves:
  - name: canary
    hosts: 1
    each: kind
    maxFailures: 0
    bake: 1s
    promote: manual
  - { name: fleet, upTo: 100% }
limits: { parallel: 40, maxUnavailable: 100%, maxFailures: 5 }
`;

/**
 * Simulated hosts boot in a second or two, so the demo does not wait for minutes until it says that one is gone. Real specs
 * may not ask for less than a minute.
 */
const REBOOT_TIMEOUT_MS = 6_000;

/** The demo's spec, parsed. */
export function demoSpec(): Spec {
  const parsed = parseSpec(DEMO_SPEC_TEXT, 'demo.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return { ...parsed.spec, reboot: { ...parsed.spec.reboot, timeoutMs: REBOOT_TIMEOUT_MS } };
}
