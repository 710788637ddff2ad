import type { Change, Evidence } from '../src/domain/changes.ts';
import { cmdlineOf } from '../src/domain/changes.ts';
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

/** Registers changes before they are applied, each once: an apply that was cut off has to be taken back too (law 5). */
export function pushUndo(run: HostRun, changes: readonly Change[]): void {
  const known = new Set(run.state.undo.map(({ change }) => JSON.stringify(change)));
  const fresh = changes.filter((change) => !known.has(JSON.stringify(change)));
  run.set({ undo: [...run.state.undo, ...fresh.map((change) => ({ change }))] });
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
 * Takes back all that a step began, last first, in one activity: 200 of them would be more events than a history holds
 * (law 11). One that fails stays on the stack and does not stop the others of its step, but the run: what an earlier step did
 * may carry it.
 */
async function undoStep(run: HostRun, step: Step): Promise<StepEnd> {
  const failures: Failure[] = [];
  const begun = run.state.undo.filter(({ change }) => STEP_OF_CHANGE[change.kind] === step);
  for (let rest = begun.toReversed(); rest.length > 0;) {
    const { tried, failed } = await undoSome(run, step, rest);
    const left = new Set(failed.flatMap(({ entries }) => entries));
    const gone = new Set(rest.slice(0, tried).filter((entry) => !left.has(entry)));
    run.set({ undo: run.state.undo.filter((entry) => !gone.has(entry)) });
    failures.push(...failed);
    rest = rest.slice(tried);
  }
  const texts = failureTexts(failures);
  run.set({ undoFailures: texts });
  const [first] = failures;
  if (first === undefined) return GO_ON;
  const count = failures.reduce((sum, { entries }) => sum + entries.length, 0);
  return {
    kind: 'hold',
    // A host that does not answer counts as unavailable, and is told apart from one that refuses.
    code: isAway(first.code) ? first.code : 'undo.failed',
    sentence: `${count} of its changes could not be taken back: ${texts[0] ?? ''}`,
    evidence: Object.fromEntries(texts.map((text, at) => [`undo ${at + 1}`, text])),
  };
}

interface Failure {
  /** What could not be taken back for this reason; all that was left, of a host that could not be spoken to. */
  readonly entries: readonly UndoEntry[];
  readonly code: string;
  readonly sentence: string;
}

/** Most failures that are told one by one: each is kept in the state, and told to the rollout. */
const TOLD_MAX = 8;

function failureTexts(failures: readonly Failure[]): readonly string[] {
  const texts = failures.map(({ code, sentence }) => `${code}: ${sentence}`);
  if (texts.length <= TOLD_MAX) return texts;
  const more = `and ${texts.length - TOLD_MAX + 1} more`;
  return [...texts.slice(0, TOLD_MAX - 1), more];
}

/** How many of the entries were looked at, from the first, and which of them could not be taken back. */
async function undoSome(
  run: HostRun,
  step: Step,
  entries: readonly UndoEntry[],
): Promise<{ readonly tried: number; readonly failed: readonly Failure[] }> {
  const changes = entries.map(({ change }) => change);
  try {
    const outcome = await lengthy.undo({ ...run.mutation(), changes, rollout: run.input.rollout });
    noteReboot(run, step, outcome.evidence);
    const failed = outcome.failures.map(({ index, ...why }) => ({
      ...why,
      entries: entries.slice(index, index + 1),
    }));
    return { tried: outcome.tried, failed };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { tried: entries.length, failed: [{ ...failure, entries }] };
  }
}

function noteReboot(run: HostRun, step: Step, evidence: Evidence): void {
  run.saw(step, evidence);
  if (evidence['reboot'] === 'needed') run.set({ undoReboot: true });
}
