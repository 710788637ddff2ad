import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, runCliHere, type CliResult } from './run-cli.ts';
import { newKey } from '../../src/simulator/new-key.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-cli-'));
  await writeFile(join(folder, 'hosts.yaml'), INVENTORY.replaceAll('FOLDER', folder));
  const { private: key } = newKey('test');
  await writeFile(join(folder, 'key'), key, { mode: 0o600 });
  await writeFile(join(folder, 'known_hosts'), '');
  await writeFile(join(folder, 'good.yaml'), GOOD);
  await writeFile(join(folder, 'bad.yaml'), BAD);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const INVENTORY = `defaults: { identityFile: FOLDER/key, knownHosts: FOLDER/known_hosts }
hosts:
  - { name: hv-001, address: 127.0.0.1, port: 1, user: nobody, labels: { rack: a } }
  - { name: hv-002, address: 127.0.0.2, port: 1, user: nobody, labels: { rack: b } }
`;
const GOOD = `version: 1
name: enable-iommu
hosts: { inventory: hosts.yaml, select: all }
target: { iommu: enabled }
`;
const BAD = `version: 1
name: enable-iommu
hosts: { inventory: hosts.yaml, select: all }
target: { iommu: enabeld }
`;

function vfleet(...args: string[]): Promise<CliResult> {
  return runCliHere(args, { stateHome: join(folder, 'state') });
}

describe('help and wrong command lines', () => {
  it('shows help with examples and ends with 0', async () => {
    const { code, stdout } = await runCli(['retry', '--help'], { stateHome: folder });
    expect(code).toBe(0);
    expect(stdout).toContain('$ vfleet retry enable-iommu --held');
  });

  it('suggests the nearest command and ends with 2', async () => {
    const { code, stderr, stdout } = await runCli(['statsu', 'x'], { stateHome: folder });
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean status?');
    expect(stdout).toBe('');
  });

  it.each([
    [['enable', 'retry', 'hv1'], 'the command comes first: vfleet retry enable hv1'],
    [['approve', 'enable'], 'Did you mean promote?'],
    [['xyzzy'], 'vfleet --help lists the commands'],
    [['skip', 'enable', 'hv1'], 'vfleet skip enable hv1 --reason "'],
    [['abort', 'enable', '--yes', '--reason', ' '], 'abort needs a reason'],
    [['rollback', 'enable', '--held'], 'vfleet rollback enable --held --reason "'],
  ])('says for %j what would work', async (args, sentence) => {
    const { code, stderr } = await vfleet(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });

  it.each([
    [['status']],
    [['start', 'x.yaml', '--expect-hosts', 'many']],
    [['pause', 'x', '--helt']],
    [['facts']],
  ])('ends with 2 for %j', async (args) => {
    const { code, stderr } = await vfleet(...args);
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
  });

  it('keeps stdout to JSON under --json, also for a wrong command line', async () => {
    const { code, stdout } = await vfleet('status', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        outcome: 'usage',
        message: "status: missing required argument 'name'",
        next: 'vfleet status --help has more; e.g. vfleet status enable-iommu',
      },
    });
  });

  it.each([
    [['status'], "vfleet: status: missing required argument 'name'\n"],
    [['completion'], 'next: vfleet completion --help has more; e.g. vfleet completion bash'],
    [
      ['pause', 'x', '--helt'],
      'next: vfleet pause --help has more; e.g. vfleet pause enable-iommu',
    ],
    [['worker', '--wrong'], 'e.g. vfleet worker --hooks /etc/vfleet/hooks\n'],
    [['--wrong'], "vfleet: unknown option '--wrong'\n  next: vfleet --help lists the commands"],
  ])('says what is wrong in %j as it says every other error', async (args, sentence) => {
    const { code, stderr } = await vfleet(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('error:');
  });

  it.each(['amend', 'audit', 'console', 'extend', 'report'])(
    'says of %s that it is not built yet, and what to use instead',
    async (word) => {
      const { code, stderr } = await vfleet(word, 'enable', 'hv1');
      expect(code).toBe(2);
      expect(stderr).toContain(`not yet: "${word}" is not built in this release.`);
      expect(stderr).toMatch(/next: .*vfleet [a-z]+ (NAME|SPEC)/);
    },
  );
});

