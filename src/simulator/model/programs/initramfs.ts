import { DiskError } from '../disk.ts';
import {
  imagePath,
  initramfsText,
  installedImages,
  listInitramfs,
  readInitramfs,
  releaseOfImage,
  usesDracut,
} from '../kernel/initramfs.ts';
import type { ModelHost } from '../model-host.ts';
import { releaseOf } from './devices.ts';
import { exit, type ProgramResult } from './result.ts';

/** `update-initramfs -u [-k all|RELEASE]`: the image of the running kernel unless told otherwise. */
export function updateInitramfs(args: readonly string[], host: ModelHost): ProgramResult {
  if (usesDracut(host.tree)) return notFound('update-initramfs');
  const at = args.indexOf('-k');
  const which = at === -1 ? releaseOf(host) : (args[at + 1] ?? '');
  if (!args.includes('-u')) {
    host.complain(`the model does not know update-initramfs ${args.join(' ')}`);
    return exit(1, '', 'update-initramfs: the model knows only -u\n');
  }
  const images = installedImages(host.tree).filter(
    (path) => which === 'all' || path === imagePath(host.tree, which),
  );
  const told = (image: string) => `update-initramfs: Generating ${image}\n`;
  const { changed, failed } = make(images, host);
  if (failed === undefined) return exit(0, images.map(told).join(''), '', changed);
  const words = `${told(failed.image)}cat: write error: ${failed.message}\nupdate-initramfs: failed for ${failed.image} with 1.\n`;
  return exit(1, '', words, changed);
}

/** `dracut [-q] --force IMAGE RELEASE`, or without both names that of the running kernel; also `--regenerate-all` (dracut(8)). */
export function dracut(args: readonly string[], host: ModelHost): ProgramResult {
  if (!usesDracut(host.tree)) return notFound('dracut');
  const options = args.filter((arg) => arg.startsWith('-'));
  const names = args.filter((arg) => !arg.startsWith('-'));
  const all = options.includes('--regenerate-all');
  const strange = options.find((arg) => !KNOWN.includes(arg));
  if (strange !== undefined || (all && names.length > 0)) {
    host.complain(`the model does not know dracut ${args.join(' ')}`);
    return exit(1, '', `dracut: unrecognized option '${strange ?? names.join(' ')}'\n`);
  }
  const force = options.includes('--force') || options.includes('-f');
  const { images, refused } = all
    ? { images: installedImages(host.tree), refused: undefined }
    : named(names, host, force);
  if (refused !== undefined) return exit(1, '', `dracut: ${refused}\n`);
  const { changed, failed } = make(images, host);
  if (failed === undefined) return exit(0, '', '', changed);
  return exit(1, '', `dracut: dracut: creation of ${failed.image} failed\n`, changed);
}

/** The image that a command line means, or why dracut makes none. The model keeps no modules on its disk: a kernel has its own. */
function named(
  [name, release]: readonly string[],
  host: ModelHost,
  force: boolean,
): { readonly images: readonly string[]; readonly refused: string | undefined } {
  const kernel = release ?? releaseOf(host);
  const image = name ?? imagePath(host.tree, kernel);
  const refused = [
    ...(host.tree.text(`/boot/vmlinuz-${kernel}`) === undefined
      ? [`Cannot find module directory /lib/modules/${kernel}/`]
      : []),
    ...(!force && host.tree.text(image) !== undefined
      ? [`Will not override existing initramfs (${image}) without --force`]
      : []),
  ];
  return { images: [image], refused: refused[0] };
}

const KNOWN = ['-q', '--quiet', '-f', '--force', '--regenerate-all'];

interface Made {
  readonly changed: boolean;
  readonly failed?: { readonly image: string; readonly message: string };
}

const notFound = (name: string): ProgramResult => exit(127, '', `sh: ${name}: not found\n`);

/** Both makers write a new image beside the old one, so that it needs room. */
function make(images: readonly string[], host: ModelHost): Made {
  const content = initramfsText(host.tree, host.kernel.complain);
  let changed = false;
  for (const image of images) {
    changed ||= host.tree.text(image) !== content;
    try {
      host.disk.put(`${image}.new`, 'new');
      host.disk.put(image, content);
      host.disk.remove(`${image}.new`);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      host.tree.remove(`${image}.new`);
      return { changed, failed: { image, message: error.message } };
    }
  }
  return { changed };
}

/** `lsinitramfs IMAGE`. */
export function lsinitramfs([image = '']: readonly string[], host: ModelHost): ProgramResult {
  const content = host.tree.text(image);
  if (content === undefined) return exit(1, '', `cat: ${image}: No such file or directory\n`);
  const names = listInitramfs(readInitramfs(content), releaseOfImage(image));
  return exit(0, names.map((name) => `${name}\n`).join(''));
}

const RULE = `${'='.repeat(72)}\n`;

/** `lsinitrd IMAGE`, in the form of dracut 059 (tried on Debian 12): cpio's long listing below a head. */
export function lsinitrd([image = '']: readonly string[], host: ModelHost): ProgramResult {
  if (!usesDracut(host.tree)) return notFound('lsinitrd');
  const content = host.tree.text(image);
  if (content === undefined) return exit(1, '', `${image} does not exist\n\nUsage: lsinitrd\n`);
  const names = listInitramfs(readInitramfs(content), releaseOfImage(image));
  const rows = names.map(
    (name) => `-rw-r--r--   1 root     root           60 Nov 25 20:34 ${name}\n`,
  );
  const head = `Image: ${image}: 39M\n${RULE}Version: dracut-059-4\n\nArguments:  -q --force\n\ndracut modules:\nbash\nsystemd\nkernel-modules\n`;
  return exit(0, `${head}${RULE}${rows.join('')}${RULE}`);
}
