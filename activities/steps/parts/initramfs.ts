import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { FileChange } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { InitramfsImage } from '../../../src/domain/device-facts.ts';
import { MODPROBE_PATH, RULES_FOLDER } from '../../../src/domain/own-files.ts';
import { parseInitramfs } from '../../../src/facts/devices/parse-devices.ts';
import { INITRAMFS_PROBE } from '../../../src/facts/probe.ts';
import type { Guard, HostPort } from '../../../src/host/port.ts';
import { hold, runProblem } from '../outcomes.ts';

/** Which files of ours Debian copies into an initramfs: udev rules and modprobe.d (hooks of initramfs-tools). */
export function isCopied({ path }: FileChange): boolean {
  return path === MODPROBE_PATH || (path.startsWith(`${RULES_FOLDER}/`) && path.endsWith('.rules'));
}

/** An image that could not be listed may hold anything. */
const mayHold = ({ names, unreadable }: InitramfsImage, { path }: FileChange): boolean =>
  unreadable === true || names.includes(path);

/** The installed images with the names in them that matter; listing one takes seconds. */
export async function readInitramfs(port: HostPort): Promise<readonly InitramfsImage[]> {
  const snapshot = await port.read({
    entries: INITRAMFS_PROBE,
    deadlineMs: HOST_DEADLINE_MS.listInitramfs,
  });
  return parseInitramfs(snapshot);
}

/** The images that hold, or may hold, any of the files. */
export function heldBy(
  images: readonly InitramfsImage[],
  files: readonly FileChange[],
): readonly InitramfsImage[] {
  const copied = files.filter(isCopied);
  return images.filter((image) => copied.some((file) => mayHold(image, file)));
}

/** Makes the images of all installed kernels again, and reads back that each holds what is on the disk and no more. */
export async function rebuildInitramfs(
  port: HostPort,
  guard: Guard,
  files: readonly FileChange[],
  wanted: 'before' | 'after',
): Promise<StepOutcome | undefined> {
  const outcome = await port.run({
    guard,
    argv: ['update-initramfs', '-u', '-k', 'all'],
    deadlineMs: HOST_DEADLINE_MS.updateInitramfs,
  });
  const problem = runProblem('initramfs.failed', 'update-initramfs', outcome);
  return problem ?? checkInitramfs(await readInitramfs(port), files, wanted);
}

/** The hold for an image that holds a file that is gone, or does not hold one that is there. */
export function checkInitramfs(
  images: readonly InitramfsImage[],
  files: readonly FileChange[],
  wanted: 'before' | 'after',
): StepOutcome | undefined {
  for (const file of files.filter(isCopied)) {
    const isThere = file[wanted] !== null;
    const wrong = images.filter((image) =>
      isThere ? !image.names.includes(file.path) : mayHold(image, file),
    );
    if (wrong.length === 0) continue;
    const how = isThere ? 'does not hold' : 'still holds, or may hold,';
    return hold(
      'initramfs.readback',
      `an installed initramfs ${how} ${file.path}, so the next boot would not be as the files say`,
      { images: wrong.map(({ path }) => path).join(' '), file: file.path },
    );
  }
  return undefined;
}

/**
 * Makes the images again when one of them holds a file that is gone or has another text now: an old rule in an initramfs
 * acts at the next boot (host.md §1). Images without such a file are left as they are, and so is a host that cannot list
 * its images: only initramfs-tools copies rules of ours, and it brings lsinitramfs.
 */
export async function refreshInitramfs(
  port: HostPort,
  guard: Guard,
  files: readonly FileChange[],
  now: 'before' | 'after',
): Promise<StepOutcome | undefined> {
  const other = now === 'before' ? 'after' : 'before';
  const replaced = files.filter((file) => file[other] !== null && file[other] !== file[now]);
  if (!replaced.some(isCopied)) return undefined;
  if (heldBy(await readInitramfs(port), replaced).length === 0) return undefined;
  return rebuildInitramfs(port, guard, replaced, now);
}
