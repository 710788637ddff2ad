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