describe('check and inventory', () => {
  it('says what a spec means', async () => {
    const { code, stdout } = await vfleet('check', join(folder, 'good.yaml'));
    expect(code).toBe(0);
    expect(stdout).toContain('IOMMU enabled');
    expect(stdout).toContain('2 hosts');
  });

  it('lists every problem of a spec with its place and ends with 2', async () => {
    const { code, stderr } = await vfleet('check', join(folder, 'bad.yaml'));
    expect(code).toBe(2);
    expect(stderr).toContain('bad.yaml:4:');
    expect(stderr).toContain('next:');
  });

  it('ends with 2 for a file that is not there', async () => {
    const { code, stderr } = await vfleet('check', join(folder, 'none.yaml'));
    expect(code).toBe(2);
    expect(stderr).toContain('there is no such file');
  });

  it('leads from an inventory that is not there to the line of the spec that names it', async () => {
    const spec = join(folder, 'lost.yaml');
    await writeFile(spec, GOOD.replace('hosts.yaml', 'nope.yaml'));
    const { code, stderr } = await vfleet('check', spec);
    expect(code).toBe(2);
    expect(stderr).toContain(`next: mend hosts.inventory in ${spec}`);
    expect(stderr).not.toContain('vfleet inventory -i');
  });

  it('lists hosts as JSON', async () => {
    const { code, stdout } = await vfleet(
      'inventory',
      '-i',
      join(folder, 'hosts.yaml'),
      'hv-002',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'hv-002', port: 1, labels: { rack: 'b' } }]);
  });
});

describe('without an engine', () => {
  it.each([[['list']], [['status', 'x']], [['pause', 'x']], [['host', 'x', 'y']], [[]]])(
    'ends with 4 and says what to do for %j',
    async (args) => {
      const { code, stderr } = await vfleet(...args);
      expect(code).toBe(4);
      expect(stderr).toContain('No engine is running');
      expect(stderr).toContain('run vfleet up');
      expect(stderr).toContain('vfleet explain engine.none');
    },
  );

  it.each([
    [{ TEMPORAL_ADDRESS: '127.0.0.1:1' }, 'TEMPORAL_ADDRESS', 'unset TEMPORAL_ADDRESS'],
    [{ TEMPORAL_PROFILE: 'prod' }, 'Temporal profile prod', 'unset TEMPORAL_PROFILE'],
    [{}, 'Temporal profile default', 'take the address out of that profile'],
  ])(
    'says who named an address at which none answers: %j',
    async (named, name, undo) => {
      const file = join(folder, 'temporal.toml');
      const profile = (of: string): string => `[profile.${of}]\naddress = "127.0.0.1:1"\n`;
      await writeFile(file, profile('prod') + profile('default'));
      const env = { TEMPORAL_CONFIG_FILE: file, ...named };
      const stateHome = join(folder, 'state');
      const { code, stderr } = await runCliHere(['list'], { stateHome, env });
      expect(code).toBe(4);
      expect(stderr).toContain(`The address comes from ${name}.`);
      expect(stderr).toContain(`next: start that server, or ${undo} and run vfleet up`);
    },
    20_000,
  );

  it('ends with 4 for start before any host is probed', async () => {
    const { code, stderr } = await vfleet('start', join(folder, 'good.yaml'), '--yes');
    expect(code).toBe(4);
    expect(stderr).toContain('run vfleet up');
  });
});

describe('plan', () => {
  it('shows hosts that do not answer, and keeps the plan', async () => {
    const { code, stdout } = await vfleet('plan', join(folder, 'good.yaml'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      changing: 0,
      unreachable: [
        { code: 'ssh.refused', hosts: ['hv-001'] },
        { code: 'ssh.refused', hosts: ['hv-002'] },
      ],
    });
  });

  it('refuses the id of a plan that is not kept', async () => {
    const { code, stderr } = await vfleet('start', join(folder, 'good.yaml'), '--plan', 'abcdef');
    expect(code).toBe(2);
    expect(stderr).toContain('abcdef');
  });
});

describe('folders that cannot be used', () => {
  it('refuses a folder that is no capture with 2 and names how one is made', async () => {
    const { code, stderr } = await vfleet('plan', join(folder, 'good.yaml'), '--from', folder);
    expect(code).toBe(2);
    expect(stderr).toContain('is not a capture');
    expect(stderr).toContain('vfleet capture HOST DIR -i INVENTORY');
  });

  it('refuses a capture into a used folder before it asks the host', async () => {
    const { code, stderr } = await vfleet('capture', 'hv-001', folder, '-i', inventoryFile());
    expect(code).toBe(2);
    expect(stderr).toContain('is not empty');
    expect(stderr).not.toContain('ssh.');
  });

  it('names the state folder and its variable when it cannot be made', async () => {
    const stateHome = join(folder, 'good.yaml');
    const { code, stderr } = await runCliHere(['plan', join(folder, 'good.yaml')], { stateHome });
    expect(code).toBe(1);
    expect(stderr).toContain(stateHome);
    expect(stderr).toContain('XDG_STATE_HOME');
  });

  it('leads from an inventory that is not there back to the inventory command', async () => {
    const { stderr, stdout, code } = await vfleet('inventory', '-i', join(folder, 'nope.ini'));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('look again: vfleet inventory -i');
  });
});

const inventoryFile = (): string => join(folder, 'hosts.yaml');
