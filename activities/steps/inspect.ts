import { createHash } from 'node:crypto';
import type { HostPlan } from '../../src/domain/changes.ts';
import type { Code } from '../../src/domain/codes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { parseRolloutId } from '../../src/domain/ids.ts';
import type { Target } from '../../src/domain/spec.ts';
import { hardwareOf, makeHostPlan } from '../../src/facts/host-plan.ts';
import { holderSentence } from '../../src/facts/lease.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import { INSPECT_PROBE } from '../../src/facts/probe.ts';
import { lastStandingRun, parseRecord } from '../../src/facts/record.ts';
import type { Snapshot } from '../../src/facts/snapshot.ts';
import type { HostPort } from '../../src/host/port.ts';

/** Everything the probe reads of a host: one command. */
export async function probe(port: HostPort): Promise<Snapshot> {
  return port.read({ entries: INSPECT_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
}

/** What the host needs to come to the target; a host that another rollout works on is held, naming the holder. */
export async function inspectForward(
  port: HostPort,
  target: Target,
  lease: string,
): Promise<HostPlan> {
  const facts = parseFacts(await probe(port));
  const plan = makeHostPlan(facts, target);
  return plan.kind === 'changes' ? (busy(facts, lease) ?? plan) : plan;
}

/** What a rollback takes back: the changes of the newest rollout that still stands in the host's record. */
export async function inspectRollback(
  port: HostPort,
  rollout: string,
  lease: string,
): Promise<HostPlan> {
  const facts = parseFacts(await probe(port));
  const record = parseRecord(facts.record);
  if (record === undefined) {
    return held('rollback.no-record', '/var/lib/vfleet/record.json is not as vfleet writes it');
  }
  const run = lastStandingRun(record);
  if (run === undefined) return { kind: 'compliant', evidence: { record: 'nothing stands' } };
  const name = (id: string) => parseRolloutId(id)?.name ?? id;
  if (name(run.rollout) !== name(rollout)) {
    return held(
      'rollback.not-latest',
      `${run.rollout} changed this host since; roll that back first`,
    );
  }
  if (facts.bootId === undefined || facts.machineId === undefined) {
    return held('host.no-boot-id', 'its boot id or machine id cannot be read');
  }
  return (
    busy(facts, lease) ?? {
      kind: 'changes',
      changes: run.changes,
      reboots: 1,
      digest: createHash('sha256').update(JSON.stringify(run.changes)).digest('hex'),
      hardware: hardwareOf(facts),
      warnings: [],
      bootId: facts.bootId,
      machineId: facts.machineId,
    }
  );
}

const held = (code: Code, sentence: string): HostPlan => ({ kind: 'held', code, sentence });

function busy(facts: Facts, lease: string): HostPlan | undefined {
  if (facts.lease === undefined || facts.lease.id === lease) return undefined;
  return held('host.busy', holderSentence(facts.lease));
}
