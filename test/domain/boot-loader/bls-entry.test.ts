import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  blsId,
  expandOptions,
  isRescueEntry,
  parseBlsEntry,
  trialEntryText,
  withOptions,
} from '../../../src/domain/boot-loader/bls-entry.ts';
import { editEntry } from '../../../src/domain/boot-loader/line-change.ts';

/** The example of The Boot Loader Specification, type #1. */
const SPECIFICATION = `# /boot/loader/entries/6a9857a393724b7a981ebb5b8495b9ea-3.8.0-2.fc19.x86_64.conf
title        Fedora 19 (Rawhide)
sort-key     fedora
machine-id   6a9857a393724b7a981ebb5b8495b9ea
version      3.8.0-2.fc19.x86_64
options      root=UUID=6d3376e4-fc93-4509-95ec-a21d68011da2 quiet
architecture x64
linux        /6a9857a393724b7a981ebb5b8495b9ea/3.8.0-2.fc19.x86_64/linux
initrd       /6a9857a393724b7a981ebb5b8495b9ea/3.8.0-2.fc19.x86_64/initrd
`;
const RHEL_8 = `title Red Hat Enterprise Linux (4.18.0-553.el8_10.x86_64) 8.10 (Ootpa)
version 4.18.0-553.el8_10.x86_64
linux /vmlinuz-4.18.0-553.el8_10.x86_64
initrd /initramfs-4.18.0-553.el8_10.x86_64.img $tuned_initrd
options $kernelopts $tuned_params
id rhel-20240425153050-4.18.0-553.el8_10.x86_64
grub_users $grub_users
grub_arg --unrestricted
grub_class kernel
`;

const shlex = (line: string): string[] =>
  JSON.parse(
    execFileSync(
      'python3',
      ['-c', 'import json,shlex,sys; print(json.dumps(shlex.split(sys.argv[1])))', line],
      { encoding: 'utf8' },
    ),
  ) as string[];

describe('an entry in a file', () => {
  it('is read as the specification has it', () => {
    expect(parseBlsEntry(SPECIFICATION)).toEqual({
      title: 'Fedora 19 (Rawhide)',
      linux: '/6a9857a393724b7a981ebb5b8495b9ea/3.8.0-2.fc19.x86_64/linux',
      options: shlex('root=UUID=6d3376e4-fc93-4509-95ec-a21d68011da2 quiet'),
    });
  });

  it('is read as GRUB reads it: the first line of a key, up to a line without a value', () => {
    const text = 'linux /a\noptions root=/dev/sda1\noptions ro quiet\n';
    expect(parseBlsEntry(text)?.options).toEqual(['root=/dev/sda1']);
    expect(withOptions(text, ['ro'])).toBe('linux /a\noptions ro\noptions ro quiet\n');
    const cut = 'linux /a\n\noptions ro\n';
    expect(parseBlsEntry(cut)?.options).toEqual([]);
    expect(withOptions(cut, ['rw'])).toBe('linux /a\noptions rw\n\noptions ro\n');
  });

  it('is none without a kernel', () => {
    expect(parseBlsEntry('title x\nefi /EFI/shell.efi\n')).toBeUndefined();
    expect(parseBlsEntry('')).toBeUndefined();
  });

  it('keeps all but its options to the byte when it is edited', () => {
    const edited = editEntry(SPECIFICATION, { add: ['iommu=pt'], drop: ['quiet'] });
    expect(edited).toBe(
      SPECIFICATION.replace(
        /^options.*$/m,
        'options root=UUID=6d3376e4-fc93-4509-95ec-a21d68011da2 iommu=pt',
      ),
    );
  });

  it('is left as it is where it takes its arguments from grubenv', () => {
    expect(editEntry(RHEL_8, { add: ['iommu=pt'], drop: ['quiet'] })).toBe(RHEL_8);
  });

  it('gets what grubenv has for its variables, and nothing for what that lacks', () => {
    const { options } = parseBlsEntry(RHEL_8)!;
    expect(expandOptions(options, { kernelopts: 'root=/dev/a ro' })).toEqual(['root=/dev/a', 'ro']);
    expect(expandOptions(options, { kernelopts: 'ro', tuned_params: 'skew_tick=1' })).toEqual([
      'ro',
      'skew_tick=1',
    ]);
    expect(expandOptions(['$constructor', 'ro'], {})).toEqual(['ro']);
  });

  it('keeps pairs that repeat a name, which grubby would lose', () => {
    const text = 'linux /a\noptions console=tty0 console=ttyS0 ro\n';
    const add = ['hugepagesz=1G', 'hugepages=4', 'hugepagesz=2M', 'hugepages=512'];
    expect(parseBlsEntry(editEntry(text, { add, drop: [] }))?.options).toEqual([
      'console=tty0',
      'console=ttyS0',
      'ro',
      ...add,
    ]);
  });
});

describe('the trial entry', () => {
  it('boots what the default one boots, with other options and a title of its own', () => {
    const text = trialEntryText(RHEL_8, ['root=/dev/a', 'iommu=pt', 'vfleet.trial=t1'], 't1');
    expect(parseBlsEntry(text)).toEqual({
      title: 'vfleet trial t1',
      linux: '/vmlinuz-4.18.0-553.el8_10.x86_64',
      options: ['root=/dev/a', 'iommu=pt', 'vfleet.trial=t1'],
    });
    expect(text).toContain('\ninitrd /initramfs-4.18.0-553.el8_10.x86_64.img $tuned_initrd\n');
    expect(text).not.toMatch(/^id /m);
  });
});

it('goes by the name of its file', () => {
  expect(blsId('/boot/loader/entries/abc-5.14.0-1.el9.x86_64.conf')).toBe(
    'abc-5.14.0-1.el9.x86_64',
  );
  expect(isRescueEntry('/boot/loader/entries/abc-0-rescue.conf')).toBe(true);
  expect(isRescueEntry('/boot/loader/entries/abc-0-rescue-def.conf')).toBe(true);
  expect(isRescueEntry('/boot/loader/entries/abc-5.14.0-1.el9.x86_64.conf')).toBe(false);
});
