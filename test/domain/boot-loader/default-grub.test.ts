import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDefaultGrub, editLineFile } from '../../../src/domain/boot-loader/default-grub.ts';

const RHEL = `GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR="$(sed 's, release .*$,,g' /etc/system-release)"
GRUB_DEFAULT=saved
GRUB_DISABLE_SUBMENU=true
GRUB_TERMINAL_OUTPUT="console"
GRUB_CMDLINE_LINUX="crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M rd.lvm.lv=rhel/root rhgb quiet"
GRUB_DISABLE_RECOVERY="true"
GRUB_ENABLE_BLSCFG=true
`;
const ADD = { add: ['intel_iommu=on', 'iommu=pt'], drop: ['quiet'] };

/** What the shell makes of the file: the oracle, since grub2-mkconfig sources it. */
function sourced(text: string): { readonly linux: string; readonly default: string } {
  const script = `${text}\nprintf '%s\\n%s' "\${GRUB_CMDLINE_LINUX-}" "\${GRUB_CMDLINE_LINUX_DEFAULT-}"`;
  const [linux = '', rest = ''] = execFileSync('/bin/sh', ['-c', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).split('\n');
  return { linux, default: rest };
}

describe('editDefaultGrub', () => {
  it('changes the arguments and nothing else', () => {
    const edited = editDefaultGrub(RHEL, ADD)!;
    expect(sourced(edited).linux).toBe(
      'crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M rd.lvm.lv=rhel/root rhgb intel_iommu=on iommu=pt',
    );
    const other = (text: string) => text.split('\n').filter((line) => !line.includes('CMDLINE'));
    expect(other(edited)).toEqual(other(RHEL));
  });

  it.each([
    ['in single quotes', "GRUB_CMDLINE_LINUX='ro quiet'\n", 'ro intel_iommu=on iommu=pt'],
    ['without quotes', 'GRUB_CMDLINE_LINUX=quiet\n', 'intel_iommu=on iommu=pt'],
    ['empty', 'GRUB_CMDLINE_LINUX=\n', 'intel_iommu=on iommu=pt'],
    [
      'with a comment behind',
      'GRUB_CMDLINE_LINUX="ro quiet" # mine\n',
      'ro intel_iommu=on iommu=pt',
    ],
    ['exported', '  export GRUB_CMDLINE_LINUX="ro"\n', 'ro intel_iommu=on iommu=pt'],
    ['that is not there', 'GRUB_TIMEOUT=5', 'intel_iommu=on iommu=pt'],
  ])('edits a value %s', (_, text, expected) => {
    expect(sourced(editDefaultGrub(text, ADD)!).linux).toBe(expected);
  });

  it('takes dropped arguments out of the other variable too, and adds nothing there', () => {
    const text = 'GRUB_CMDLINE_LINUX="ro"\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n';
    expect(sourced(editDefaultGrub(text, ADD)!)).toEqual({
      linux: 'ro intel_iommu=on iommu=pt',
      default: 'splash',
    });
  });

  it('keeps the bytes of a file that is as asked', () => {
    const text = "GRUB_CMDLINE_LINUX='intel_iommu=on   iommu=pt'\n";
    expect(editDefaultGrub(text, ADD)).toBe(text);
  });

  it('keeps an argument with quotes of its own', () => {
    const text = `GRUB_CMDLINE_LINUX='dyndbg="file a.c +p" ro'\n`;
    expect(sourced(editDefaultGrub(text, ADD)!).linux).toBe(
      'dyndbg="file a.c +p" ro intel_iommu=on iommu=pt',
    );
  });

  it.each([
    'GRUB_CMDLINE_LINUX="$OTHER ro"\n',
    'GRUB_CMDLINE_LINUX="`cat /x`"\n',
    'GRUB_CMDLINE_LINUX="a\\"b"\n',
    'GRUB_CMDLINE_LINUX="ro"\nGRUB_CMDLINE_LINUX="rw"\n',
    'GRUB_CMDLINE_LINUX="ro"\nGRUB_CMDLINE_LINUX+=" quiet"\n',
    'GRUB_CMDLINE_LINUX="ro"; reboot\n',
    'GRUB_CMDLINE_LINUX="ro"" quiet"\n',
    'if true; then GRUB_CMDLINE_LINUX="ro"; fi\n',
  ])('does not touch what only a shell could tell: %j', (text) => {
    expect(editDefaultGrub(text, ADD)).toBeUndefined();
  });

  it('does the same as the shell sees, whatever plain arguments there are', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9_.]{0,8}(=[A-Za-z0-9,:/@+.-]{1,10})?$/);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), fc.constantFrom('"', "'"), (args, quote) => {
        const text = `A=1\nGRUB_CMDLINE_LINUX=${quote}${args.join(' ')}${quote}\nB=2\n`;
        const edited = editDefaultGrub(text, { add: ['vfio=1'], drop: args.slice(0, 1) })!;
        const kept = args.filter((arg) => arg !== args[0] && arg !== 'vfio=1');
        expect(
          sourced(edited)
            .linux.split(' ')
            .filter((arg) => arg !== 'vfio=1'),
        ).toEqual(kept.length === 0 ? [] : kept);
        expect(sourced(edited).linux).toContain('vfio=1');
      }),
      { numRuns: 40 },
    );
  });
});

describe('editLineFile', () => {
  it('edits one line of arguments', () => {
    expect(editLineFile('root=UUID=1 ro quiet\n', ADD)).toBe(
      'root=UUID=1 ro intel_iommu=on iommu=pt\n',
    );
  });
  it('keeps the bytes of one that is as asked', () => {
    const text = 'ro  intel_iommu=on iommu=pt';
    expect(editLineFile(text, ADD)).toBe(text);
  });
});
