import type { StepOutcome } from '../../../src/domain/activities.ts';
import {
  BLS_FOLDER,
  isRescueEntry,
  parseBlsEntry,
  trialEntryText,
  withOptions,
} from '../../../src/domain/boot-loader/bls-entry.ts';
import { DEFAULT_GRUB_PATH } from '../../../src/domain/boot-loader/default-grub.ts';
import { editEntry, KERNEL_CMDLINE_PATH } from '../../../src/domain/boot-loader/line-change.ts';
import { LOADER_TOOLS } from '../../../src/domain/boot-loader/tools.ts';
import type { FileChange, GrubBlsChange } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { TRIAL_ONLY_ARGS, trialMarker, withoutTrialArgs } from '../../../src/domain/drop-in.ts';
import { sameArgs } from '../../../src/domain/kernel-args.ts';
import { BLS_TRIAL_PATH } from '../../../src/facts/probe.ts';
import type { FileWrite, Guard, HostPort } from '../../../src/host/port.ts';
import { fileWrite } from '../file-writes.ts';
import { runProblem, tail, writeProblem } from '../outcomes.ts';
import type { LineDriver, Side, Standing, StateOf } from './line-driver.ts';
import { drift } from './line-driver.ts';

type State = StateOf<GrubBlsChange>;

/**
 * GRUB with an entry file for each kernel. Nothing is generated: what is written is what is booted.
 *
 * | it dies after             | what is on the host                     | what happens                                        |
 * | ------------------------- | --------------------------------------- | --------------------------------------------------- |
 * | the trial's file          | an entry that nothing boots by itself   | retry writes it anew                                |
 * | kernelopts, after proof   | the proven line, for some or all entries | retry goes on; each file is as before or as after   |
 * | any file, after proof     | as above                                | as above                                            |
 * | undo: any of these        | as above, towards before                | as above                                            |
 */
export const LINE_BLS: LineDriver<GrubBlsChange> = {
  locate(state, change) {
    const { loader } = state;
    const strange = strangeFile(state, change) ?? strangeKernelopts(state, change);
    if (strange !== undefined) return strange;
    const line = sideOfLine(state, change);
    if (line === undefined) {
      return drift('the default entry is neither as before nor as after', {
        entry: loader.defaultPath,
        found: loader.defaultEntry.args.join(' '),
        before: change.before.join(' '),
        after: change.after.join(' '),
      });
    }
    return { line, files: sideOfFiles(state, change) };
  },

  async installTrial(port, { change, guard, state, trialId }) {
    const at = LINE_BLS.locate(state, change);
    if (!('line' in at)) return at;
    const { loader } = state;
    // A default that is not proven in this run goes back first.
    const problem =
      at.files === 'before'
        ? undefined
        : await LINE_BLS.settle(port, { change, guard, state, at, side: 'before' });
    const base = loader.entries.find(({ path }) => path === loader.defaultPath)?.text ?? '';
    const options = [...change.after, ...TRIAL_ONLY_ARGS, trialMarker(trialId)];
    const text = trialEntryText(base, options, trialId);
    // One that settle took away is not there any more.
    const found = at.files === 'before' ? (loader.trialText ?? null) : null;
    return (
      problem ?? writeFiles(port, guard, [fileWrite(BLS_TRIAL_PATH, found, text, { mode: 0o644 })])
    );
  },

  async settle(port, { change, guard, state, side }) {
    const { trialText } = state.loader;
    const trial = trialText === undefined ? [] : [fileWrite(BLS_TRIAL_PATH, trialText, null)];
    const files = [...trial, ...filesTo(state, change, side)];
    return (
      (await setKernelopts(port, { guard, state, change, side })) ??
      (files.length === 0 ? undefined : writeFiles(port, guard, files))
    );
  },

  isBack: (args, change) =>
    sameArgs(args, change.before) || !args.some((arg) => addedBy(change).includes(arg)),
};

/** Arguments that were not on the line before. */
const addedBy = ({ add, before }: GrubBlsChange): readonly string[] =>
  add.filter((arg) => !before.includes(arg));

/** A file as it is now; `undefined`: it is not there. */
function textNow({ loader }: State, path: string): string | undefined {
  if (path === DEFAULT_GRUB_PATH) return loader.defaultGrub;
  if (path === KERNEL_CMDLINE_PATH) return loader.kernelCmdline;
  return loader.entries.find((entry) => entry.path === path)?.text;
}

