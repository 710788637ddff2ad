import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PREFIX = 'workflow-bundle-';
/** All that goes into the bundle: workflows may import src/domain and @temporalio/workflow only. */
const SOURCES = ['workflows', 'src/domain'];

/**
 * The workflows as one script for workers: built once per content of its sources (1 to 3 s), then read from `.cache`.
 * Where that folder cannot be written the script is built anew and handed over in memory.
 */
export async function workflowBundle(folder = join(ROOT, '.cache')): Promise<WorkflowBundleOption> {
  const codePath = join(folder, `${PREFIX}${await digest()}.js`);
  if (await exists(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows/index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  try {
    await mkdir(folder, { recursive: true });
    await removeOlder(folder);
    // Two at once build the same bytes; a rename keeps readers from a half-written file.
    const scratch = `${codePath}.${process.pid}`;
    await writeFile(scratch, code);
    await rename(scratch, codePath);
    return { codePath };
  } catch {
    return { code };
  }
}

/** Names the content of all sources and of the SDK (by the lock file), independent of times and places. */
async function digest(): Promise<string> {
  const hash = createHash('sha256');
  for (const path of ['package-lock.json', ...(await sources())]) {
    hash.update(`${path}\0`);
    hash.update(await readFile(join(ROOT, path)).catch(() => ''));
  }
  return hash.digest('hex').slice(0, 16);
}

async function sources(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of SOURCES) {
    const names = await readdir(join(ROOT, folder), { recursive: true });
    found.push(...names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name)));
  }
  return found.sort();
}

async function removeOlder(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith(PREFIX) && name.endsWith('.js'))
      await rm(join(folder, name), { force: true });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
