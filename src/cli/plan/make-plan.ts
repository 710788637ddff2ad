import { basename, resolve } from 'node:path';
import type { HostConnection } from '../../domain/host-entry.ts';
import { parseFacts } from '../../facts/parse-facts.ts';
import { scopeWithoutInventory } from '../../schema/host-scopes.ts';
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
  const { hosts: entries, scopes, warnings } = await hostsOf(spec, context.signal);
  for (const warning of warnings) context.note(`warning ${warning}`);
  const connections = entries.map(connectionOf);
  const began = Date.now();
  const probed = await withHosts(context, (hosts) =>
    probeHosts({
      hosts,
      connections,
      target: spec.spec.target,
      scopes,
      parallel: options.parallel,
      signal: context.signal,
      onProgress: progressOf(context, connections.length),
    }),
  );
  return seal(spec, probed, Date.now() - began);
}

/**
 * Plans for a capture as if it were the spec's only host. The inventory is not read, so entries of the target that need
 * it are left out, which is said.
 */
export async function makePlanFromCapture(
  context: Pick<CommandContext, 'note'>,
  file: string,
  dir: string,
): Promise<PlanFile> {
  const spec = await readSpec(file);
  const { target } = spec.spec;
  const { scope, left } = scopeWithoutInventory(target);
  if (left.length > 0) {
    context.note(`left out, since a capture has no inventory: ${left.join(', ')}`);
  }
  const facts = parseFacts(await readCapture(dir));
  const name = facts.hostname === '' ? basename(resolve(dir)) : facts.hostname;
  const connection: HostConnection = { name, address: name, port: 22, user: 'root' };
  const probed = planFacts(connection, facts, target, left.length > 0 ? scope : undefined);
  return seal(spec, [probed], 0, dir);
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
