import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { trialEntryText } from '../../src/domain/boot-loader/bls-entry.ts';
import { editEntry } from '../../src/domain/boot-loader/line-change.ts';
import type { GrubBlsChange } from '../../src/domain/changes.ts';
import { BLS_TRIAL_PATH } from '../../src/facts/probe.ts';
import { UndoHost } from './support/undo-host.ts';

/** UNDO.txt on hosts of the RHEL family, run by a real shell in a throw-away folder. */
const FOLDER = '/boot/loader/entries';
const ENTRY = `${FOLDER}/aa11-5.14.0-427.el9.x86_64.conf`;
const OLDER = `${FOLDER}/aa11-5.14.0-362.el9.x86_64.conf`;
const DEFAULT_GRUB = '/etc/default/grub';
const CMDLINE = '/etc/kernel/cmdline';
const ENV = '/boot/grub2/grubenv';
const LINE = ['root=/dev/mapper/rhel-root', 'ro', 'crashkernel=1G-4G:192M'];
const EDIT = { add: ['intel_iommu=on', 'iommu=pt'], drop: [] };
const entry = (release: string, options = LINE.join(' ')) =>
  `title RHEL (${release}) 9.4 (Plow)\nversion ${release}\nlinux /vmlinuz-${release}\ninitrd /initramfs-${release}.img $tuned_initrd\noptions ${options} $tuned_params\ngrub_users $grub_users\n`;
const BEFORE = {
  [ENTRY]: entry('5.14.0-427.el9.x86_64'),
  [OLDER]: entry('5.14.0-362.el9.x86_64'),
  [DEFAULT_GRUB]: `# Was ist's?\nGRUB_CMDLINE_LINUX="crashkernel=1G-4G:192M"\n`,
  [CMDLINE]: `${LINE.join(' ')}\n`,
};
const AFTER = {
  [ENTRY]: editEntry(BEFORE[ENTRY], EDIT),
  [OLDER]: editEntry(BEFORE[OLDER], EDIT),
  [DEFAULT_GRUB]: `# Was ist's?\nGRUB_CMDLINE_LINUX="crashkernel=1G-4G:192M intel_iommu=on iommu=pt"\n`,
  [CMDLINE]: `${LINE.join(' ')} intel_iommu=on iommu=pt\n`,
};
const CHANGE: GrubBlsChange = {
  kind: 'cmdline',
  loader: 'grub-bls',
  ...EDIT,
  before: LINE,
  after: [...LINE, ...EDIT.add],
  files: ([ENTRY, OLDER, DEFAULT_GRUB, CMDLINE] as const).map((path) => ({
    path,
    before: BEFORE[path],
    after: AFTER[path],
  })),
  kernelopts: null,
};
const TRIAL = trialEntryText(BEFORE[ENTRY], [...CHANGE.after, 'vfleet.trial=t1'], 't1');

let host: UndoHost;
beforeEach(() => {
  host = new UndoHost();
  for (const [path, text] of Object.entries(BEFORE)) host.put(path, text);
  host.put(ENV, `saved_entry=aa11-5.14.0-427.el9.x86_64\nboot_success=1\n`);
  host.put('/proc/cmdline', `BOOT_IMAGE=(hd0,gpt2)/vmlinuz ${LINE.join(' ')}\n`);
});
afterEach(() => {
  host.dispose();
});

/** What a run does, one write after the other. */
const STEPS: readonly (readonly [string, () => void])[] = [
  ['nothing yet', () => undefined],
  ['the trial entry', () => host.put(BLS_TRIAL_PATH, TRIAL)],
  ['its one-shot', () => host.put(ENV, `${host.get(ENV)}next_entry=vfleet-trial\n`)],
  ['the boot of it', () => host.put(ENV, host.get(ENV)!.replace('vfleet-trial', ''))],
  ...Object.entries(AFTER).map(
    ([path, text]) => [`the new ${path}`, () => host.put(path, text)] as const,
  ),
];

describe('UNDO.txt where each kernel has its entry in a file', () => {
  it.each(STEPS.map(([name], at) => [name, at] as const))(
    'takes all back to the byte after %s, and changes nothing the second time',
    (_, at) => {
      const before = host.tree();
      for (const [, step] of STEPS.slice(0, at + 1)) step();
      const { code, stdout, stderr } = host.undo([CHANGE]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(host.tree()).toEqual(before);
      expect(stdout).toContain(`The next boot uses: ${LINE.join(' ')}`);
      expect(stdout).not.toContain('NOTE');
      expect(host.undo([CHANGE]).code).toBe(0);
      expect(host.tree()).toEqual(before);
    },
  );

  it('puts kernelopts back, where entries take their line from grubenv', () => {
    const own = `title RHEL 8\nlinux /vmlinuz-4.18.0\noptions $kernelopts $tuned_params\n`;
    host.put(ENTRY, own);
    host.put(ENV, `saved_entry=aa11-5.14.0-427.el9.x86_64\nkernelopts=root=/dev/a ro\n`);
    const before = host.tree();
    const change: GrubBlsChange = {
      ...CHANGE,
      before: ['root=/dev/a', 'ro'],
      files: CHANGE.files.filter(({ path }) => path === DEFAULT_GRUB),
      kernelopts: { before: 'root=/dev/a ro', after: 'root=/dev/a ro iommu=pt' },
    };
    host.put(ENV, host.get(ENV)!.replace('root=/dev/a ro', 'root=/dev/a ro iommu=pt'));
    host.put(DEFAULT_GRUB, AFTER[DEFAULT_GRUB]);
    const { code, stdout } = host.undo([change]);
    expect(code).toBe(0);
    expect(stdout).toContain('The next boot uses: root=/dev/a ro');
    expect(host.tree()).toEqual(before);
  });

  it('refuses, with nothing changed, when somebody else edited an entry since', () => {
    for (const [, step] of STEPS) step();
    host.put(OLDER, entry('5.14.0-362.el9.x86_64', 'mine'));
    const before = host.tree();
    const { code, stderr } = host.undo([CHANGE]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${OLDER.slice(1)} was changed by somebody else`);
    expect(host.tree()).toEqual(before);
  });

  it('leaves the entry of a kernel that is gone, and names one that took the line over', () => {
    for (const [, step] of STEPS) step();
    host.remove(OLDER);
    const NEWER = `${FOLDER}/aa11-5.14.0-503.el9.x86_64.conf`;
    host.put(NEWER, entry('5.14.0-503.el9.x86_64', [...LINE, 'iommu=pt'].join(' ')));
    const { code, stdout } = host.undo([CHANGE]);
    expect(code).toBe(0);
    expect(host.get(OLDER)).toBeUndefined();
    expect(stdout).toContain(`5.14.0-503.el9.x86_64.conf was made since and has iommu=pt`);
  });
});
