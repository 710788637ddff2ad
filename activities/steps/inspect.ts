import { createHash } from 'node:crypto';
import { DEFAULT_GRUB_PATH } from '../../src/domain/boot-loader/default-grub.ts';
import { KERNEL_CMDLINE_PATH } from '../../src/domain/boot-loader/line-change.ts';
import type { CmdlineChange, HostPlan } from '../../src/domain/changes.ts';
import { cmdlineOf, rebootsOf, touchedFunctions } from '../../src/domain/changes.ts';
import type { Code } from '../../src/domain/codes.ts';
import { compact } from '../../src/domain/compact.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { parseRolloutId } from '../../src/domain/ids.ts';
import { sameArgs } from '../../src/domain/kernel-args.ts';
import type { Target } from '../../src/domain/spec.ts';
import { hardwareOf, makeHostPlan } from '../../src/facts/host-plan.ts';
import { holderSentence } from '../../src/facts/lease.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import { INSPECT_PROBE } from '../../src/facts/probe.ts';
import type { HostRecord, RecordedRun } from '../../src/facts/record.ts';
import { isOpen, isStanding, lastStandingRun, parseRecord } from '../../src/facts/record.ts';
import type { Snapshot } from '../../src/facts/snapshot.ts';
import type { HostPort } from '../../src/host/port.ts';
import { readDeviceHealth } from './device-health.ts';
import { asBeforeOwnModules, withOwnChanges } from './own-changes.ts';

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
  const own = ownOpenRun(facts, lease);
  const before = asBeforeOwnModules(asBeforeOwnRun(facts, own), own?.changes ?? []);
  const plan = makeHostPlan(before, target, lease);
  if (own === undefined) return withReadings(port, plan);
  return withReadings(port, await withOwnChanges(port, plan, { own: own.changes, facts }));
}

/** How the devices do that the plan touches, for health to compare with: a command of its own, since a sick one may be slow to answer. */
async function withReadings(port: HostPort, plan: HostPlan): Promise<HostPlan> {
  if (plan.kind !== 'changes') return plan;
  const addresses = touchedFunctions(plan.changes);
  if (addresses.length === 0) return plan;
  return { ...plan, readings: await readDeviceHealth(port, { addresses }) };
}

/**
 * The facts without a drop-in that an earlier run of this very lease wrote and never brought into grub.cfg: that run
 * died in between. Planned from as it was, the change is that run's own, and the record's state before stays true (law 2).
 */
function asBeforeOwnRun(facts: Facts, run: RecordedRun | undefined): Facts {
  const { bootLoader } = facts;
  const own = cmdlineOf(run?.changes ?? []);
  if (!bootLoader.supported || own === undefined) return facts;
  if (bootLoader.kind !== 'grub-debian' || own.loader !== 'grub-debian') {
    return asBeforeOwnFiles(facts, own);
  }
  const isHalfWay =
    bootLoader.dropIn === own.dropIn.after && sameArgs(bootLoader.defaultEntry.args, own.before);
  if (!isHalfWay) return facts;
  const dropIn = own.dropIn.before ?? undefined;
  const dropInFolder = !own.createsFolder;
  return { ...facts, bootLoader: compact({ ...bootLoader, dropIn, dropInFolder }) };
}

/** The same where the line stands in files: those that were written already count as before, while the default is as before. */
function asBeforeOwnFiles(facts: Facts, own: CmdlineChange): Facts {
  const { bootLoader } = facts;
  if (!bootLoader.supported || bootLoader.kind !== 'grub-bls' || own.loader !== 'grub-bls')
    return facts;
  if (!sameArgs(bootLoader.defaultEntry.args, own.before)) return facts;
  const before = (path: string, text: string) => {
    const file = own.files.find((one) => one.path === path && one.after === text);
    return file?.before ?? text;
  };
  const { entries, defaultGrub, kernelCmdline } = bootLoader;
  return {
    ...facts,
    bootLoader: compact({
      ...bootLoader,
      entries: entries.map(({ path, text }) => ({ path, text: before(path, text) })),
      defaultGrub: before(DEFAULT_GRUB_PATH, defaultGrub),
      kernelCmdline: kernelCmdline && before(KERNEL_CMDLINE_PATH, kernelCmdline),
    }),
  };
}

/** What an earlier run under this lease began and did not end, as the host's record has it. */
function ownOpenRun(facts: Facts, lease: string): RecordedRun | undefined {
  const last = parseRecord(facts.record, facts.undone)?.runs.at(-1);
  const isOwn = facts.lease?.id === lease && facts.lease.rollout === last?.rollout;
  return last !== undefined && isOwn && isOpen(last) ? last : undefined;
}

/**
 * What a rollback takes back: the changes of the newest rollout that still stands in the host's record. With `undoOf`
 * those of that rollout only: a host that it never changed keeps what an earlier one of the same spec did.
 */
export async function inspectRollback(
  port: HostPort,
  rollout: string,
  lease: string,
  undoOf?: string,
): Promise<HostPlan> {
  const facts = parseFacts(await probe(port));
  const record = parseRecord(facts.record, facts.undone);
  if (record === undefined) {
    return held('rollback.no-record', '/var/lib/vfleet/record.json is not as vfleet writes it');
  }
  const run = lastStandingRun(record);
  const stands = (id: string) => record.runs.some((one) => one.rollout === id && isStanding(one));
  if (run === undefined || (undoOf !== undefined && !stands(undoOf)))
    return nothingStands(facts, record);
  const name = (id: string) => parseRolloutId(id)?.name ?? id;
  const isLatest =
    undoOf === undefined ? name(run.rollout) === name(rollout) : run.rollout === undoOf;
  if (!isLatest) {
    return held(
      'rollback.not-latest',
      `${run.rollout} changed this host since, and goes back first: skip the host here, roll that back, then roll this back again`,
    );
  }
  if (facts.bootId === undefined || facts.machineId === undefined) {
    return held('host.no-boot-id', 'its boot id or machine id cannot be read');
  }
  return (
    busy(facts, lease) ?? {
      kind: 'changes',
      changes: run.changes,
      reboots: rebootsOf(run.changes),
      digest: createHash('sha256').update(JSON.stringify(run.changes)).digest('hex'),
      hardware: hardwareOf(facts),
      warnings: [],
      bootId: facts.bootId,
      machineId: facts.machineId,
    }
  );
}

/** A host that was taken back by hand is as it was only once it has left the line that it runs (UNDO.txt never reboots). */
function nothingStands(facts: Facts, record: HostRecord): HostPlan {
  const undone = record.runs.findLast(({ changes }) => changes.length > 0)?.undone;
  if (undone === undefined) return { kind: 'compliant', evidence: { record: 'nothing stands' } };
  const sentence = `${undone.who} undid it by hand at ${undone.at}`;
  const { bootLoader, runningArgs } = facts;
  if (!bootLoader.supported || sameArgs(runningArgs, bootLoader.defaultEntry.args)) {
    return { kind: 'compliant', evidence: { record: sentence } };
  }
  return held(
    'cmdline.pending-differs',
    `${sentence}, and it still runs the line of before that; reboot it, then retry`,
  );
}

const held = (code: Code, sentence: string): HostPlan => ({ kind: 'held', code, sentence });

function busy(facts: Facts, lease: string): HostPlan | undefined {
  if (facts.lease === undefined || facts.lease.id === lease) return undefined;
  return held('host.busy', holderSentence(facts.lease));
}
