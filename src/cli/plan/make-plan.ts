import { basename, resolve } from 'node:path';
import type { HostConnection } from '../../domain/host-entry.ts';
import { parseFacts } from '../../facts/parse-facts.ts';
import type { CommandContext } from '../context.ts';
import { connectionOf, hostsOf, readSpec, type SpecFile, readCapture } from '../inputs.ts';
import { withHosts } from '../with-hosts.ts';
import { groupKinds } from './group-kinds.ts';
import { sealPlan, type PlanFile, type ProbedHost } from './plan-file.ts';
import { planFacts, probeHosts } from './probe-hosts.ts';

/** Reads spec and inventory, probes every selected host and plans each. Nothing is written to a host. */
export async function makePlan(
  context: CommandContext,
  file: string,
  options: { readonly parallel: number },
): Promise<PlanFile> {
  const spec = await readSpec(file);
  const { hosts: entries, warnings } = await hostsOf(spec, context.signal);
  for (const warning of warnings) context.note(`warning ${warning}`);
  const connections = entries.map(connectionOf);
  const began = Date.now();
  const probed = await withHosts(context, (hosts) =>
    probeHosts({
      hosts,
      connections,
      target: spec.spec.target,
      parallel: options.parallel,
      signal: context.signal,
      onProgress: progressOf(context, connections.length),
    }),
  );
  return seal(spec, probed, Date.now() - began);
}

/** Plans for a capture as if it were the spec's only host; the inventory is not read. */
export async function makePlanFromCapture(file: string, dir: string): Promise<PlanFile> {
  const spec = await readSpec(file);
  const facts = parseFacts(await readCapture(dir));
  const name = facts.hostname === '' ? basename(resolve(dir)) : facts.hostname;
  const connection: HostConnection = { name, address: name, port: 22, user: 'root' };
  return seal(spec, [planFacts(connection, facts, spec.spec.target)], 0, dir);
}

function seal(
  spec: SpecFile,
  probed: readonly ProbedHost[],
  probeMs: number,
  capture?: string,
): PlanFile {
  return sealPlan({
    madeAt: new Date().toISOString(),
    probeMs,
    specFile: spec.path,
    spec: spec.spec,
    ...(capture === undefined ? {} : { capture }),
    hosts: groupKinds(probed).hosts,
  });
}

/** Says on stderr how far it is, at each tenth, when there are enough hosts for that to matter. */
function progressOf(context: CommandContext, total: number): (done: number) => void {
  const each = Math.max(20, Math.ceil(total / 10));
  return (done) => {
    if (done % each === 0 && done < total) context.note(`probed ${done} of ${total} hosts`);
  };
}
