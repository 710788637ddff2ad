import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { FileChange } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { FileWrite, Guard, HostPort } from '../../../src/host/port.ts';
import { fileWrite } from '../file-writes.ts';
import { writeProblem } from '../outcomes.ts';

/** The files of ours that are there, whole, as they were read. */
export type OwnFiles = Readonly<Record<string, string>>;

interface FilesCall {
  readonly guard: Guard;
  readonly files: readonly FileChange[];
  readonly found: OwnFiles;
}

/** Brings files of ours to `after`, those that are not so yet: what a rule runs comes before the rule. */
export function writeAfter(port: HostPort, call: FilesCall): Promise<StepOutcome | undefined> {
  const { guard, files, found } = call;
  const writes = files
    .filter(({ path, after }) => (found[path] ?? null) !== after)
    .sort((a, b) => Number(isRule(a)) - Number(isRule(b)))
    .map(({ path, before, after }) => fileWrite(path, before, after, { mode: 0o644 }));
  return writeAll(port, guard, writes);
}

/** Brings them back to `before`: the rule goes first, so that no boot in between acts on it. */
export function writeBefore(port: HostPort, call: FilesCall): Promise<StepOutcome | undefined> {
  const { guard, files, found } = call;
  const writes = files
    .filter(({ path, before }) => (found[path] ?? null) !== before)
    .sort((a, b) => Number(isRule(b)) - Number(isRule(a)))
    .map(({ path, before, after }) => fileWrite(path, after, before, { mode: 0o644 }));
  return writeAll(port, guard, writes);
}

const isRule = ({ path }: FileChange): boolean => path.endsWith('.rules');

/** Writes files, if any; `undefined` when all are as asked then. */
export async function writeAll(
  port: HostPort,
  guard: Guard,
  files: readonly FileWrite[],
): Promise<StepOutcome | undefined> {
  if (files.length === 0) return undefined;
  return writeProblem(await port.write({ guard, files, deadlineMs: HOST_DEADLINE_MS.write }));
}
