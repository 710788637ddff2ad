import { cmdlineOf } from '../../domain/changes.ts';
import { devicesLeftAlone } from '../../domain/devices/plan-devices.ts';
import { compact } from '../../domain/compact.ts';
import type { Facts } from '../../domain/facts.ts';
import type { HostConnection } from '../../domain/host-entry.ts';
import { leftAlone } from '../../domain/left-alone.ts';
import type { Target } from '../../domain/spec.ts';
import { targetFor, type HostScope } from '../../domain/target-for.ts';
import { namesBefore } from '../../facts/earlier-names.ts';
import { makeHostPlan } from '../../facts/host-plan.ts';
import { parseFacts } from '../../facts/parse-facts.ts';
import { DIAGNOSE_PROBE, FACTS_PROBE, INSPECT_PROBE } from '../../facts/probe.ts';
import type { Snapshot } from '../../facts/snapshot.ts';
import type { HostDirectory } from '../../host/connection.ts';
import { HostError } from '../../host/errors.ts';
import type { ProbedHost } from './plan-file.ts';

/** How long one host's probe may take in all, in milliseconds. */
export const PROBE_DEADLINE_MS = 60_000;

/** The same with logs and the initramfs images, each of which takes seconds to list. */
const DIAGNOSE_DEADLINE_MS = 180_000;

/** Reads one host as `inspect` does: one connection, one command, nothing written. Throws a HostError. */
export function probeHost(hosts: HostDirectory, connection: HostConnection): Promise<Snapshot> {
  return hosts.host(connection).read({ entries: INSPECT_PROBE, deadlineMs: PROBE_DEADLINE_MS });
}

/** Reads one host for a person: as `probeHost`, and what asks the devices themselves. Throws a HostError. */
export function probeWhole(hosts: HostDirectory, connection: HostConnection): Promise<Snapshot> {
  return hosts.host(connection).read({ entries: FACTS_PROBE, deadlineMs: PROBE_DEADLINE_MS });
}

/** Reads all that `diagnose` looks at, and that a capture keeps for it: as `probeWhole`, and logs. Throws a HostError. */
export function probeForDiagnosis(
  hosts: HostDirectory,
  connection: HostConnection,
): Promise<Snapshot> {
  return hosts.host(connection).read({ entries: DIAGNOSE_PROBE, deadlineMs: DIAGNOSE_DEADLINE_MS });
}

/** Probes many hosts, at most `parallel` at once, and plans each; the answers keep the hosts' order. */
export async function probeHosts(options: {
  readonly hosts: HostDirectory;
  readonly connections: readonly HostConnection[];
  readonly target: Target;
  /** What of the target holds on which host, by name; a host that is not in it has all that is said of every host. */
  readonly scopes?: ReadonlyMap<string, HostScope>;
  readonly parallel: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number) => void;
}): Promise<readonly ProbedHost[]> {
  const { hosts, connections, target, scopes, parallel, signal, onProgress } = options;
  const answers = new Map<number, ProbedHost>();
  const queue = connections.entries();
  // All workers draw from one iterator, so that a slow host keeps only its own place busy.
  const work = async (): Promise<void> => {
    for (const [at, connection] of queue) {
      signal.throwIfAborted();
      const scope = scopes?.get(connection.name);
      answers.set(at, await probeOne(hosts, connection, { target, ...compact({ scope }) }));
      hosts.forget(connection);
      onProgress?.(answers.size);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, connections.length) }, work));
  return connections.flatMap((_, at) => answers.get(at) ?? []);
}

interface Asked {
  readonly target: Target;
  readonly scope?: HostScope;
}

async function probeOne(
  hosts: HostDirectory,
  connection: HostConnection,
  asked: Asked,
): Promise<ProbedHost> {
  const { target, scope } = asked;
  try {
    const facts = parseFacts(await probeHost(hosts, connection));
    return planFacts(connection, facts, target, scope);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { connection, plan: planOfError(error), guests: [], left: [], ...compact({ scope }) };
  }
}

/**
 * A host that nobody reached is unreachable; one that answered and cannot be used (no sudo, garbage) is
 * blocked. Neither was written to.
 */
function planOfError(error: HostError): ProbedHost['plan'] {
  const kind = error.code.startsWith('ssh.') || error.transient ? 'unreachable' : 'blocked';
  return { kind, code: error.code, sentence: error.message };
}

/** Plans one host from its facts, for what of the target holds there. */
export function planFacts(
  connection: HostConnection,
  facts: Facts,
  target: Target,
  scope?: HostScope,
): ProbedHost {
  const here = targetFor(target, scope);
  const plan = makeHostPlan(facts, here);
  return {
    connection,
    plan,
    guests: facts.runningGuests,
    left: leftOf(facts, here, plan),
    ...compact({ scope }),
  };
}

/** Also of a host that complies: a device that an entry means and the host guards is not as asked. */
function leftOf(facts: Facts, target: Target, plan: ProbedHost['plan']): readonly string[] {
  if (plan.kind !== 'changes' && plan.kind !== 'compliant') return [];
  const line = plan.kind === 'changes' ? cmdlineOf(plan.changes) : undefined;
  const names = namesBefore(facts);
  return [
    ...(line === undefined ? [] : leftAlone(facts, target, line)),
    ...devicesLeftAlone(facts, target, { names, complies: plan.kind === 'compliant' }),
  ];
}
