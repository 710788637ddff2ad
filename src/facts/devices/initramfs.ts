import type { InitramfsImage, InitramfsMaker } from '../../domain/device-facts.ts';
import { MODPROBE_PATH, RULES_FOLDER } from '../../domain/own-files.ts';
import { INITRAMFS_PROGRAMS } from '../probe.ts';
import type { Snapshot } from '../snapshot.ts';
import { lineOf } from '../snapshot.ts';
import { baseName, linesOf, outputOf } from './text.ts';

/**
 * What makes the images of a host. Both may be there: Debian's initramfs-tools-core stays when dracut takes over, and
 * dracut-core may be installed beside initramfs-tools. update-initramfs belongs to the maker in use, unless it is a
 * wrapper of dracut, which brings no mkinitramfs (tried on Debian 12, dracut 059). The query `initramfs` decides alike.
 */
export function parseInitramfsMaker(snapshot: Snapshot): InitramfsMaker | undefined {
  const has = (path: string) => lineOf(snapshot, path) !== undefined;
  const { update, make, dracut } = INITRAMFS_PROGRAMS;
  if (has(dracut) && !(has(update) && has(make))) return 'dracut';
  return has(update) ? 'initramfs-tools' : undefined;
}

const IMAGES_MAX = 64;

/**
 * The installed images with the names that matter, from `lsinitramfs` or `lsinitrd`. Names of our files are those of the
 * files themselves, wherever the image keeps its copy; an image that could not be listed is `unreadable`.
 */
export function parseInitramfs(snapshot: Snapshot): readonly InitramfsImage[] {
  const images: { path: string; names: string[]; unreadable?: true }[] = [];
  for (const row of linesOf(outputOf(snapshot, 'initramfs'))) {
    const [, word, path] = /^(image|unreadable) (\/.{1,300})$/.exec(row) ?? [];
    const last = images.at(-1);
    if (path !== undefined && images.length < IMAGES_MAX) {
      images.push({ path, names: [], ...(word === 'unreadable' && { unreadable: true as const }) });
    } else if (last !== undefined && row !== '') {
      last.names.push(nameOnHost(row.slice(0, 300)));
    }
  }
  return images;
}

/** The images, and what makes them; `none`: neither of the two is there. */
export interface ListedImages {
  readonly maker: InitramfsMaker | 'none';
  readonly images: readonly InitramfsImage[];
}

/** The answer of the query `initramfs`; `undefined` when it gave none, or not to its end. */
export function parseListedImages(snapshot: Snapshot): ListedImages | undefined {
  const [first = ''] = linesOf(outputOf(snapshot, 'initramfs'));
  const maker = /^maker (initramfs-tools|dracut|none)$/.exec(first)?.[1];
  if (maker === undefined) return undefined;
  return { maker: maker as ListedImages['maker'], images: parseInitramfs(snapshot) };
}

function nameOnHost(name: string): string {
  const path = `/${name.replace(/^\.?\//, '')}`;
  if (/\/udev\/rules\.d\/70-vfleet-[^/]+$/.test(path)) return `${RULES_FOLDER}/${baseName(path)}`;
  return path.endsWith('/modprobe.d/vfleet.conf') ? MODPROBE_PATH : path;
}
