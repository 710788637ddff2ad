import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../problem.ts';
import { unreadable } from './whole-file.ts';

/** Deepest folders below a path. */
const DEPTH_MAX = 20;
/** Most files and folders below a path: links can show a few folders in a million ways. */
const ENTRIES_MAX = 10_000;

/** The files of a folder and of the folders in it, each in the order of names, or the path itself when it is a file. */
export interface FilesBelow {
  readonly isFolder: boolean;
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

interface Walk {
  readonly wants: (name: string, isFolder: boolean) => boolean;
  readonly files: string[];
  readonly problems: Problem[];
  entries: number;
}

/** Lists files, leaving out what `wants` does not want of the things in a folder. Never throws. */
export async function filesBelow(path: string, wants: Walk['wants']): Promise<FilesBelow> {
  const walk: Walk = { wants, files: [], problems: [], entries: 0 };
  let isFolder = false;
  try {
    isFolder = (await stat(path)).isDirectory();
    if (isFolder) await list(walk, path, []);
    else walk.files.push(path);
  } catch (error) {
    walk.problems.push(unreadable(path, error));
  }
  return { isFolder, files: walk.files, problems: walk.problems };
}

/** `above`: the folders around it, as they are without links. */
async function list(walk: Walk, folder: string, above: readonly string[]): Promise<void> {
  const real = await realpath(folder);
  if (above.includes(real)) throw new Error('it is a link that leads back to a folder around it');
  if (above.length > DEPTH_MAX) throw new Error('folders are nested too deeply');
  for (const name of (await readdir(folder)).sort()) {
    const inside = join(folder, name);
    // A link to nothing is a problem only of somebody who wants it.
    const isFolder = await stat(inside).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (!walk.wants(name, isFolder)) continue;
    walk.entries += 1;
    if (walk.entries > ENTRIES_MAX) {
      const message = `more than ${ENTRIES_MAX} files and folders are below it`;
      if (walk.entries === ENTRIES_MAX + 1) {
        walk.problems.push(unreadable(folder, new Error(message)));
        walk.files.length = 0;
      }
      return;
    }
    if (!isFolder) walk.files.push(inside);
    else {
      await list(walk, inside, [...above, real]).catch((error: unknown) => {
        walk.problems.push(unreadable(inside, error));
      });
    }
  }
}
