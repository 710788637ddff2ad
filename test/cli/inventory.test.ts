import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, runCliHere } from './run-cli.ts';

const INVENTORIES = 'test/schema/fixtures/inventories';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vfleet-cli-inventory-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function vfleet(...args: string[]): Promise<CliResult> {
  return runCliHere(args, { stateHome: join(folder, 'state') });
}

/** Checks a spec whose hosts come from a command, which is run in the spec's folder. */
async function check(command: readonly string[], select = 'all'): Promise<CliResult> {
  const hosts = JSON.stringify({ inventory: { command }, select });
  writeFileSync(
    join(folder, 'spec.yaml'),
    `name: x\nhosts: ${hosts}\ntarget: { iommu: enabled }\n`,
  );
  return vfleet('check', join(folder, 'spec.yaml'), '--json');
}

describe('vfleet inventory', () => {
  it('prints just what a script needs of each host that a pattern selects', async () => {
    const args = ['-i', `${INVENTORIES}/folder-basic`, 'web[0]:h4', '--json'];
    const { code, stdout } = await vfleet('inventory', ...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      {
        ...{ name: 'h1', address: '192.0.2.1', port: 2222, user: 'ops' },
        groups: ['site', 'web'],
        labels: { only_all: '1', who: 'h1 file' },
      },
      {
        ...{ name: 'h4', address: 'h4', port: 22, user: 'ops' },
        groups: ['db', 'site'],
        labels: { only_all: '1', rack: 'file', who: 'all file' },
      },
    ]);
  });

  it('shows people a table, with how each host is reached', async () => {
    const { code, stdout } = await vfleet('inventory', '-i', `${INVENTORIES}/jump.ini`, '~f|a1');
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'HOST  ADDRESS                   USER   GROUPS  LABELS',
      'f1    f1 via bastion.fra        admin  fra     rack=a',
      'f2    f2 via bastion.fra        admin  fra     rack=a',
      'a1    a1 via bastion port 2222  root   ams     rack=b',
      '',
      '3 hosts of 3',
      '',
    ]);
  });

  it('lists all that is wrong, with its place, and ends with 2', async () => {
    writeFileSync(join(folder, 'i.ini'), '[g:vars]\nx=1\n[h\nk ansible_port=0\n');
    const { code, stdout, stderr } = await vfleet('inventory', '-i', join(folder, 'i.ini'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('i.ini:1:1: [g:vars] is given for a group that is declared nowhere');
  });

  it('says of a wrong pattern what is wrong in it', async () => {
    const { code, stderr } = await vfleet('inventory', '-i', `${INVENTORIES}/names.ini`, 'rack_c');
    expect(code).toBe(2);
    expect(stderr).toContain('no host or group is named "rack_c"; did you mean "rack_a"?');
    expect(stderr).toContain(
      `next: vfleet inventory -i ${INVENTORIES}/names.ini lists its hosts and groups`,
    );
  });
});

describe('a spec with an inventory from a command', () => {
  it('has the hosts that the command prints', async () => {
    const { code, stdout } = await check([resolve(INVENTORIES, 'dynamic.sh'), '--list'], 'web:!b');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ hosts: ['a', 'c'] })]);
  });

  it('shows what a command that fails said, without what a terminal would obey', async () => {
    const { code, stderr } = await check([
      'sh',
      '-c',
      String.raw`printf 'no \033]0;x\007key\n' >&2; exit 4`,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('ended with exit code 4; it said:');
    expect(stderr).toContain(String.raw`no \u{1b}]0;x\u{7}key`);
    expect(stderr).toContain("run the command yourself in the spec's folder");
  });
});
