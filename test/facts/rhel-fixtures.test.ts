import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseBlsEntry, withOptions } from '../../src/domain/boot-loader/bls-entry.ts';
import { editDefaultGrub, editLineFile } from '../../src/domain/boot-loader/default-grub.ts';
import { editEntry } from '../../src/domain/boot-loader/line-change.ts';
import { applyArgs, tokenise } from '../../src/domain/kernel-args.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import { makeHostTree } from '../../src/simulator/model/make-host-tree.ts';
import { readGrubenv, writeGrubenv } from '../../src/simulator/model/grub/grubenv.ts';
import { snapshotOf } from './devices/support/snapshot-of.ts';
import {
  entriesOf,
  fixturePath,
  pathOnHost,
  RHEL_HOSTS,
  RHEL_NAMES,
  rhelFixture,
} from './support/rhel-fixtures.ts';

/**
 * The boot files of five hosts of the RHEL family against programs that are not ours: grub-editenv and grub-script-check of
 * Debian's grub-common, the shell that grub2-mkconfig sources its settings with, and python's shlex.
 */
const EDITENV = '/usr/bin/grub-editenv';
const CHECK = '/usr/bin/grub-script-check';

const EDITS: Readonly<Record<string, { add: readonly string[]; drop: readonly string[] }>> = {
  'adds two arguments': { add: ['intel_iommu=on', 'iommu=pt'], drop: [] },
  'takes one away that may be there': { add: [], drop: ['intel_iommu=off', 'quiet'] },
  'does both, with a value that has an equals sign': {
    add: ['intel_iommu=on', 'vfio-pci.ids=10de:1b80,10de:10f0', 'systemd.setenv=A=1'],
    drop: ['rhgb', 'intel_iommu=off'],
  },
  'adds what is there already': { add: ['rd.lvm.lv=rl/root'], drop: [] },
  'adds nothing': { add: [], drop: ['not-there'] },
};

const fixture = (host: string, file: string) => rhelFixture(host).get(file) ?? '';
const efiFolder = (host: string) => {
  const { tree } = makeHostTree({ name: host, ...RHEL_HOSTS[host] });
  return tree.names('/boot/efi/EFI')![0]!;
};

type Settings = Readonly<Record<string, string>>;

/** What the shell makes of settings files; the command substitution in them finds no /etc/system-release here. */
function sourced(texts: readonly string[]): readonly Settings[] {
  const script = `for text; do ( eval "$text"; text=; set | sed -n "/^GRUB_/{s/='/=/;s/'$//;p;}" ); printf '\\0'; done`;
  const output = execFileSync('/bin/sh', ['-c', script, 'sh', ...texts], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pairs = (part: string) =>
    part
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return output
    .split('\0')
    .slice(0, -1)
    .map((part) => Object.fromEntries(pairs(part)) as Settings);
}

const SPLIT = `
import json, re, shlex, sys
def words(text):
    lines = re.findall(r"^options[ \t]+(.*)$", text, re.M) if text.startswith("title ") else [text]
    return [shlex.split(line) for line in lines]
print(json.dumps([words(text) for text in json.load(sys.stdin)]))
`;

/** Words as python's shlex splits them: of each `options` line of an entry, or of a text that is one line. */
function shlex(texts: readonly string[]): readonly (readonly (readonly string[])[])[] {
  const output = execFileSync('python3', ['-c', SPLIT], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
  });
  return JSON.parse(output) as string[][][];
}

/** The lines but those that may be edited. */
const others = (text: string, edited: RegExp) =>
  text.split('\n').filter((line) => !edited.test(line));

const list = (path: string) => execFileSync(EDITENV, [path, 'list'], { encoding: 'latin1' });