/** A kernel that was removed took its entry along; nothing is left to write there. */
function strangeFile(state: State, { files }: GrubBlsChange): StepOutcome | undefined {
  for (const { path, before, after } of files) {
    const found = textNow(state, path);
    if (found === undefined || found === before || found === after) continue;
    return drift(`${path} was changed by someone else`, { path, content: tail(found) });
  }
  return undefined;
}

function strangeKernelopts({ loader }: State, { kernelopts }: GrubBlsChange) {
  const found = loader.variables.kernelopts;
  if (kernelopts === null || found === kernelopts.before || found === kernelopts.after) {
    return undefined;
  }
  return drift('kernelopts of grubenv was changed by someone else', { found: found ?? 'absent' });
}

/** Of a kernel that was installed since the plan: whether it has taken over what the change adds. */
function sideOfLine({ loader }: State, change: GrubBlsChange): Side | undefined {
  const { args } = loader.defaultEntry;
  if (sameArgs(args, change.before)) return 'before';
  if (sameArgs(args, change.after)) return 'after';
  const known = change.files.some(({ path }) => path === loader.defaultPath);
  if (known || change.kernelopts !== null) return undefined;
  return LINE_BLS.isBack(args, change) ? 'before' : 'after';
}

function sideOfFiles(state: State, { files, kernelopts }: GrubBlsChange): Standing['files'] {
  const sides = files.flatMap(({ path, before }): Side[] => {
    const found = textNow(state, path);
    return found === undefined ? [] : [found === before ? 'before' : 'after'];
  });
  if (kernelopts !== null) {
    const found = state.loader.variables.kernelopts;
    sides.push(found === kernelopts.before ? 'before' : 'after');
  }
  const [first = 'before'] = sides;
  return sides.every((side) => side === first) ? first : 'mixed';
}

function filesTo(state: State, change: GrubBlsChange, side: Side): readonly FileWrite[] {
  const known = change.files.flatMap((file) => toSide(textNow(state, file.path), file, side));
  return side === 'after' ? known : [...known, ...newEntriesBack(state, change)];
}

function toSide(found: string | undefined, file: FileChange, side: Side): FileWrite[] {
  if (found === undefined || found === file[side]) return [];
  return [fileWrite(file.path, found, file[side], { mode: 0o644 })];
}

/** Entries of kernels that were installed since took the line over: from /etc/kernel/cmdline, or from the one that ran. */
function newEntriesBack({ loader }: State, change: GrubBlsChange): FileWrite[] {
  const known = new Set(change.files.map(({ path }) => path));
  const back = { add: change.drop, drop: addedBy(change) };
  return loader.entries.flatMap(({ path, text }) => {
    const entry = parseBlsEntry(text);
    if (known.has(path) || isRescueEntry(path) || !path.startsWith(`${BLS_FOLDER}/`)) return [];
    if (entry?.options.some((word) => back.drop.includes(word)) !== true) return [];
    const options = withoutTrialArgs(entry.options);
    return [fileWrite(path, text, editEntry(withOptions(text, options), back), { mode: 0o644 })];
  });
}

async function setKernelopts(
  port: HostPort,
  {
    guard,
    state,
    change,
    side,
  }: {
    readonly guard: Guard;
    readonly state: State;
    readonly change: GrubBlsChange;
    readonly side: Side;
  },
): Promise<StepOutcome | undefined> {
  const { kernelopts } = change;
  if (kernelopts === null || state.loader.variables.kernelopts === kernelopts[side]) {
    return undefined;
  }
  const { editenv } = LOADER_TOOLS['grub-bls'];
  const outcome = await port.run({
    guard,
    argv: [editenv, '-', 'set', `kernelopts=${kernelopts[side]}`],
    deadlineMs: HOST_DEADLINE_MS.grubReboot,
  });
  return runProblem('cmdline.kernelopts-failed', editenv, outcome);
}

async function writeFiles(
  port: HostPort,
  guard: Guard,
  files: readonly FileWrite[],
): Promise<StepOutcome | undefined> {
  return writeProblem(await port.write({ guard, files, deadlineMs: HOST_DEADLINE_MS.write }));
}
