import type { StepOutcome } from '../../src/domain/activities.ts';
import { isBootId } from '../../src/domain/boot-id.ts';
import type { FileChange, ModulesChange } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { keyValues } from '../../src/facts/parse-facts.ts';
import type { ListedImages } from '../../src/facts/devices/initramfs.ts';
import { BOOT_ID_PATH, MODULES_BOOT_PATH } from '../../src/facts/probe.ts';
import { lineOf, textOf } from '../../src/facts/snapshot.ts';
import type { FileWrite, Guard, HostPort } from '../../src/host/port.ts';
import { fileWrite } from './file-writes.ts';
import {
  checkInitramfs,
  heldBy,
  makerProblem,
  readInitramfs,
  rebuildInitramfs,
} from './parts/initramfs.ts';
import { hold, ok, tail } from './outcomes.ts';
import { writeAll } from './parts/own-file-changes.ts';

interface State {
  readonly files: readonly { readonly change: FileChange; readonly found: string | null }[];
  readonly bootId: string;
  readonly note: string | undefined;
}

/** The files and the note now, or the hold for a file that is neither as before nor as after. */
async function look(port: HostPort, { files }: ModulesChange): Promise<State | StepOutcome> {
  const snapshot = await port.read({
    entries: [
      { kind: 'line', glob: BOOT_ID_PATH },
      ...[MODULES_BOOT_PATH, ...files.map(({ path }) => path)].map(
        (glob) => ({ kind: 'file', glob }) as const,
      ),
    ],
    deadlineMs: HOST_DEADLINE_MS.read,
  });
  const bootId = lineOf(snapshot, BOOT_ID_PATH);
  if (!isBootId(bootId)) return hold('host.no-boot-id', 'the host does not say which boot this is');
  const found = files.map((change) => ({ change, found: textOf(snapshot, change.path) ?? null }));
  const strange = found.find(
    (file) => file.found !== file.change.before && file.found !== file.change.after,
  );
  if (strange !== undefined) {
    return hold('drift', `${strange.change.path} was changed by someone else`, {
      content: tail(strange.found ?? 'absent'),
    });
  }
  return { files: found, bootId, note: textOf(snapshot, MODULES_BOOT_PATH) };
}

/**
 * Writes the files, and makes the initramfs of all kernels again where it does not hold them. They act from the next boot on.
 *
 * | it dies after   | what is on the host                   | what happens                                                      |
 * | --------------- | ------------------------------------- | ----------------------------------------------------------------- |
 * | the note        | as before                             | retry goes on                                                     |
 * | the files       | files new, initramfs old              | retry makes it again; an unasked boot has a part of the options   |
 * | the initramfs   | as asked, not in effect               | nothing; the next boot has them                                   |
 * | undo: the files | files old, initramfs new              | retry finds the images that hold them, and makes them again       |
 */
export async function applyModules(
  port: HostPort,
  call: { readonly changes: readonly ModulesChange[]; readonly guard: Guard },
): Promise<StepOutcome> {
  for (const change of call.changes) {
    const problem = await applyOne(port, change, call.guard);
    if (problem !== undefined) return problem;
  }
  const files = call.changes.flatMap((change) => change.files.map(({ path }) => path));
  return ok(files.length === 0 ? {} : { modules: files.join(' ') });
}

async function applyOne(
  port: HostPort,
  change: ModulesChange,
  guard: Guard,
): Promise<StepOutcome | undefined> {
  const state = await look(port, change);
  if ('kind' in state) return state;
  const missing = state.files.filter(({ change: file, found }) => found !== file.after);
  const listed = await makeable(port, change);
  if ('kind' in listed) return listed;
  if (missing.length > 0) {
    const problem = await writeAll(port, guard, [
      note(state, `applied=${firstBoot(state)}\n`),
      ...missing.map(({ change: { path, before, after } }) =>
        fileWrite(path, before, after, { mode: 0o644 }),
      ),
    ]);
    if (problem !== undefined) return problem;
  }
  if (!change.initramfs || (missing.length === 0 && holdsAfter(listed, change))) return undefined;
  return rebuildInitramfs(port, { guard, files: change.files, wanted: 'after', listed });
}

/** The images that will have to be made again, looked at before anything is written: else nothing could take the files out of them. */
async function makeable(
  port: HostPort,
  { initramfs }: ModulesChange,
): Promise<ListedImages | StepOutcome> {
  if (!initramfs) return { maker: 'none', images: [] };
  const listed = await readInitramfs(port);
  return 'kind' in listed ? listed : (makerProblem(listed) ?? listed);
}

/** Whether every image is as `after`, as far as names say; a text that was replaced has the same name, so that is unknown. */
function holdsAfter(listed: ListedImages, { files }: ModulesChange): boolean {
  return !files.some(wasReplaced) && checkInitramfs(listed, files, 'after') === undefined;
}

const wasReplaced = ({ before, after }: FileChange): boolean => before !== null && after !== null;

/** Takes the files back, also out of the initramfs. A reboot is needed where a boot has read them. */
export async function undoModules(
  port: HostPort,
  call: { readonly change: ModulesChange; readonly guard: Guard },
): Promise<StepOutcome> {
  const { change, guard } = call;
  const state = await look(port, change);
  if ('kind' in state) return state;
  const { applied, undone } = notedBoots(state);
  const left = state.files.filter(({ change: file, found }) => found !== file.before);
  if (left.length > 0) {
    const problem = await writeAll(port, guard, [
      note(state, `applied=${applied ?? 'unknown'}\nundone=${state.bootId}\n`),
      ...left.map(({ change: { path, before, after } }) =>
        fileWrite(path, after, before, { mode: 0o644 }),
      ),
    ]);
    if (problem !== undefined) return problem;
  }
  const problem = await restoreInitramfs(port, { change, guard, wasThere: left.length > 0 });
  if (problem !== undefined) return problem;
  const takenBackNow = left.length > 0 || undone === state.bootId;
  const reboot = takenBackNow && applied !== state.bootId ? 'needed' : 'not needed';
  return ok({ modules: 'as before', reboot });
}

async function restoreInitramfs(
  port: HostPort,
  call: { readonly change: ModulesChange; readonly guard: Guard; readonly wasThere: boolean },
): Promise<StepOutcome | undefined> {
  const { change, guard, wasThere } = call;
  const listed = await readInitramfs(port);
  if ('kind' in listed) return listed;
  // Where nothing could make images, nothing was written (applyOne).
  if (listed.maker === 'none' && !wasThere) return undefined;
  const gone = change.files.filter(({ before }) => before === null);
  const stale = heldBy(listed, gone).length > 0;
  const replaced = change.files.some(wasReplaced);
  if (!stale && !(change.initramfs && wasThere && replaced)) return undefined;
  return rebuildInitramfs(port, { guard, files: change.files, wanted: 'before', listed });
}

/** The boot in which the first of the files was written: a later one may have read it already. */
function firstBoot(state: State): string {
  const begun = state.files.some(
    ({ change, found }) => found === change.after && change.after !== change.before,
  );
  return (begun ? notedBoots(state).applied : undefined) ?? state.bootId;
}

function note(state: State, text: string): FileWrite {
  return fileWrite(MODULES_BOOT_PATH, state.note ?? null, text, { mode: 0o600 });
}

function notedBoots({ note: text }: State): { applied?: string; undone?: string } {
  const values = keyValues((text ?? '').slice(0, 400));
  const boot = (key: string): object => {
    const value = values.get(key);
    return isBootId(value) ? { [key]: value } : {};
  };
  return { ...boot('applied'), ...boot('undone') };
}