describe.each(RHEL_NAMES)('the boot files of %s', (host) => {
  it('are those that the model makes, byte for byte', () => {
    const { tree } = makeHostTree({ name: host, ...RHEL_HOSTS[host] });
    const [efi = ''] = tree.names('/boot/efi/EFI') ?? [];
    const made = [...rhelFixture(host).keys()].map((file) => {
      const bytes = tree.bytes(pathOnHost(host, file, efi));
      return [file, bytes && Buffer.from(bytes).toString('latin1')];
    });
    expect(new Map(made as [string, string][])).toEqual(rhelFixture(host));
    expect(tree.names('/boot/loader/entries')).toHaveLength(entriesOf(rhelFixture(host)).length);
  });

  it('have settings that the shell reads without a word', () => {
    const [found = {}] = sourced([fixture(host, 'default-grub')]);
    expect(found).toMatchObject({ GRUB_DEFAULT: 'saved', GRUB_ENABLE_BLSCFG: 'true' });
    const line = [found['GRUB_CMDLINE_LINUX'], found['GRUB_CMDLINE_LINUX_DEFAULT']];
    const env = readGrubenv(Buffer.from(fixture(host, 'grubenv'), 'latin1'))!.variables;
    const kernels = fixture(host, 'kernel-cmdline') || env.get('kernelopts')!;
    const [, , ...rest] = tokenise(kernels);
    expect(tokenise(line.join(' '))).toEqual(rest);
  });

  it('have options that python splits as vfleet does', () => {
    const files = rhelFixture(host);
    const texts = entriesOf(files).map((name) => files.get(name)!);
    expect(texts.map((text) => [parseBlsEntry(text)!.options])).toEqual(shlex(texts));
  });

  it('make facts of a loader that vfleet drives, with the newest kernel as its default', () => {
    const efi = efiFolder(host);
    const files = Object.fromEntries(
      [...rhelFixture(host)].map(([file, text]) => [pathOnHost(host, file, efi), text]),
    );
    const env = files['/boot/grub2/grubenv'] ?? files[`/boot/efi/EFI/${efi}/grubenv`]!;
    const { bootLoader } = parseFacts(
      snapshotOf({
        // What a link leads to is read by the link's name.
        files: { ...files, '/boot/grub2/grubenv': env },
        queries: { 'grub-probe-fs': 'xfs', 'grub-probe-abstraction': '' },
      }),
    );
    const saved = /^saved_entry=(.*)$/m.exec(env)![1]!;
    expect(bootLoader).toMatchObject({
      supported: true,
      kind: 'grub-bls',
      defaultPath: `/boot/loader/entries/${saved}.conf`,
      oneShot: { safe: true },
    });
  });

  describe.runIf(existsSync(EDITENV))(
    'by grub-common (needs Debian’s package of that name)',
    () => {
      it('have a grubenv that grub-editenv reads as vfleet’s model does', () => {
        const bytes = readFileSync(fixturePath(host, 'grubenv'));
        const variables = [...readGrubenv(bytes)!.variables];
        expect(bytes).toHaveLength(1024);
        expect(list(fixturePath(host, 'grubenv'))).toBe(
          variables.map(([name, value]) => `${name}=${value}\n`).join(''),
        );
      });

      it('have a grubenv that grub-editenv edits to the same bytes as the model', () => {
        const folder = mkdtempSync(join(tmpdir(), 'vfleet-grubenv-'));
        try {
          const copy = join(folder, 'grubenv');
          copyFileSync(fixturePath(host, 'grubenv'), copy);
          const model = readGrubenv(readFileSync(copy))!;
          execFileSync(EDITENV, [copy, 'set', 'next_entry=vfleet-trial']);
          model.variables.set('next_entry', 'vfleet-trial');
          expect(Buffer.from(writeGrubenv(model)!).equals(readFileSync(copy))).toBe(true);
          execFileSync(EDITENV, [copy, 'set', 'kernelopts=root=/dev/a ro intel_iommu=on']);
          model.variables.set('kernelopts', 'root=/dev/a ro intel_iommu=on');
          expect(Buffer.from(writeGrubenv(model)!).equals(readFileSync(copy))).toBe(true);
          execFileSync(EDITENV, [copy, 'unset', 'next_entry']);
          model.variables.delete('next_entry');
          expect(Buffer.from(writeGrubenv(model)!).equals(readFileSync(copy))).toBe(true);
        } finally {
          rmSync(folder, { recursive: true });
        }
      });

      it('have scripts that GRUB can parse', () => {
        for (const file of ['grub.cfg', 'efi-grub.cfg'].filter((it) => rhelFixture(host).has(it))) {
          expect(() => execFileSync(CHECK, [fixturePath(host, file)])).not.toThrow();
        }
      });
    },
  );

  it('are edited so that other programs agree', () => {
    const files = rhelFixture(host);
    const text = files.get('default-grub')!;
    const line = files.get('kernel-cmdline');
    const entries = entriesOf(files).map((name) => files.get(name)!);
    const edits = Object.values(EDITS);
    const settings = sourced([text, ...edits.map((edit) => editDefaultGrub(text, edit)!)]);
    const lines = shlex(settings.map((it) => it['GRUB_CMDLINE_LINUX'] ?? ''));
    for (const [at, edit] of edits.entries()) {
      const [before, after] = [settings[0]!, settings[at + 1]!];
      expectSettings(before, after, edit);
      expect(lines[at + 1]![0]).toEqual(applyArgs(lines[0]![0]!, edit));
      expect(others(editDefaultGrub(text, edit)!, /^GRUB_CMDLINE/)).toEqual(
        others(text, /^GRUB_CMDLINE/),
      );
      const edited = entries.map((entry) => editEntry(entry, edit));
      const split = shlex([...entries, ...edited]);
      for (const [which, entry] of entries.entries()) {
        const own = entry.includes('$kernelopts') ? { add: [], drop: edit.drop } : edit;
        const [old] = split[which]!;
        expect(split[entries.length + which]).toEqual([applyArgs(old!, own)]);
        expect(others(edited[which]!, /^options/)).toEqual(others(entry, /^options/));
        expect(withOptions(edited[which]!, old!)).toBe(entry);
      }
    }
    if (line === undefined) return;
    const split = shlex([line, ...edits.map((edit) => editLineFile(line, edit))]);
    for (const [at, edit] of edits.entries()) {
      expect(split[at + 1]).toEqual([applyArgs(split[0]![0]!, edit)]);
    }
  });
});

/** The shell sees the same of all settings but the line, and nothing dropped in either part of it. */
function expectSettings(before: Settings, after: Settings, { drop }: (typeof EDITS)[string]): void {
  const rest = (settings: Settings) =>
    Object.entries(settings).filter(([name]) => !name.startsWith('GRUB_CMDLINE'));
  expect(rest(after)).toEqual(rest(before));
  for (const name of ['GRUB_CMDLINE_LINUX', 'GRUB_CMDLINE_LINUX_DEFAULT']) {
    const words = tokenise(after[name] ?? '');
    expect(words.filter((word) => drop.includes(word))).toEqual([]);
  }
}
