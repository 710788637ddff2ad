import type { DeviceStep, StepOutcome, UndoOutcome } from '../../src/domain/activities.ts';
import type { Change, Evidence } from '../../src/domain/changes.ts';
import { ofKind } from '../../src/domain/changes.ts';
import type { Allow } from '../../src/domain/spec.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import { applyAttach } from './attach.ts';
import { applyBind, undoBind } from './bind.ts';
import { checkDevicesOnHost } from './check-devices.ts';
import { undoCmdline } from './cmdline.ts';
import { applyHugepages, undoHugepages } from './hugepages.ts';
import { undoAttach } from './detach.ts';
import { applyModules, undoModules } from './modules.ts';
import { ok } from './outcomes.ts';
import { applyVfs, undoVfs } from './vfs.ts';

/**
 * Applies all changes of one step; before VFs are made or drivers taken away, what guards them is read again, since a hold may have
 * lasted for days. The first that does not come out as asked holds the step.
 */
export async function applyDevices(
  port: HostPort,
  call: {
    readonly step: DeviceStep;
    readonly changes: readonly Change[];
    readonly willReboot: boolean;
    readonly allow: readonly Allow[];
    readonly guard: Guard;
  },
): Promise<StepOutcome> {
  const { step, changes, willReboot, allow, guard } = call;
  switch (step) {
    case 'modules':
      return inOrder([
        () => applyModules(port, { changes: ofKind(changes, 'modules'), guard }),
        () =>
          applyHugepages(port, { changes: ofKind(changes, 'hugepages'), guard, live: !willReboot }),
      ]);
    case 'vfs':
      return inOrder([
        () => checkDevicesOnHost(port, { target: { allow }, changes }),
        () => applyVfs(port, { changes: ofKind(changes, 'vfs'), guard }),
      ]);
    case 'bind':
      return inOrder([
        () => checkDevicesOnHost(port, { target: { allow }, changes }),
        () => applyBind(port, { changes: ofKind(changes, 'bind'), guard }),
      ]);
    case 'attach':
      return applyAttach(port, { changes: ofKind(changes, 'attach'), guard });
  }
}

/** Most pieces of evidence of one undo: it goes through the engine's history. */
const EVIDENCE_MAX = 12;

/**
 * Takes changes back, in this order. One that cannot be is told with its reason, and the others go on: each is a change of its
 * own. Begins no further one after `limitMs`, and ends with what it has done when the host is lost: whoever calls again goes on
 * from there. Throws only when nothing was done.
 */
export async function undoChanges(
  port: HostPort,
  call: { readonly changes: readonly Change[]; readonly guard: Guard },
  { limitMs, now = Date.now }: { readonly limitMs: number; readonly now?: () => number },
): Promise<UndoOutcome> {
  const { changes, guard } = call;
  const until = now() + limitMs;
  const failures: UndoOutcome['failures'][number][] = [];
  const seen: Evidence[] = [];
  for (const [index, change] of changes.entries()) {
    const outcome =
      index > 0 && now() >= until
        ? undefined
        : await undoOr(port, change, { guard, first: index === 0 });
    if (outcome === undefined) break;
    if (outcome.kind === 'ok') seen.push(outcome.evidence);
    else failures.push({ index, code: outcome.code, sentence: outcome.sentence });
  }
  return { tried: seen.length + failures.length, failures, evidence: folded(seen) };
}

/** `undefined`: it was cut off, and is to be looked at afresh (law 8). The first one throws, so that the attempt is retried. */
async function undoOr(
  port: HostPort,
  change: Change,
  { guard, first }: { readonly guard: Guard; readonly first: boolean },
): Promise<StepOutcome | undefined> {
  try {
    return await undoChange(port, change, guard);
  } catch (error) {
    if (first) throw error;
    return undefined;
  }
}

/** The evidence of many as that of one: a reboot that any of them needs is needed. */
function folded(seen: readonly Evidence[]): Evidence {
  const needed = seen.some(({ reboot }) => reboot === 'needed');
  const pieces = Object.entries(Object.assign({}, ...seen) as Evidence).filter(
    ([name]) => name !== 'reboot',
  );
  const more = pieces.length - EVIDENCE_MAX;
  return {
    ...Object.fromEntries(pieces.slice(0, EVIDENCE_MAX)),
    ...(more > 0 ? { others: `${more} more` } : {}),
    reboot: needed ? 'needed' : 'not needed',
  };
}

/** Takes one change back, of whatever kind. */
export function undoChange(port: HostPort, change: Change, guard: Guard): Promise<StepOutcome> {
  switch (change.kind) {
    case 'cmdline':
      return undoCmdline(port, { change, guard });
    case 'modules':
      return undoModules(port, { change, guard });
    case 'hugepages':
      return undoHugepages(port, { change, guard });
    case 'vfs':
      return undoVfs(port, { change, guard });
    case 'bind':
      return undoBind(port, { change, guard });
    case 'attach':
      return undoAttach(port, { change, guard });
  }
}

async function inOrder(parts: readonly (() => Promise<StepOutcome>)[]): Promise<StepOutcome> {
  let evidence: Evidence = {};
  for (const part of parts) {
    const outcome = await part();
    if (outcome.kind === 'hold') return outcome;
    evidence = { ...evidence, ...outcome.evidence };
  }
  return ok(evidence);
}
