import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderCode } from '../../src/cli/render/explain.ts';
import { createStyle } from '../../src/cli/render/style.ts';
import { CODES, type Code } from '../../src/domain/codes.ts';
import { runCli, type CliResult } from './run-cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-explain-'));
  await writeFile(join(folder, 'no-folder'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Where nothing else would work: no state folder can be made, and the engine that is named does not exist. */
const explain = (...args: string[]): Promise<CliResult> =>
  runCli(['explain', ...args], {
    stateHome: join(folder, 'no-folder'),
    env: { TEMPORAL_ADDRESS: '127.0.0.1:1', HOME: join(folder, 'none'), COLUMNS: '80' },
  });

describe('vfleet explain', () => {
  it('says of a code what is seen, why, and what to do, with no engine and no state folder', async () => {
    const { code, stdout, stderr } = await explain('reboot.no-return');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { sentence, causes, exits } = CODES.get('reboot.no-return')!;
    expect(stdout).toMatch(/^reboot\.no-return {3}/);
    const words = stdout.replace(/\s+/g, ' ');
    for (const text of [sentence, ...causes, ...exits]) expect(words).toContain(text);
    expect(stdout).toMatch(/\nNAME: .*; HOST: .*\n$/);
  });

  it('lists the codes of a part, and all codes without one', async () => {
    const [ssh, keys, middle, all] = await Promise.all([
      explain('ssh'),
      explain('SSH.host-key'),
      explain('no-return'),
      explain(),
    ]);
    const codesIn = (text: string) => text.match(/^[a-z]+(?:[.-][a-z]+)*(?= {2}| *$)/gm);
    expect(codesIn(ssh.stdout)).toHaveLength(12);
    expect(codesIn(keys.stdout)).toEqual([
      'ssh.host-key-changed',
      'ssh.host-key-revoked',
      'ssh.host-key-unknown',
    ]);
    expect(middle.stdout).toMatch(/^reboot\.no-return {3}The host was told to reboot/);
    expect(codesIn(all.stdout)).toEqual([...CODES.keys()]);
    expect(all.stdout).toContain('vfleet explain CODE');
  });

  it('names the nearest code for one that it does not know, and ends with 2', async () => {
    const [near, far] = await Promise.all([explain('sssh.timeout'), explain('gremlins')]);
    expect([near.code, far.code]).toEqual([2, 2]);
    expect(near.stderr).toContain('did you mean vfleet explain ssh.timeout?');
    expect(far.stderr).toContain('vfleet explain lists all');
  });

  it('gives the same as JSON: a list, also for one', async () => {
    const { stdout } = await explain('drift', '--json');
    expect(JSON.parse(stdout)).toEqual([{ code: 'drift', ...CODES.get('drift') }]);
  });
});

describe('an explanation on a terminal', () => {
  const render = (code: Code, width: number, color: boolean): string =>
    renderCode({ code, ...CODES.get(code)! }, { style: createStyle(color), width });

  it.each([...CODES.keys()])('of %s fits a narrow one', (code) => {
    const [, ...lines] = render(code, 60, false).split('\n');
    // One word that is longer than the terminal stands alone, behind its mark at most.
    const isOneWord = (line: string) => line.trim().split(/\s+/).length <= 2;
    expect(lines.filter((line) => line.length > 60 && !isOneWord(line))).toEqual([]);
  });

  it('marks commands by colour, and by quotes where there is none', () => {
    expect(render('ssh.auth', 110, false)).toContain('`ssh -v USER@ADDRESS true`');
    expect(render('ssh.auth', 200, true)).toContain('\u001b[36mssh -v USER@ADDRESS true\u001b[39m');
  });
});
