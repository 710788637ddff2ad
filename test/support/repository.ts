import { readdirSync } from 'node:fs';

/** The root of the repository. */
export const REPOSITORY = new URL('../../', import.meta.url);

const NOT_OURS: ReadonlySet<string> = new Set(['node_modules', '.git', '.cache', 'coverage']);

/** Paths of all files below some folders (or of the whole repository), from its root, without what is installed or generated. */
export function filesUnder(...folders: readonly string[]): readonly string[] {
  return (folders.length === 0 ? [''] : folders.map((folder) => `${folder}/`)).flatMap(below);
}

function below(folder: string): string[] {
  return readdirSync(new URL(folder, REPOSITORY), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    if (entry.isDirectory()) return below(`${folder}${entry.name}/`);
    return entry.isFile() ? [`${folder}${entry.name}`] : [];
  });
}
