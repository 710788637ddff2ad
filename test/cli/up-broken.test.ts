import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendantsOf, stillAlive } from './descendants.ts';
import { jsonLines } from './json-lines.ts';
import { finished, startCli } from './run-cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-broken-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('vfleet up in a shell that names a Temporal server', () => {
  it('starts without the key of that server, and notes that the other commands go there', async () => {
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', TEMPORAL_API_KEY: 'secret' };
    const up = startCli(['up', '--json'], { stateHome: folder, env });
    const end = finished(up);
    await jsonLines(up).until<{ ready?: boolean }>((line) => line.ready === true);
    up.kill('SIGINT');
    const { code, stderr } = await end;
    expect(code).toBe(0);
    expect(stderr).toContain('note: TEMPORAL_ADDRESS names 127.0.0.1:1');
    expect(stderr).toContain('unset TEMPORAL_ADDRESS to use this engine');
  }, 120_000);
});

describe('vfleet up whose engine dies', () => {
  it('ends with 1, says so with its code, and leaves nothing running', async () => {
    const up = startCli(['up', '--json'], { stateHome: folder });
    const end = finished(up);
    await jsonLines(up).until<{ ready?: boolean }>((line) => line.ready === true);
    const children = await descendantsOf(up.pid!);
    // The server and its guard; whichever goes takes the other along.
    for (const pid of children) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await end;
    expect(code).toBe(1);
    expect(stderr).toContain('vfleet explain up.broken');
    expect(await stillAlive(children)).toEqual([]);
  }, 120_000);
});
