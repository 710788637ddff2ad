import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { GrubDebianChange } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { TRIAL_SNIPPET, trialArgsText } from '../../../src/domain/drop-in.ts';
import { sameArgs } from '../../../src/domain/kernel-args.ts';
import {
  DROP_IN_PATH,
  TRIAL_ARGS_PATH,
  TRIAL_ID_PATH,
  TRIAL_SNIPPET_PATH,
} from '../../../src/facts/probe.ts';
import type { FileWrite, Guard, HostPort } from '../../../src/host/port.ts';
import { fileWrite } from '../file-writes.ts';
import { hold, runProblem, writeProblem } from '../outcomes.ts';
import type { LineDriver, StateOf } from './line-driver.ts';
import { drift } from './line-driver.ts';

type State = StateOf<GrubDebianChange>;

/** GRUB as Debian has it: a drop-in beside /etc/default/grub, a snippet for the trial, and update-grub after each. */
export const LINE_DEBIAN: LineDriver<GrubDebianChange> = {
  locate(state, change) {
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
    if (found === change.dropIn.after) return { line, files: 'after' };
    if (found === change.dropIn.before) return { line, files: 'before' };
    return drift(`${DROP_IN_PATH} was changed by someone else`, { found: found ?? 'absent' });
  },

  async installTrial(port, { change, guard, state, trialId }) {
    const at = LINE_DEBIAN.locate(state, change);
    if (!('line' in at)) return at;
    if (at.line !== 'before') {
      return hold(
        'drift',
        'the drop-in and the default entry do not agree; run update-grub by hand',
      );
    }
    // Written by a run that died before update-grub: the line is not proven until this trial, so it goes back first.
    const early = at.files === 'after' ? [dropInTo(change, 'before')] : [];
    return writeAndUpdate(port, guard, [...early, ...trialFiles(state, change, trialId)]);
  },

  async settle(port, { change, guard, state, at, side }) {
    const removal = trialRemoval(state);
    const files = [...(at.files === side ? [] : [dropInTo(change, side)]), ...removal];
    const isDone = files.length === 0 && at.line === side && state.loader.trialEntry === undefined;
    return isDone ? undefined : writeAndUpdate(port, guard, files);
  },

  isBack: (args, change) => sameArgs(args, change.before),
};

/** These paths are vfleet's alone, so what an earlier, ended run left in them is replaced. */
function trialFiles(state: State, change: GrubDebianChange, trialId: string): FileWrite[] {
  return [
    fileWrite(TRIAL_ARGS_PATH, state.trialArgs ?? null, trialArgsText(change)),
    fileWrite(TRIAL_ID_PATH, state.trialId ?? null, `${trialId}\n`),
    fileWrite(TRIAL_SNIPPET_PATH, state.loader.trialSnippet ?? null, TRIAL_SNIPPET, {
      mode: 0o755,
    }),
  ];
}

/** Snippet first: without it no grub.cfg generated meanwhile has the entry. */
function trialRemoval(state: State): FileWrite[] {
  const removals = [
    [TRIAL_SNIPPET_PATH, state.loader.trialSnippet],
    [TRIAL_ARGS_PATH, state.trialArgs],
    [TRIAL_ID_PATH, state.trialId],
  ] as const;
  return removals.flatMap(([path, text]) =>
    text === undefined ? [] : [fileWrite(path, text, null)],
  );
}

function dropInTo({ dropIn, createsFolder }: GrubDebianChange, side: 'before' | 'after') {
  return side === 'after'
    ? fileWrite(DROP_IN_PATH, dropIn.before, dropIn.after, { mode: 0o644 })
    : fileWrite(DROP_IN_PATH, dropIn.after, dropIn.before, {
        mode: 0o644,
        removeEmptyParent: createsFolder,
      });
}

async function writeAndUpdate(
  port: HostPort,
  guard: Guard,
  files: readonly FileWrite[],
): Promise<StepOutcome | undefined> {
  const deadlineMs = HOST_DEADLINE_MS.write;
  const written = files.length === 0 ? [] : await port.write({ guard, files, deadlineMs });
  return writeProblem(written) ?? updateGrub(port, guard);
}

async function updateGrub(port: HostPort, guard: Guard): Promise<StepOutcome | undefined> {
  const outcome = await port.run({
    guard,
    argv: ['update-grub'],
    deadlineMs: HOST_DEADLINE_MS.updateGrub,
  });
  return runProblem('cmdline.update-grub-failed', 'update-grub', outcome);
}
