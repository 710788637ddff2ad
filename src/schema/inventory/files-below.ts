import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../problem.ts';
import { unreadable } from './whole-file.ts';

/** Deepest folders below a path; a link that leads back up would have no end. */
const DEPTH_MAX = 20;

/** The files of a folder and of the folders in it, each in the order of names, or the path itself when it is a file. */
export interface FilesBelow {
  readonly isFolder: boolean;
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

/** Lists files, leaving out what `wants` does not want of the things in a folder. Never throws. */
export async function filesBelow(
  path: string,
  wants: (name: string, isFolder: boolean) => boolean,
  depth = 0,
): Promise<FilesBelow> {
  try {
    if (!(await stat(path)).isDirectory()) return { isFolder: false, files: [path], problems: [] };
    if (depth > DEPTH_MAX) throw new Error('folders are nested too deeply; does a link lead back?');
    const found: FilesBelow[] = [];
    for (const name of (await readdir(path)).sort()) {
      const inside = join(path, name);
      // A link to nothing is a problem only of somebody who wants it.
      const isFolder = await stat(inside).then(
        (entry) => entry.isDirectory(),
        () => false,
      );
      if (wants(name, isFolder)) found.push(await filesBelow(inside, wants, depth + 1));
    }
    return {
      isFolder: true,
      files: found.flatMap(({ files }) => files),
      problems: found.flatMap(({ problems }) => problems),
    };
  } catch (error) {
    return { isFolder: false, files: [], problems: [unreadable(path, error)] };
  }
}
