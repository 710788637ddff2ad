import type { StepOutcome } from '../../src/domain/activities.ts';
import type { CmdlineChange } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import {
  TRIAL_ONLY_ARGS,
  TRIAL_SNIPPET,
  trialArgsText,
  trialMarker,
  withoutTrialArgs,
} from '../../src/domain/drop-in.ts';
import { sameArgs, sameArgSet } from '../../src/domain/kernel-args.ts';
import { TRIAL_ENTRY_ID } from '../../src/facts/boot-loader.ts';
import {
  DROP_IN_PATH,
  TRIAL_ARGS_PATH,
  TRIAL_ID_PATH,
  TRIAL_SNIPPET_PATH,
} from '../../src/facts/probe.ts';
import type { FileWrite, Guard, HostPort } from '../../src/host/port.ts';
import type { BootState } from './parts/boot-loader.ts';
import { readBootState } from './parts/boot-loader.ts';
import { fileWrite } from './file-writes.ts';
import { hold, ok, runProblem, writeProblem } from './outcomes.ts';

/** What each function of this step gets; the guard carries the fencing token. */
export interface CmdlineCall {
  readonly change: CmdlineChange;
  readonly guard: Guard;
}

/** Where the default entry and the drop-in stand between `before` and `after`; `drift` when anywhere else (law 3). */
type Position = { readonly kind: 'drift'; readonly outcome: StepOutcome } | Standing;
interface Standing {
  readonly kind: 'between';
  readonly state: BootState;
  readonly line: 'before' | 'after';
  readonly dropIn: 'before' | 'after';
}

async function locate(port: HostPort, change: CmdlineChange): Promise<Position> {
  const state = await readBootState(port);
  if (typeof state === 'string') return drift(`the boot loader is not as planned: ${state}`, {});
  const args = state.loader.defaultEntry.args;
  const line = sameArgs(args, change.before)
    ? 'before'
    : sameArgs(args, change.after)
      ? 'after'
      : undefined;
  if (line === undefined) {
    return drift('the default entry is neither as before nor as after', {
      found: args.join(' '),
      before: change.before.join(' '),
      after: change.after.join(' '),
    });
  }
  const found = state.loader.dropIn ?? null;
  if (found === change.dropIn.after) return { kind: 'between', state, line, dropIn: 'after' };
  if (found === change.dropIn.before) return { kind: 'between', state, line, dropIn: 'before' };
  return drift(`${DROP_IN_PATH} was changed by someone else`, { found: found ?? 'absent' });
}

function drift(sentence: string, evidence: Record<string, string>): Position {
  return { kind: 'drift', outcome: hold('drift', sentence, evidence) };
}

/** Installs the trial entry beside the unchanged default entry, and reads both back from grub.cfg. */
export async function applyTrial(
  port: HostPort,
  call: CmdlineCall & { readonly trialId: string },
): Promise<StepOutcome> {
  const { change, guard, trialId } = call;
  const at = await locate(port, change);
  if (at.kind === 'drift') return at.outcome;
  if (at.line === 'after' && at.dropIn === 'after') {
    return ok({ cmdline: 'already the default', args: change.after.join(' ') });
  }
  if (at.line !== 'before') {
    return hold('drift', 'the drop-in and the default entry do not agree; run update-grub by hand');
  }
  // Written by a run that died before update-grub: the line is not proven until this trial, so it goes back first.
  const early = at.dropIn === 'after' ? [dropInRemoval(change)] : [];
  const problem =
    writeProblem(
      await port.write({
        guard,
        files: [...early, ...trialFiles(at.state, change, trialId)],
        deadlineMs: HOST_DEADLINE_MS.write,
      }),
    ) ?? (await updateGrub(port, guard));
  return problem ?? verifyTrial(port, change, trialId);
}

/** These paths are vfleet's alone, so what an earlier, ended run left in them is replaced. */
function trialFiles(state: BootState, change: CmdlineChange, trialId: string): FileWrite[] {
  return [
    fileWrite(TRIAL_ARGS_PATH, state.trialArgs ?? null, trialArgsText(change)),
    fileWrite(TRIAL_ID_PATH, state.trialId ?? null, `${trialId}\n`),
    fileWrite(TRIAL_SNIPPET_PATH, state.loader.trialSnippet ?? null, TRIAL_SNIPPET, {
      mode: 0o755,
    }),
  ];
}

/** Snippet first: without it no grub.cfg generated meanwhile has the entry. */
function trialRemoval(state: BootState): FileWrite[] {
  const removals = [
    [TRIAL_SNIPPET_PATH, state.loader.trialSnippet],
    [TRIAL_ARGS_PATH, state.trialArgs],
    [TRIAL_ID_PATH, state.trialId],
  ] as const;
  return removals.flatMap(([path, text]) =>
    text === undefined ? [] : [fileWrite(path, text, null)],
  );
}

async function updateGrub(port: HostPort, guard: Guard): Promise<StepOutcome | undefined> {
  const outcome = await port.run({
    guard,
    argv: ['update-grub'],
    deadlineMs: HOST_DEADLINE_MS.updateGrub,
  });
  return runProblem('cmdline.update-grub-failed', 'update-grub', outcome);
}

