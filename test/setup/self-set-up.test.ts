import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = `
interface Words { readonly words: readonly string[] }
const said: Words = { words: process.argv.slice(2) };
process.on('SIGTERM', () => process.exit(7));
console.log(said.words.join(' '));
if (said.words[0] === 'stay') setInterval(() => undefined, 1000);
else process.exitCode = 3;
`;
let clone: string;

/** A fresh clone with a CLI that says its arguments, and an npm that writes down its calls and then gives it tsx. */
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'vfleet-clone-'));
  await cp(join(ROOT, 'bin'), join(clone, 'bin'), { recursive: true });
  await mkdir(join(clone, 'src', 'cli'), { recursive: true });
  await writeFile(join(clone, 'src', 'cli', 'main.ts'), CLI);
  await writeFile(
    join(clone, 'package.json'),
    JSON.stringify({ type: 'module', engines: { node: '>=20.19' } }),
  );
  await lockFile('1.0.0');
  await npm(`sleep 0.3; rm -rf node_modules; mkdir node_modules
    ln -s ${ROOT}node_modules/tsx node_modules/tsx; echo chatter`);
});
afterEach(() => rm(clone, { recursive: true }));

function lockFile(version: string): Promise<void> {
  const packages = { '': {}, 'node_modules/tsx': { version } };
  return writeFile(join(clone, 'package-lock.json'), JSON.stringify({ packages }));
}

async function npm(body: string): Promise<void> {
  await mkdir(join(clone, 'path'), { recursive: true });
  const path = join(clone, 'path', 'npm');
  await writeFile(path, `#!/bin/sh\necho "$@" >>${clone}/calls\n${body}\n`);
  await chmod(path, 0o755);
}

async function npmCalls(): Promise<string[]> {
  const calls = await readFile(join(clone, 'calls'), 'utf8').catch(() => '');
  return calls.split('\n').slice(0, -1);
}

function start(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const PATH = `${join(clone, 'path')}:${process.env['PATH'] ?? ''}`;
  return spawn(command, args, { env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function run(
  command: string,
  ...args: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(command, args);
  const [out, err, closed] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code: closed[0], out, err };
}

const vfleet = (...args: string[]) => run(join(clone, 'bin', 'vfleet'), ...args);

describe('bin/vfleet', () => {
  it('installs once, quietly and without install scripts, then passes arguments and exit code', async () => {
    const first = await vfleet('two', 'words');
    expect(first).toEqual({
      code: 3,
      out: 'two words\n',
      err: 'vfleet: installing packages (once) ...\n',
    });
    expect(await vfleet('again')).toEqual({ code: 3, out: 'again\n', err: '' });
    expect(await npmCalls()).toEqual([expect.stringMatching(/^ci --ignore-scripts /)]);
  });

  it('installs once when two start at once', async () => {
    const both = await Promise.all([vfleet('one'), vfleet('two')]);
    expect(both.map(({ out }) => out)).toEqual(['one\n', 'two\n']);
    expect(await npmCalls()).toHaveLength(1);
  });

  it('installs again when package-lock.json has changed', async () => {
    await vfleet('one');
    await lockFile('2.0.0');
    await vfleet('two');
    expect(await npmCalls()).toHaveLength(2);
  });

  it('trusts an install by hand that has the right versions, and no other', async () => {
    await mkdir(join(clone, 'node_modules'));
    await symlink(join(ROOT, 'node_modules', 'tsx'), join(clone, 'node_modules', 'tsx'));
    await cp(join(clone, 'package-lock.json'), join(clone, 'node_modules', '.package-lock.json'));
    expect((await vfleet('one')).out).toBe('one\n');
    expect(await npmCalls()).toHaveLength(0);
    await lockFile('2.0.0');
    await vfleet('two');
    expect(await npmCalls()).toHaveLength(1);
  });

  it('is not stopped by an install that was killed', async () => {
    await mkdir(join(clone, '.cache'));
    await writeFile(join(clone, '.cache', 'install.pid'), String(2 ** 22 + 1));
    expect((await vfleet('one')).out).toBe('one\n');
  });

  it('shows what npm said when it fails, and fails', async () => {
    await npm('echo "no network" >&2; exit 1');
    expect(await vfleet('one')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no network') as string,
    });
  });

  it('works by a link from a folder of PATH', async () => {
    await symlink(join(clone, 'bin', 'vfleet'), join(clone, 'path', 'vfl'));
    expect((await run('vfl', 'linked')).out).toBe('linked\n');
  });

  it('says which Node it needs when this one is too old', async () => {
    await writeFile(
      join(clone, 'package.json'),
      JSON.stringify({ type: 'module', engines: { node: '>=99.1' } }),
    );
    const { code, err } = await vfleet('one');
    expect(code).toBe(1);
    expect(err).toContain('needs Node.js 99.1 or newer, and this is');
  });

  it('gets the signals itself', async () => {
    const child = start(join(clone, 'bin', 'vfleet'), ['stay']);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([7, null]);
  });

  it('ends soon after npm, which started it, was killed with -9', async () => {
    const script =
      "require('node:child_process').spawn(process.argv[1], ['stay'], { stdio: 'inherit' })";
    const parent = start(process.execPath, ['-e', script, join(clone, 'bin', 'vfleet')], {
      npm_lifecycle_event: 'start',
    });
    await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    // Its output is closed only when the last process that has it is gone.
    expect(await once(parent, 'close')).toEqual([null, 'SIGKILL']);
  });
});
