import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { QueryAnswer, QueryName, Snapshot } from './snapshot.ts';
import { QUERY_NAMES } from './snapshot.ts';

/**
 * A capture is a snapshot as a plain file tree: `root/` holds the files, folders and links with their paths as
 * on the host, `run/<query>` what a query printed, with its exit code in `run/<query>.code`, and
 * `run/lists.json` and `run/links.json` what was listed and linked, since a listed name need not have been read.
 */
const ROOT = 'root';
const RUN = 'run';
const LISTS = join(RUN, 'lists.json');
const LINKS = join(RUN, 'links.json');

/** Saves a snapshot below `dir`, which must be new or empty. Throws when it is not, or a path would leave it. */
export async function saveCapture(snapshot: Snapshot, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0) {
    throw new Error(`${dir} is not empty; name a new folder for the capture`);
  }
  await mkdir(join(dir, RUN));
  await mkdir(join(dir, ROOT));
  // A host names its own paths, so nothing may go through a link: links come last, and every folder before the first.
  for (const [path, bytes] of snapshot.files) await save(dir, path, (to) => writeFile(to, bytes));
  for (const path of snapshot.links.keys()) await save(dir, path, () => Promise.resolve());
  for (const [path, target] of snapshot.links) {
    await save(dir, path, (to) => link(safeTarget(dir, path, target), to));
  }
  for (const [name, answer] of snapshot.queries) {
    await writeFile(join(dir, RUN, name), answer.output);
    await writeFile(join(dir, RUN, `${name}.code`), `${answer.code}\n`);
  }
  await writeFile(join(dir, LISTS), json(Object.fromEntries(snapshot.dirs)));
  await writeFile(join(dir, LINKS), json(Object.fromEntries(snapshot.links)));
}

/** Reads a capture back. Throws with the missing part's name when `dir` is not one. */
export async function loadCapture(dir: string): Promise<Snapshot> {
  const lists = await readJson<Record<string, string[]>>(dir, LISTS);
  const links = await readJson<Record<string, string>>(dir, LINKS);
  const files = new Map<string, Uint8Array>();
  await collectFiles(join(dir, ROOT), '/', files);
  const queries = new Map<QueryName, QueryAnswer>();
  for (const name of QUERY_NAMES) {
    const output = await readFile(join(dir, RUN, name), 'utf8').catch(() => undefined);
    if (output === undefined) continue;
    const code = Number(await readFile(join(dir, RUN, `${name}.code`), 'utf8'));
    queries.set(name, { code, output });
  }
  return {
    files,
    links: new Map(Object.entries(links)),
    dirs: new Map(Object.entries(lists)),
    queries,
  };
}

const json = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`;

async function readJson<T>(dir: string, name: string): Promise<T> {
  const text = await readFile(join(dir, name), 'utf8').catch(() => {
    throw new Error(`${dir} is not a capture: ${name} is missing; make one with: vfleet capture`);
  });
  return JSON.parse(text) as T;
}

async function save(
  dir: string,
  path: string,
  write: (to: string) => Promise<unknown>,
): Promise<void> {
  const root = resolve(dir, ROOT);
  const to = resolve(root, `.${path}`);
  if (!to.startsWith(root + sep)) throw new Error(`the host named a path outside itself: ${path}`);
  await mkdir(dirname(to), { recursive: true });
  await write(to);
}

/** A link is kept relative and inside the capture, so that following one never reaches this machine's files. */
function safeTarget(dir: string, path: string, target: string): string {
  const root = resolve(dir, ROOT);
  const from = dirname(resolve(root, `.${path}`));
  const to = target.startsWith('/') ? resolve(root, `.${target}`) : resolve(from, target);
  return to === root || to.startsWith(root + sep)
    ? relative(from, to) || '.'
    : 'outside-the-capture';
}

/** A link through which files were read stands as their folder; `links.json` has its target all the same. */
async function link(target: string, to: string): Promise<void> {
  try {
    await symlink(target, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function collectFiles(
  folder: string,
  path: string,
  files: Map<string, Uint8Array>,
): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await collectFiles(join(folder, entry.name), child, files);
    else if (entry.isFile()) files.set(child, await readFile(join(folder, entry.name)));
  }
}
