import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Root of the clone, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOCK_FILE = `${ROOT}package-lock.json`;
const MODULES = `${ROOT}node_modules`;
/** Says which package-lock.json node_modules was installed from. */
const STAMP = `${MODULES}/.vfleet-installed`;
const MUTEX = `${ROOT}.cache/install.pid`;
const POLL_MS = 200;

/**
 * Runs `npm ci` unless node_modules is what package-lock.json says. A second process meanwhile waits. All output
 * goes to stderr. Ends the process with npm's own words when it fails.
 */
export async function installPackages() {
  const digest = createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');
  if (isInstalled(digest)) return;
  await takeMutex();
  try {
    if (isInstalled(digest)) return;
    console.error('vfleet: installing packages (once) ...');
    await runNpm();
    writeFileSync(STAMP, digest);
  } catch (error) {
    console.error(`vfleet: ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(MUTEX, { force: true });
  }
  if (process.exitCode === 1) process.exit();
}

/**
 * Under `npm start` and `npm test`, asks this process to end when npm is gone: killed with -9, npm cannot pass anything
 * on, and we would go on unseen. The scripts in package.json begin with `exec`, so that npm is our parent, not a shell.
 */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, POLL_MS);
  watch.unref();
}

function isInstalled(digest) {
  if (readIfThere(STAMP) === digest) return true;
  // Installed by hand: npm itself keeps a list of what it put there.
  const listed = readIfThere(`${MODULES}/.package-lock.json`);
  if (listed === undefined || !satisfies(JSON.parse(listed), JSON.parse(readFileSync(LOCK_FILE))))
    return false;
  writeFileSync(STAMP, digest);
  return true;
}

/** Whether all packages of the lock file are there in that version; optional ones are for other machines. */
function satisfies(listed, wanted) {
  return Object.entries(wanted.packages).every(([path, { version, optional }]) => {
    const found = listed.packages[path];
    return path === '' || (found === undefined ? optional === true : found.version === version);
  });
}

/**
 * Without install scripts: all that ours do is look for a compiler or for speed (esbuild, ssh2, swc and the Temporal core
 * come with ready-made binaries), and so nothing that was downloaded runs at this point.
 */
function runNpm() {
  const npm = spawn(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  npm.stdout.on('data', (chunk) => (output += chunk));
  npm.stderr.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    npm.once('error', (error) => reject(new Error(`npm could not be started: ${error.message}`)));
    npm.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ci failed; in full:\n${output.trim()}`));
    });
  });
}

/** One `npm ci` at a time in this clone; a holder that died holds nothing. */
async function takeMutex() {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const scratch = `${MUTEX}.${process.pid}`;
  writeFileSync(scratch, String(process.pid));
  try {
    // A link appears with its content; a file made exclusively is empty for a moment.
    while (!tryLink(scratch)) {
      const holder = readIfThere(MUTEX);
      if (holder !== undefined && !isAlive(Number(holder))) rmSync(MUTEX, { force: true });
      else await sleep(POLL_MS);
    }
  } finally {
    rmSync(scratch, { force: true });
  }
}

function tryLink(scratch) {
  try {
    linkSync(scratch, MUTEX);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
