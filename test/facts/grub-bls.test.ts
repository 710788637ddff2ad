import { describe, expect, it } from 'vitest';
import type { GrubBlsFacts } from '../../src/domain/facts.ts';
import { parseBootLoader } from '../../src/facts/boot-loader.ts';
import { snapshotOf } from './devices/support/snapshot-of.ts';

/** A host of the RHEL family, as far as its loader goes. */
const ID = 'aa11-5.14.0-427.el9.x86_64';
const CFG = `if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="\${saved_entry}"
fi
insmod blscfg
blscfg
`;
const FILES: Readonly<Record<string, string>> = {
  '/boot/grub2/grub.cfg': CFG,
  '/boot/grub2/grubenv': `# GRUB Environment Block\nsaved_entry=${ID}\nboot_success=0\n####`,
  [`/boot/loader/entries/${ID}.conf`]:
    'title RHEL 9.4\nlinux /vmlinuz-5.14.0-427.el9.x86_64\noptions root=/dev/a ro $tuned_params\n',
  '/boot/loader/entries/aa11-0-rescue.conf': 'title rescue\nlinux /vmlinuz-0-rescue\noptions ro\n',
  '/etc/default/grub': 'GRUB_CMDLINE_LINUX="ro"\n',
};
const QUERIES = { 'grub-probe-fs': 'xfs', 'grub-probe-abstraction': '' };

const parsed = (over: Readonly<Record<string, string | undefined>> = {}) => {
  const files = Object.fromEntries(
    Object.entries({ ...FILES, ...over }).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    ),
  );
  return parseBootLoader(snapshotOf({ files, queries: QUERIES }));
};
const understood = (over: Readonly<Record<string, string | undefined>> = {}): GrubBlsFacts => {
  const facts = parsed(over);
  if (facts.supported && facts.kind === 'grub-bls') return facts;
  throw new Error(JSON.stringify(facts));
};

describe('GRUB with entries in files', () => {
  it('boots the entry that grubenv names, with what grubenv has for its variables', () => {
    const env = `saved_entry=${ID}\ntuned_params=skew_tick=1 nohz=on\n`;
    expect(understood({ '/boot/grub2/grubenv': env })).toMatchObject({
      defaultEntry: {
        kernel: '/vmlinuz-5.14.0-427.el9.x86_64',
        args: ['root=/dev/a', 'ro', 'skew_tick=1', 'nohz=on'],
      },
      defaultPath: `/boot/loader/entries/${ID}.conf`,
      oneShot: { safe: true },
    });
  });

  it('takes kernelopts from grubenv, and from grub.cfg where grubenv has none', () => {
    const entry = { [`/boot/loader/entries/${ID}.conf`]: 'linux /k\noptions $kernelopts\n' };
    const env = `saved_entry=${ID}\nkernelopts=root=/dev/a ro\n`;
    const own = understood({ ...entry, '/boot/grub2/grubenv': env });
    expect(own.defaultEntry.args).toEqual(['root=/dev/a', 'ro']);
    const cfg = `${CFG}if [ -z "\${kernelopts}" ]; then\n  set kernelopts="root=/dev/b ro"\nfi\n`;
    expect(understood({ ...entry, '/boot/grub2/grub.cfg': cfg }).defaultEntry.args).toEqual([
      'root=/dev/b',
      'ro',
    ]);
  });

  it('keeps our trial apart, and sees whether it is armed', () => {
    const facts = understood({
      '/boot/loader/entries/vfleet-trial.conf': 'title t\nlinux /k\noptions ro vfleet.trial=t1\n',
      '/boot/grub2/grubenv': `saved_entry=${ID}\nnext_entry=vfleet-trial\n`,
    });
    expect(facts.trialEntry?.args).toEqual(['ro', 'vfleet.trial=t1']);
    expect(facts.nextEntry).toBe('vfleet-trial');
    expect(facts.entries).toHaveLength(2);
  });

  it('reads the grub.cfg of an EFI machine of release 8, where /boot/grub2 has none', () => {
    const efi = { '/boot/grub2/grub.cfg': undefined, '/boot/efi/EFI/redhat/grub.cfg': CFG };
    expect(understood(efi).defaultPath).toContain(ID);
  });

  it.each<[string, Readonly<Record<string, string | undefined>>, RegExp]>([
    [
      'a default that is a place in the menu',
      { '/boot/grub2/grubenv': 'saved_entry=0\n' },
      /names no entry by its id.*grubby --set-default/,
    ],
    ['no default at all', { '/boot/grub2/grubenv': undefined }, /names no entry by its id/],
    [
      'a trial of ours that became the default',
      {
        '/boot/loader/entries/vfleet-trial.conf': 'linux /k\noptions ro\n',
        '/boot/grub2/grubenv': 'saved_entry=vfleet-trial\n',
      },
      /names no entry by its id/,
    ],
    ['a menu that knows no entries', { '/boot/grub2/grub.cfg': 'menuentry x {\n}\n' }, /blscfg/],
    [
      'a default that is fixed in grub.cfg',
      { '/boot/grub2/grub.cfg': 'set default="0"\nblscfg\n' },
      /GRUB_DEFAULT=saved/,
    ],
    ['no /etc/default/grub', { '/etc/default/grub': undefined }, /\/etc\/default\/grub is missing/],
    [
      'an entry without a kernel',
      { [`/boot/loader/entries/${ID}.conf`]: 'title x\n' },
      /loads no Linux kernel/,
    ],
  ])('is not driven with %s', (_, over, reason) => {
    const facts = parsed(over);
    expect(facts.supported ? facts.kind : facts.reason).toMatch(reason);
  });

  it('is not tried where GRUB could not clear the one-shot', () => {
    const cfg = CFG.replaceAll('next_entry', 'other');
    expect(understood({ '/boot/grub2/grub.cfg': cfg }).oneShot.safe).toBe(false);
  });
});
