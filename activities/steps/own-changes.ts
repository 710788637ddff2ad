import { isBootId } from '../../src/domain/boot-id.ts';
import type { Change, HostPlan, ModulesChange } from '../../src/domain/changes.ts';
import { subjectOf } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { withoutTrialArgs } from '../../src/domain/drop-in.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { STEP_OF_CHANGE, STEPS } from '../../src/domain/host-run.ts';
import { sameArgSet } from '../../src/domain/kernel-args.ts';
import { hardwareOf, planDigest } from '../../src/facts/host-plan.ts';
import { keyValues } from '../../src/facts/parse-facts.ts';
import { MODULES_BOOT_PATH } from '../../src/facts/probe.ts';
import { textOf } from '../../src/facts/snapshot.ts';
import type { HostPort } from '../../src/host/port.ts';
import { checkInitramfs, readInitramfs } from './parts/initramfs.ts';

/**
 * A plan of a host on which an earlier run of the same lease died half-way. What that run recorded is planned as it planned it,
 * also what it has finished: only its record knows what was there before (law 2), it stays one entry there, and a rollback takes
 * back all of it. Compare-and-set goes on from wherever the host stands, and reboots count for what this boot lacks.
 */
export async function withOwnChanges(
  port: HostPort,
  plan: HostPlan,
  { own, facts }: { readonly own: readonly Change[]; readonly facts: Facts },
): Promise<HostPlan> {
  if (own.length === 0 || (plan.kind !== 'changes' && plan.kind !== 'compliant')) return plan;
  const { bootId, machineId } = facts;
  if (bootId === undefined || machineId === undefined) return plan;
  const planned = plan.kind === 'changes' ? plan.changes : [];
  const known = new Set(own.map(subjectOf));
  const changes = [...planned.filter((change) => !known.has(subjectOf(change))), ...own].sort(
    (a, b) => order(a) - order(b),
  );
  return {
    kind: 'changes',
    changes,
    reboots: (await needsReboot(port, changes, facts)) ? 1 : 0,
    digest: planDigest(changes, machineId),
    hardware: hardwareOf(facts),
    warnings: plan.kind === 'changes' ? plan.warnings : [],
    bootId,
    machineId,
  };
}

/**
 * The facts with the files for modules as they were before an earlier run of this very lease wrote them: whether this boot
 * has acted on them is for its proof to say, not for the plan.
 */
export function asBeforeOwnModules(facts: Facts, own: readonly Change[]): Facts {
  const files = own.flatMap((change) => (change.kind === 'modules' ? change.files : []));
  if (files.length === 0) return facts;
  const { devices } = facts;
  const isOwn = (path: string, text: string) =>
    files.some((file) => file.path === path && file.after === text);
  const kept = Object.entries(devices.ownFiles).filter(([path, text]) => !isOwn(path, text));
  const before = files.flatMap(({ path, before: text }) => (text === null ? [] : [[path, text]]));
  const ownFiles = { ...Object.fromEntries(before), ...Object.fromEntries(kept) } as Record<
    string,
    string
  >;
  return { ...facts, devices: { ...devices, ownFiles } };
}

const order = (change: Change): number => STEPS.indexOf(STEP_OF_CHANGE[change.kind]);

/** Whether any of the changes is not in effect in this boot and comes with the next one (law 13). */
async function needsReboot(
  port: HostPort,
  changes: readonly Change[],
  facts: Facts,
): Promise<boolean> {
  const running = withoutTrialArgs(facts.runningArgs);
  for (const change of changes) {
    if (change.kind === 'cmdline' && !sameArgSet(running, change.after)) return true;
    if (change.kind === 'modules' && !(await haveActed(port, change, facts.bootId))) return true;
  }
  return false;
}

/**
 * Whether this boot has read the files of modules: they are there, were written in an earlier boot, and the initramfs of each
 * kernel holds them. Whatever is not known counts as no, as the text of a file in an image: that costs a reboot and no more.
 */
async function haveActed(
  port: HostPort,
  { files, initramfs }: ModulesChange,
  bootId: string | undefined,
): Promise<boolean> {
  const snapshot = await port.read({
    entries: [MODULES_BOOT_PATH, ...files.map(({ path }) => path)].map(
      (glob) => ({ kind: 'file', glob }) as const,
    ),
    deadlineMs: HOST_DEADLINE_MS.read,
  });
  const areThere = files.every(({ path, after }) => (textOf(snapshot, path) ?? null) === after);
  const note = (textOf(snapshot, MODULES_BOOT_PATH) ?? '').slice(0, NOTE_LENGTH_MAX);
  const written = keyValues(note).get('applied');
  if (!areThere || !isBootId(written) || written === bootId) return false;
  return !initramfs || inImages(port, files);
}

/** Longest part of the note that is looked at, in characters. */
const NOTE_LENGTH_MAX = 400;

async function inImages(port: HostPort, files: ModulesChange['files']): Promise<boolean> {
  // A text that was replaced has the same name in an image, so nobody can tell which one it holds.
  if (files.some(({ before, after }) => before !== null && after !== null)) return false;
  const listed = await readInitramfs(port);
  return !('kind' in listed) && checkInitramfs(listed, files, 'after') === undefined;
}