async function verifyTrial(
  port: HostPort,
  change: CmdlineChange,
  trialId: string,
): Promise<StepOutcome> {
  const at = await locate(port, change);
  if (at.kind === 'drift') return at.outcome;
  const expected = [...change.after, ...TRIAL_ONLY_ARGS, trialMarker(trialId)];
  const found = at.state.loader.trialEntry?.args;
  if (at.line !== 'before' || found === undefined || !sameArgSet(found, expected)) {
    return hold('cmdline.readback', 'grub.cfg does not hold the trial entry as asked', {
      trial: found?.join(' ') ?? 'no trial entry',
      expected: expected.join(' '),
      default: at.state.loader.defaultEntry.args.join(' '),
    });
  }
  return ok({ trial: found.join(' '), default: 'unchanged' });
}

/** After proof: the drop-in makes the new line the default, and the trial entry goes. Reads the default back. */
export async function makeDefault(port: HostPort, call: CmdlineCall): Promise<StepOutcome> {
  const { change, guard } = call;
  const at = await locate(port, change);
  if (at.kind === 'drift') return at.outcome;
  const removal = trialRemoval(at.state);
  const settled = at.line === 'after' && at.dropIn === 'after';
  if (settled && removal.length === 0) return verifyDefault(port, change, 'after');
  const dropIn = fileWrite(DROP_IN_PATH, change.dropIn.before, change.dropIn.after, {
    mode: 0o644,
  });
  const problem =
    writeProblem(
      await port.write({
        guard,
        files: [dropIn, ...removal],
        deadlineMs: HOST_DEADLINE_MS.write,
      }),
    ) ?? (await updateGrub(port, guard));
  return problem ?? verifyDefault(port, change, 'after');
}

/** Takes the change back: trial entry, one-shot and drop-in. Says whether the running line needs a reboot to be gone. */
export async function undoCmdline(port: HostPort, call: CmdlineCall): Promise<StepOutcome> {
  const { change, guard } = call;
  const at = await locate(port, change);
  if (at.kind === 'drift') return at.outcome;
  const { loader, runningArgs } = at.state;
  const armed = loader.nextEntry === TRIAL_ENTRY_ID;
  const problem =
    (armed ? await disarm(port, guard) : undefined) ?? (await restore(port, guard, change, at));
  if (problem !== undefined) return problem;
  const verified = await verifyDefault(port, change, 'before');
  if (verified.kind === 'hold') return verified;
  const reboot = sameArgs(withoutTrialArgs(runningArgs), change.before) ? 'not needed' : 'needed';
  return ok({ ...verified.evidence, reboot });
}

function dropInRemoval(change: CmdlineChange): FileWrite {
  return fileWrite(DROP_IN_PATH, change.dropIn.after, change.dropIn.before, {
    mode: 0o644,
    removeEmptyParent: change.createsFolder,
  });
}

/** Takes our files away and makes grub.cfg again; a host on which nothing of ours is left is not touched. */
async function restore(
  port: HostPort,
  guard: Guard,
  change: CmdlineChange,
  at: Standing,
): Promise<StepOutcome | undefined> {
  const files = [
    ...(at.dropIn === 'before' ? [] : [dropInRemoval(change)]),
    ...trialRemoval(at.state),
  ];
  if (files.length === 0 && at.line === 'before' && at.state.loader.trialEntry === undefined) {
    return undefined;
  }
  const written =
    files.length === 0
      ? []
      : await port.write({ guard, files, deadlineMs: HOST_DEADLINE_MS.write });
  return writeProblem(written) ?? updateGrub(port, guard);
}

async function disarm(port: HostPort, guard: Guard): Promise<StepOutcome | undefined> {
  const outcome = await port.run({
    guard,
    argv: ['grub-editenv', '-', 'unset', 'next_entry'],
    deadlineMs: HOST_DEADLINE_MS.grubReboot,
  });
  return runProblem('cmdline.one-shot-stuck', 'grub-editenv', outcome);
}

async function verifyDefault(
  port: HostPort,
  change: CmdlineChange,
  wanted: 'before' | 'after',
): Promise<StepOutcome> {
  const at = await locate(port, change);
  if (at.kind === 'drift') return at.outcome;
  const { loader } = at.state;
  const leftover = loader.trialEntry !== undefined || loader.nextEntry === TRIAL_ENTRY_ID;
  const same = sameArgs(change.before, change.after) || at.line === wanted;
  if (!same || at.dropIn !== wanted || leftover) {
    return hold(
      'cmdline.readback',
      `grub.cfg does not hold the ${wanted === 'after' ? 'new' : 'old'} line as the default`,
      {
        default: loader.defaultEntry.args.join(' '),
        trialEntry: loader.trialEntry === undefined ? 'absent' : 'still there',
        nextEntry: loader.nextEntry ?? 'none',
      },
    );
  }
  return ok({ default: loader.defaultEntry.args.join(' ') });
}
