import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  dropInText,
  parseDropIn,
  TRIAL_SNIPPET,
  trialArgsText,
  TRIAL_ONLY_ARGS,
  withoutTrialArgs,
} from '../../src/domain/drop-in.ts';
import { parseGrubCfg, resolveEntry } from '../../src/facts/grub.ts';

const dir = mkdtempSync(join(tmpdir(), 'vfleet-drop-in-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** What the shell makes of the two variables after sourcing the drop-in, as grub-mkconfig does (with set -e). */
function source(text: string, linux: string, linuxDefault: string): [string, string] {
  writeFileSync(join(dir, 'drop-in.cfg'), text);
  const output = execFileSync(
    '/bin/sh',
    [
      '-c',
      'set -e; GRUB_CMDLINE_LINUX=$1 GRUB_CMDLINE_LINUX_DEFAULT=$2; . "$3"; printf "%s\\n%s\\n" "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT"',
      'sh',
      linux,
      linuxDefault,
      join(dir, 'drop-in.cfg'),
    ],
    { encoding: 'utf8' },
  ).split('\n');
  return [output[0] ?? '', output[1] ?? ''];
}

describe('the drop-in, sourced by a real shell', () => {
  it('appends to the default arguments and takes tokens out of both variables', () => {
    const text = dropInText({ add: ['intel_iommu=on', 'iommu=pt'], drop: ['intel_iommu=off'] });
    expect(source(text, 'console=ttyS0 intel_iommu=off', 'quiet intel_iommu=off')).toEqual([
      'console=ttyS0',
      'quiet intel_iommu=on iommu=pt',
    ]);
  });

  it('leaves patterns and quoted arguments of the administrator as they are', () => {
    const text = dropInText({ add: ['a=1'], drop: ['nosplash'] });
    const line = 'x=* dyndbg="file x.c +p" y=[ab]?';
    expect(source(text, line, '')).toEqual([line, 'a=1']);
  });

  it('does for random lines what it says: dropped tokens gone, added ones at the end', () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9_.]{0,8}(=[A-Za-z0-9_.,:/@+-]{1,8})?$/);
    const tokens = fc.uniqueArray(token, { maxLength: 5 });
    fc.assert(
      fc.property(tokens, tokens, tokens, tokens, (linux, linuxDefault, add, drop) => {
        const [one, two] = source(
          dropInText({ add, drop }),
          linux.join(' '),
          linuxDefault.join(' '),
        );
        const keep = (args: string[]) => args.filter((arg) => !drop.includes(arg));
        expect(one).toBe(keep(linux).join(' '));
        expect(two).toBe([...keep(linuxDefault), ...add].join(' '));
      }),
      { numRuns: 60 },
    );
  });

  it('can be read back from its comments', () => {
    const edit = { add: ['iommu=pt', 'pci=realloc'], drop: ['intel_iommu=off'] };
    expect(parseDropIn(dropInText(edit))).toEqual(edit);
    expect(parseDropIn('GRUB_CMDLINE_LINUX=""\n')).toBeUndefined();
  });
});

describe('the trial snippet, run by a real shell and awk on a real grub.cfg', () => {
  const menu = new URL('../fixtures/debian-12/grub.cfg', import.meta.url).pathname;
  const before = readFileSync(menu, 'utf8');

  function trialMenu(add: string[], drop: string[]): string {
    writeFileSync(join(dir, 'trial.args'), trialArgsText({ add, drop }));
    writeFileSync(join(dir, 'trial.id'), 't42\n');
    const snippet = TRIAL_SNIPPET.replaceAll('/var/lib/vfleet', dir).replaceAll(
      '/boot/grub/grub.cfg',
      menu,
    );
    return before + execFileSync('/bin/sh', ['-c', snippet], { encoding: 'utf8' });
  }

  it('adds one entry that differs from the default only in title, id and arguments', () => {
    const parsed = parseGrubCfg(trialMenu(['intel_iommu=on', 'iommu=pt'], ['intel_iommu=off']));
    const trial = resolveEntry(parsed, 'vfleet-trial');
    const standard = resolveEntry(parsed, '0');
    expect(trial?.kernel).toBe(standard?.kernel);
    expect(trial?.args).toEqual([
      ...(standard?.args ?? []).filter((arg) => arg !== 'intel_iommu=off'),
      'intel_iommu=on',
      'iommu=pt',
      'panic=30',
      'oops=panic',
      'rd.shell=0',
      'rd.emergency=reboot',
      'vfleet.trial=t42',
    ]);
  });

  it('prints nothing without its arguments file', () => {
    rmSync(join(dir, 'trial.args'), { force: true });
    const snippet = TRIAL_SNIPPET.replaceAll('/var/lib/vfleet', dir);
    expect(execFileSync('/bin/sh', ['-c', snippet], { encoding: 'utf8' })).toBe('');
  });

  it('is told apart from the plain line by its marker only', () => {
    expect(withoutTrialArgs(['ro', 'panic=30', 'oops=panic', 'vfleet.trial=t42'])).toEqual(['ro']);
    expect(withoutTrialArgs(['ro', 'panic=30'])).toEqual(['ro', 'panic=30']);
    const own = ['ro', 'panic=30', 'rd.shell=0'];
    expect(withoutTrialArgs([...own, ...TRIAL_ONLY_ARGS, 'vfleet.trial=t42'])).toEqual(own);
  });
});
