import type { Problem } from '../blocked.ts';
import type { FileChange } from '../changes.ts';
import type { DeviceFacts } from '../device-facts.ts';

/** What becomes of a file of ours: no change when it is as asked, a problem when somebody else has written it. */
export function fileChange(
  { ownFiles }: DeviceFacts,
  path: string,
  after: string | null,
  isOurs: (text: string) => boolean,
): FileChange | Problem | undefined {
  const before = ownFiles[path] ?? null;
  if (before === after) return undefined;
  if (before !== null && !isOurs(before)) {
    return {
      code: 'devices.file-foreign',
      sentence: `${path} is there and not as vfleet writes it; see what it does, then move it away`,
    };
  }
  return { path, before, after };
}

/** The changes among several, or the first problem. */
export function fileChanges(
  parts: readonly (FileChange | Problem | undefined)[],
): readonly FileChange[] | Problem {
  const files: FileChange[] = [];
  for (const part of parts) {
    if (part === undefined) continue;
    if ('code' in part) return part;
    files.push(part);
  }
  return files;
}
