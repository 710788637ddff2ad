import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { FileChange } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { InitramfsImage } from '../../../src/domain/device-facts.ts';
import { DRACUT_PATH, MODPROBE_PATH, RULES_FOLDER } from '../../../src/domain/own-files.ts';
import type { ListedImages } from '../../../src/facts/devices/initramfs.ts';
import { parseListedImages } from '../../../src/facts/devices/initramfs.ts';
import { INITRAMFS_PROBE } from '../../../src/facts/probe.ts';
import type { Guard, HostPort } from '../../../src/host/port.ts';
import { hold, runProblem } from '../outcomes.ts';

type Maker = ListedImages['maker'];
type Argv = [string, ...string[]];

const isRule = (path: string): boolean =>
  path.startsWith(`${RULES_FOLDER}/`) && path.endsWith('.rules');

/**
 * Which files of ours a maker may copy into an image. initramfs-tools: udev rules and modprobe.d (its hooks). dracut, when
 * it makes images for this host only (`hostonly`): also modules-load.d, and from dracut 060 on tmpfiles.d (modules.d of
 * dracut: 90kernel-modules, 00systemd, 01systemd-udevd, 01systemd-tmpfiles); never the scripts, nor its own configuration.
 */
function mayCopy(maker: Maker, { path }: FileChange): boolean {
  if (maker === 'initramfs-tools') return path === MODPROBE_PATH || isRule(path);
  return path !== DRACUT_PATH && !path.endsWith('.sh');
}

/** Which of them an image must hold: what dracut copies depends on its configuration, but modprobe.d is asked for by ours. */
const mustCopy = (maker: Maker, file: FileChange): boolean =>
  maker === 'dracut' ? file.path === MODPROBE_PATH : mayCopy(maker, file);

/** An image that could not be listed may hold anything. */
const mayHold = ({ names, unreadable }: InitramfsImage, { path }: FileChange): boolean =>
  unreadable === true || names.includes(path);

/** The installed images with the names in them that matter, which takes seconds for each; or the hold of a host that does not tell. */
export async function readInitramfs(port: HostPort): Promise<ListedImages | StepOutcome> {
  const snapshot = await port.read({
    entries: INITRAMFS_PROBE,
    deadlineMs: HOST_DEADLINE_MS.listInitramfs,
  });
  const listed = parseListedImages(snapshot);
  return (
    listed ??
    hold(
      'initramfs.unlisted',
      'this host does not tell which initramfs images it has, so what the next boot would do is not known',
    )
  );
}

/** The images that hold, or may hold, any of the files. */
export function heldBy(
  { maker, images }: ListedImages,
  files: readonly FileChange[],
): readonly InitramfsImage[] {
  const copied = files.filter((file) => mayCopy(maker, file));
  return images.filter((image) => copied.some((file) => mayHold(image, file)));
}

export interface Rebuild {
  readonly guard: Guard;
  readonly files: readonly FileChange[];
  readonly wanted: 'before' | 'after';
  /** As they are now. */
  readonly listed: ListedImages;
}

/**
 * Makes the images of all installed kernels again, and reads back that each holds what is on the disk and no more. A host
 * without any image has nothing to make.
 */
export async function rebuildInitramfs(
  port: HostPort,
  { guard, files, wanted, listed }: Rebuild,
): Promise<StepOutcome | undefined> {
  const unknown = makerProblem(listed);
  if (unknown !== undefined) return unknown;
  for (const argv of commandsFor(listed)) {
    const outcome = await port.run({ guard, argv, deadlineMs: HOST_DEADLINE_MS.updateInitramfs });
    const problem = runProblem('initramfs.failed', argv[0], outcome);
    if (problem !== undefined) return problem;
  }
  const made = await readInitramfs(port);
  return 'kind' in made ? made : checkInitramfs(made, files, wanted);
}

/** The hold of a host whose images nobody could make again. */
export function makerProblem({ maker, images }: ListedImages): StepOutcome | undefined {
  if (maker !== 'none' || images.length === 0) return undefined;
  return hold(
    'initramfs.no-maker',
    'this host has initramfs images, and neither update-initramfs nor dracut, which vfleet knows, makes them',
    { images: images.map(({ path }) => path).join(' ') },
  );
}

/**
 * dracut gets each image by its name: what `--regenerate-all` would take as the name depends on folders of the ESP
 * (dracut.sh, outfile), and it leaves out nothing that kdump or a rescue boot uses.
 */
function commandsFor({ maker, images }: ListedImages): Argv[] {
  if (images.length === 0) return [];
  if (maker === 'initramfs-tools') return [['update-initramfs', '-u', '-k', 'all']];
  return images.map(({ path }) => ['dracut', '-q', '--force', path, releaseOf(path)]);
}

/** The kernel's release in the name of an image, or of its folder (kernel-install(8)). */
function releaseOf(path: string): string {
  const [name = '', folder = ''] = path.split('/').reverse();
  if (name === 'initrd') return folder;
  return name.replace(/^(?:initrd\.img-|initramfs-)/, '').replace(/\.img$/, '');
}

/** The hold for an image that holds a file that is gone, or does not hold one that is there. */
export function checkInitramfs(
  { maker, images }: ListedImages,
  files: readonly FileChange[],
  wanted: 'before' | 'after',
): StepOutcome | undefined {
  for (const file of files.filter((it) => mayCopy(maker, it))) {
    const isThere = file[wanted] !== null;
    const wrong = images.filter((image) =>
      isThere ? mustCopy(maker, file) && !image.names.includes(file.path) : mayHold(image, file),
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
 * acts at the next boot (host.md §1). Images without such a file are left as they are.
 */
export async function refreshInitramfs(
  port: HostPort,
  guard: Guard,
  files: readonly FileChange[],
  now: 'before' | 'after',
): Promise<StepOutcome | undefined> {
  const other = now === 'before' ? 'after' : 'before';
  const replaced = files.filter((file) => file[other] !== null && file[other] !== file[now]);
  if (!replaced.some((file) => mayCopy('dracut', file))) return undefined;
  const listed = await readInitramfs(port);
  if ('kind' in listed) return listed;
  if (heldBy(listed, replaced).length === 0) return undefined;
  return rebuildInitramfs(port, { guard, files: replaced, wanted: now, listed });
}
