import { diagnose as findAll, notRead } from '../../domain/diagnose/diagnose.ts';
import type { HostConnection } from '../../domain/host-entry.ts';
import { parseSymptoms } from '../../facts/diagnose/parse-symptoms.ts';
import type { Snapshot } from '../../facts/snapshot.ts';
import type { HostDirectory } from '../../host/connection.ts';
import { HostError } from '../../host/errors.ts';
import type { CommandContext } from '../context.ts';
import { connectionOf, hostNamed, readCapture } from '../inputs.ts';
import type { DiagnosedHost } from '../json/outputs.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { probeForDiagnosis } from '../plan/probe-hosts.ts';
import { renderDiagnosis } from '../render/diagnose.ts';
import { withHosts } from '../with-hosts.ts';

export interface DiagnoseOptions {
  readonly inventory?: string;
  readonly from?: string;
}

/** Hosts that are read at once: each reads its initramfs images, which takes seconds. */
const PARALLEL = 16;

/**
 * Says what is wrong with hosts, or with a capture of one, and what to do; reads only. `waiting` when something needs a person,
 * `failed` when nothing was found and a host could not be asked, else `done`: a note alone is no reason to act.
 */
export async function diagnose(
  context: CommandContext,
  names: readonly string[],
  options: DiagnoseOptions,
): Promise<Outcome> {
  const hosts = await diagnoseAll(context, [...new Set(names)], options);
  context.data({ hosts });
  context.print(renderDiagnosis(hosts, context.style, context.width(), options));
  return outcomeOf(hosts);
}

async function diagnoseAll(
  context: CommandContext,
  names: readonly string[],
  { inventory, from }: DiagnoseOptions,
): Promise<readonly DiagnosedHost[]> {
  if (from !== undefined && names.length === 0) {
    const found = understood(await readCapture(from));
    return [{ name: found.hostname, capture: from, ...found.said }];
  }
  if (from === undefined && names.length > 0 && inventory !== undefined) {
    const connections: HostConnection[] = [];
    for (const name of names) connections.push(connectionOf(await hostNamed(inventory, name)));
    return withHosts(context, (hosts) => askAll(context, hosts, connections));
  }
  throw new CliError(
    'usage',
    'Name either hosts with their inventory, or a capture.',
    'vfleet diagnose HOST... -i INVENTORY, or vfleet diagnose --from DIR',
  );
}

/** All hosts, in the order in which they were named. */
async function askAll(
  { signal }: Pick<CommandContext, 'signal'>,
  hosts: HostDirectory,
  connections: readonly HostConnection[],
): Promise<readonly DiagnosedHost[]> {
  const answers: DiagnosedHost[] = [];
  const queue = connections.entries();
  const work = async (): Promise<void> => {
    for (const [at, connection] of queue) {
      signal.throwIfAborted();
      answers[at] = await askOne(hosts, connection);
      hosts.forget(connection);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, connections.length) }, work));
  return answers;
}

/** A host that could not be asked says why, so that it costs the others nothing. */
async function askOne(hosts: HostDirectory, connection: HostConnection): Promise<DiagnosedHost> {
  const { name } = connection;
  try {
    return { name, ...understood(await probeForDiagnosis(hosts, connection)).said };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { name, problem: { code: error.code, sentence: error.message } };
  }
}

function understood(snapshot: Snapshot) {
  const symptoms = parseSymptoms(snapshot);
  return {
    hostname: symptoms.facts.hostname,
    said: { findings: findAll(symptoms), notRead: notRead(symptoms) },
  };
}

function outcomeOf(hosts: readonly DiagnosedHost[]): Outcome {
  const findings = hosts.flatMap((host) => ('findings' in host ? host.findings : []));
  if (findings.some(({ severity }) => severity !== 'note')) return 'waiting';
  return hosts.some((host) => 'problem' in host) ? 'failed' : 'done';
}
