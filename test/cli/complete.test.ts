import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complete, type Completion } from '../../src/cli/complete.ts';
import { COMPLETION_SCRIPTS } from '../../src/cli/completion-scripts.ts';
import { readKnownNames, rememberNames, type KnownNames } from '../../src/cli/known-names.ts';
import { createProgram } from '../../src/cli/program.ts';
import { sampleStatus } from './render/samples.ts';

const NAMES: KnownNames = [
  { rollout: 'enable#9', hosts: ['old-1'] },
  { rollout: 'enable#10', hosts: ['hv-1', 'hv-2'] },
];

const program = createProgram(() => Promise.resolve(), '0');
function words(...line: string[]): string[] | 'path' {
  const found: Completion = complete(program, line, NAMES);
  return found === 'path' ? found : found.map(({ word }) => word);
}

describe('what may stand next', () => {
  it('is a command at first, and never a hidden one', () => {
    expect(words('pro')).toEqual(['promote']);
    expect(words('')).toContain('status');
    expect(words('')).not.toContain('complete');
  });

  it.each<[string[], string[] | 'path']>([
    [
      ['status', ''],
      ['enable', 'enable#9', 'enable#10'],
    ],
    [['status', 'enable#1'], ['enable#10']],
    [
      ['retry', 'enable', 'hv'],
      ['hv-1', 'hv-2'],
    ],
    [['retry', 'enable#9', ''], ['old-1']],
    [['skip', 'enable', '--reason', 'old board', 'hv-1', ''], ['hv-2']],
    [['skip', 'enable', '--reason', ''], []],
    [['host', 'enable', 'hv-2'], ['hv-2']],
    [['abort', 'enable', '--ro'], ['--rollback']],
    [['plan', ''], 'path'],
    [['inventory', '-i', 'x'], 'path'],
    [['completion', 'f'], ['fish']],
    [['explain', 'reboot.no-'], ['reboot.no-return']],
    [['nonsense', ''], []],
  ])('is for %j: %j', (line, expected) => {
    expect(words(...line)).toEqual(expected);
  });
});

describe('the names that completions know', () => {
  it('are those of the statuses that were read, newest first, and broken files are none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vfleet-names-'));
    try {
      await rememberNames(folder, sampleStatus({ id: 'a#1' }));
      await rememberNames(folder, sampleStatus({ id: 'a#2' }));
      const known = await readKnownNames(folder);
      expect(known.map(({ rollout }) => rollout)).toEqual(['a#2', 'a#1']);
      expect(known[0]?.hosts).toEqual(sampleStatus().hosts.map((host) => host.name));
      for (const broken of ['{', '[null, 1, {"rollout": "a#1"}]', '{"rollout": "a#1"}']) {
        await writeFile(join(folder, 'known-names.json'), broken);
        expect(await readKnownNames(folder)).toEqual([]);
        await rememberNames(folder, sampleStatus());
        expect(await readKnownNames(folder)).toHaveLength(1);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are none that a shell would take for more than a word', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vfleet-names-'));
    try {
      const hosts = ['hv-01', '$(id)', 'a;id', '-rf', "it's"];
      const text = JSON.stringify([
        { rollout: 'a#1', hosts },
        { rollout: '`id`#1', hosts },
      ]);
      await writeFile(join(folder, 'known-names.json'), text);
      expect(await readKnownNames(folder)).toEqual([{ rollout: 'a#1', hosts: ['hv-01'] }]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('cost nothing but completions where the folder takes no writes', async () => {
    await expect(
      rememberNames(join(import.meta.filename, 'below-a-file'), sampleStatus()),
    ).resolves.toBeUndefined();
  });
});

describe('the scripts in real shells', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vfleet-complete-'));
    await symlink(
      fileURLToPath(new URL('../../bin/vfleet', import.meta.url)),
      join(folder, 'vfleet'),
    );
    await mkdir(join(folder, 'vfleet-state'));
    await mkdir(join(folder, 'state', 'vfleet'), { recursive: true });
    await writeFile(join(folder, 'state', 'vfleet', 'known-names.json'), JSON.stringify(NAMES));
    for (const [shell, script] of Object.entries(COMPLETION_SCRIPTS)) {
      await writeFile(join(folder, shell), script);
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const shell = async (name: string, ...args: string[]): Promise<string[]> => {
    const path = `${folder}:${process.env['PATH'] ?? ''}`;
    const env = { ...process.env, PATH: path, XDG_STATE_HOME: join(folder, 'state'), HOME: folder };
    const { stdout } = await promisify(execFile)(name, args, { env, cwd: folder });
    return stdout.trimEnd().split('\n');
  };
  const absent = (name: string): boolean => spawnSync(name, ['--version']).error !== undefined;

  const bash = (...line: string[]): Promise<string[]> =>
    shell(
      ...(['bash', '--norc', '-c'] as const),
      `source ./bash; COMP_WORDS=(vfleet "$@"); COMP_CWORD=$#; _vfleet; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      ...line,
    );

  it('bash offers hosts, and runs nothing of what was typed', async () => {
    expect(await bash('retry', 'enable', '')).toEqual(['hv-1', 'hv-2']);
    expect(await bash('retry', '$(touch made)`touch made`', 'x')).toEqual(['']);
    expect(await shell('ls')).not.toContain('made');
  });

  // Skipped where there is no such shell: each needs its own.
  it.skipIf(absent('zsh'))(
    'zsh offers hosts, and files for a spec (skipped without zsh)',
    async () => {
      const script = `compdef() { }; _describe() { print -l -- $found }; _files() { print files }
source ./zsh; words=(vfleet "$@"); CURRENT=$#words; _vfleet`;
      const zsh = (...line: string[]): Promise<string[]> =>
        shell('zsh', '-f', '-c', script, 'zsh', ...line);
      expect(await zsh('retry', 'enable', '')).toEqual(['hv-1:', 'hv-2:']);
      expect(await zsh('plan', '')).toEqual(['files']);
    },
  );

  // As above: needs fish.
  it.skipIf(absent('fish'))(
    'fish offers hosts, and files for a spec (skipped without fish)',
    async () => {
      const fish = (line: string): Promise<string[]> =>
        shell('fish', '--no-config', '-c', `source ./fish; complete -C '${line}'`);
      expect(await fish('vfleet retry enable ')).toEqual(['hv-1', 'hv-2']);
      expect(await fish('vfleet plan ba')).toEqual(['bash']);
    },
  );
});
