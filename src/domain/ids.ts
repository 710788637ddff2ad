/** Id of a rollout's run: the spec's name and its number, e.g. `enable-iommu#3`. Never reused. */
export function rolloutId(name: string, number: number): string {
  return `${name}#${number}`;
}

/** The spec's name and the number in a rollout id, or `undefined` when it is not one. */
export function parseRolloutId(id: string): { name: string; number: number } | undefined {
  const match = /^(.+)#([1-9]\d*)$/.exec(id);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { name: match[1], number: Number(match[2]) };
}

/** Workflow id of a rollout. */
export function rolloutWorkflowId(rollout: string): string {
  return `vfleet/rollout/${rollout}`;
}

/** Workflow id of a host's run: one at a time per host within an engine (law 6). */
export function hostWorkflowId(host: string): string {
  return `vfleet/host/${host}`;
}

/** Task queue of a worker that was given none. */
export const DEFAULT_TASK_QUEUE = 'vfleet';
