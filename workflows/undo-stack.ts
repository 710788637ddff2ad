import type { Change, Evidence } from '../src/domain/changes.ts';
import { cmdlineOf, sameChange } from '../src/domain/changes.ts';
import { compact } from '../src/domain/compact.ts';
import { isAway } from '../src/domain/holds.ts';
import type { Step, UndoEntry } from '../src/domain/host-run.ts';
import { STEP_OF_CHANGE } from '../src/domain/host-run.ts';
import { lengthy } from './activity-proxies.ts';
import { rebootStep, waitStep } from './boot-steps.ts';
import { failureOf } from './failures.ts';
import type { HostRun, StepEnd } from './host-context.ts';
import { finishRecord, undrainStep } from './service-steps.ts';

/** The steps of a rollback, in order: take back, boot the old line when that is needed, bring back into service. */
export const UNDO_STEPS = [
  'attach',
  'bind',
  'vfs',
  'modules',
  'cmdline',
  'reboot',
  'wait',
  'undrain',
] as const satisfies readonly Step[];

const GO_ON: StepEnd = { kind: 'ok', evidence: {} };

/** Registers a change before it is applied, once: an apply that was cut off has to be taken back too (law 5). */
export function pushUndo(run: HostRun, change: Change): void {
  const known = run.state.undo.some((entry) => sameChange(entry.change, change));
  if (!known) run.set({ undo: [...run.state.undo, { change }] });
}

/** Turns the run round. A reboot under way in the other direction is forgotten: each undo looks at the host afresh. */
export function startUndo(run: HostRun): void {
  run.set({ undoing: true, step: UNDO_STEPS[0], hold: null, rebootSent: false, undoFailures: [] });
}

/** The way back, step by step; the steps that UNDO_STEPS leaves out have nothing to take back. */
export const UNDO: Readonly<Record<Step, (run: HostRun) => Promise<StepEnd>>> = {
  inspect: nothing,
  firmware: nothing,
  drain: nothing,
  cmdline: (run) => undoStep(run, 'cmdline'),
  modules: (run) => undoStep(run, 'modules'),
  reboot: async (run) =>
    run.state.undoReboot ? rebootStep(run, { trial: false, again: true }) : GO_ON,
  wait: async (run) => {
    const change = cmdlineOf(run.state.changes);
    return run.state.undoReboot
      ? waitStep(run, { ...compact({ change }), expect: 'before' })
      : GO_ON;
  },
  iommu: nothing,
  vfs: (run) => undoStep(run, 'vfs'),
  bind: (run) => undoStep(run, 'bind'),
  attach: (run) => undoStep(run, 'attach'),
  health: nothing,
  undrain: async (run) => {
    const undrained = run.state.drained ? await undrainStep(run) : GO_ON;
    if (undrained.kind !== 'ok') return undrained;
    const finished = await finishRecord(run, 'rolled-back');
    if (finished.kind !== 'ok') return finished;
    return { kind: 'end', result: { state: 'rolled-back', ...(run.state.reason ?? {}) } };
  },
};

function nothing(): Promise<StepEnd> {
  return Promise.resolve(GO_ON);
}

/**
 * Takes back all that a step began, last first. One that fails stays on the stack and does not stop the others of its step,
 * but the run: what an earlier step did may carry it.
 */
async function undoStep(run: HostRun, step: Step): Promise<StepEnd> {
  const failures: Failure[] = [];
  const left: UndoEntry[] = [];
  for (const entry of run.state.undo.toReversed()) {
    const isMeant = STEP_OF_CHANGE[entry.change.kind] === step;
    const failure = isMeant ? await undoOne(run, step, entry.change) : undefined;
    if (failure !== undefined) failures.push(failure);
    if (failure !== undefined || !isMeant) left.unshift(entry);
  }
  const texts = failures.map(({ code, sentence }) => `${code}: ${sentence}`);
  run.set({ undo: left, undoFailures: texts });
  const [first] = failures;
  if (first === undefined) return GO_ON;
  return {
    kind: 'hold',
    // A host that does not answer counts as unavailable, and is told apart from one that refuses.
    code: isAway(first.code) ? first.code : 'undo.failed',
    sentence: `${failures.length} of its changes could not be taken back: ${texts[0] ?? ''}`,
    evidence: Object.fromEntries(texts.map((text, at) => [`undo ${at + 1}`, text])),
  };
}

interface Failure {
  readonly code: string;
  readonly sentence: string;
}

/** `undefined` when the change is taken back; else why not. */
async function undoOne(run: HostRun, step: Step, change: Change): Promise<Failure | undefined> {
  try {
    const outcome = await lengthy.undo({
      ...run.mutation(),
      change,
      rollout: run.input.rollout,
    });
    if (outcome.kind === 'hold') return outcome;
    noteReboot(run, step, outcome.evidence);
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return failure;
  }
}

function noteReboot(run: HostRun, step: Step, evidence: Evidence): void {
  run.saw(step, evidence);
  if (evidence['reboot'] === 'needed') run.set({ undoReboot: true });
}
