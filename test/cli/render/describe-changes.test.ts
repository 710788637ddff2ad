import { describe, expect, it } from 'vitest';
import type { BindChange, Change, VfsChange } from '../../../src/domain/changes.ts';
import { changeWords } from '../../../src/cli/render/change-words.ts';
import { changeLines } from '../../../src/cli/render/change-lines.ts';
import { describeChanges } from '../../../src/cli/render/describe-changes.ts';
import {
  attachChange,
  bindChange,
  EVERY_KIND,
  HUGEPAGES,
  MODULES,
  PINNED,
  vfsChange,
} from './device-samples.ts';
import { cmdlineChange, plain } from './samples.ts';

const VFS = vfsChange('0000:3b:00.1');
const VFIO = { driver: 'vfio-pci', override: 'vfio-pci' };
const NO_FILES = { files: [] };

/** The words of changes, without the files that keep them. */
const told = (...changes: readonly Change[]): string[] =>
  describeChanges(changes)
    .filter(({ label }) => label !== 'files')
    .map(({ label, sign, subject, text }) =>
      [label, sign, subject, text].filter(Boolean).join(' '),
    );

function vfs(before: VfsChange['before'], after: VfsChange['after']): VfsChange {
  return { ...VFS, ...NO_FILES, before, after };
}

const bind = (change: Partial<BindChange>): BindChange =>
  bindChange('0000:65:00.0', { ...NO_FILES, ...change });

describe('what a change does, in words', () => {
  it.each<[string, readonly Change[], readonly string[]]>([
    [
      'a kernel line',
      [cmdlineChange(['iommu=pt', 'a=1'], ['quiet'])],
      [
        'cmdline + iommu=pt a=1',
        'cmdline - quiet',
        'cmdline new file /etc/default/grub.d/zz-vfleet.cfg; booted once on trial, then made default',
      ],
    ],
    [
      'a file of modprobe.d by what it says, its comments apart',
      [MODULES],
      [
        'modules new file /etc/modprobe.d/vfleet.conf: blacklist nouveau, options vfio_iommu_type1 allow_unsafe_interrupts=1',
        'modules the initramfs is made again; acts from the next boot on',
      ],
    ],
    [
      'a file that is there already by what differs',
      [
        {
          ...MODULES,
          initramfs: false,
          files: [{ path: '/etc/modprobe.d/vfleet.conf', before: 'a\nb\n', after: 'b\nc\n' }],
        },
      ],
      [
        'modules changes /etc/modprobe.d/vfleet.conf: + c, - a',
        'modules acts from the next boot on',
      ],
    ],
    [
      'hugepages by size, nodes that get the same together',
      [HUGEPAGES],
      [
        'hugepages nodes 0-1, each: 2M 0 -> 512 (run time, and at each boot)',
        'hugepages node 0: 1G 2 -> 4 (run time, and at each boot)',
      ],
    ],
    [
      'hugepages of the whole machine',
      [{ ...HUGEPAGES, pages: [{ sizeKiB: 2048, node: null, before: 0, after: 9 }] }],
      ['hugepages 2M 0 -> 9 (run time, and at each boot)'],
    ],
    [
      'hugepages that are there already and now come at each boot',
      [{ ...HUGEPAGES, pages: [] }],
      ['hugepages new file /etc/tmpfiles.d/vfleet.conf: at each boot'],
    ],
    [
      'VFs with what the PF says of each, and their drivers',
      [vfs({ ...VFS.before, mtu: null }, { ...VFS.after, mtu: 9000 })].map((change) => ({
        ...change,
        after: {
          ...change.after,
          vfs: change.after.vfs.map(({ driver, override }, index) =>
            index < 4 ? { driver, override, vlan: 100, trust: true } : { driver, override },
          ),
        },
      })),
      [
        'vfs 0000:3b:00.1 (ens1f1) sriov_numvfs 0 -> 8, mtu 9000; VF 0-3 vlan 100, trust on',
        'bind VF 0-3 of 0000:3b:00.1 (no driver) -> vfio-pci',
        'bind VF 4-7 of 0000:3b:00.1 (no driver) -> native',
      ],
    ],
    [
      'VFs that are there and have to be made anew',
      [
        vfs(
          { count: 1, autoprobe: true, mtu: 1500, vfs: [{ driver: 'iavf', override: null }] },
          { count: 2, autoprobe: false, mtu: 1500, vfs: [VFIO, VFIO] },
        ),
      ],
      [
        'vfs 0000:3b:00.1 (ens1f1) sriov_numvfs 1 -> 2 (all are made anew)',
        'bind 2 VFs of 0000:3b:00.1 (no driver) -> vfio-pci',
      ],
    ],
    [
      'VFs that stay, of which one gets another driver and a limit',
      [
        vfs(
          { count: 2, autoprobe: true, mtu: null, vfs: [{ driver: 'iavf', override: null }, VFIO] },
          {
            count: 2,
            autoprobe: false,
            mtu: null,
            vfs: [{ ...VFIO, spoofCheck: false, maxRate: 1000 }, VFIO],
          },
        ),
      ],
      [
        'vfs 0000:3b:00.1 (ens1f1) sriov_numvfs stays 2; VF 0 spoof check off, at most 1000 Mbit/s',
        'bind VF 0 of 0000:3b:00.1 iavf -> vfio-pci',
      ],
    ],
    [
      'PFs that get the same together',
      ['0000:3b:00.0', '0000:3b:00.1'].map((pf) => ({
        ...vfs(VFS.before, { count: 2, autoprobe: false, mtu: null, vfs: [VFIO, VFIO] }),
        pf,
        netdev: null,
      })),
      [
        'vfs 0000:3b:00.0, 0000:3b:00.1 sriov_numvfs 0 -> 2',
        'bind 2 VFs of each of 0000:3b:00.0, 0000:3b:00.1 (no driver) -> vfio-pci',
      ],
    ],
    [
      'no VFs any more',
      [vfs({ ...VFS.after, count: 8 }, { count: 0, autoprobe: true, mtu: null, vfs: [] })],
      ['vfs 0000:3b:00.1 (ens1f1) sriov_numvfs 8 -> 0'],
    ],
    [
      'functions that go from one driver to another together',
      [bind({}), { ...bind({}), address: '0000:66:00.0' }],
      ['bind 0000:65:00.0 0000:66:00.0 nouveau -> vfio-pci'],
    ],
    [
      'how a binding is kept, when not by a rule of ours',
      [bind({ by: 'ids' }), bind({ by: 'driverctl', before: { driver: null, override: null } })],
      [
        'bind 0000:65:00.0 nouveau -> vfio-pci, by options vfio-pci ids=',
        'bind 0000:65:00.0 (no driver) -> vfio-pci, by driverctl',
      ],
    ],
    [
      'a binding that is there and is kept from now on',
      [bind({ before: VFIO })],
      ['bind 0000:65:00.0 vfio-pci stays, now also at each boot'],
    ],
    [
      'a guest that gets devices',
      [attachChange('db', { managed: true })],
      ['attach db + VF 0 of 0000:3b:00.1   config, and live while it runs; managed by libvirt'],
    ],
    [
      'a guest that is pinned and must be confined',
      [PINNED],
      [
        'attach edge-gw + VF 0-1 of 0000:3b:00.1, 0000:65:00.0   config, and live while it runs; must be confined; vCPU 0-1 pinned to 2-3; vCPU 2 pinned to 4',
      ],
    ],
  ])('%s', (_what, changes, expected) => {
    expect(told(...changes)).toEqual(expected);
  });

  it('names the files that keep devices over reboots, and counts many', () => {
    const files = (changes: readonly Change[]): string[] =>
      describeChanges(changes).flatMap(({ label, text }) => (label === 'files' ? text : []));
    expect(files([VFS])).toEqual([
      'new in /etc/udev/rules.d, for each boot: 70-vfleet-0000:3b:00.1.rules 70-vfleet-0000:3b:00.1.sh',
    ]);
    const many = [0, 1, 2, 3, 4].map((slot) => bindChange(`0000:65:0${slot}.0`));
    expect(files(many)).toEqual([
      'new in /etc/udev/rules.d, for each boot: 5 files, 70-vfleet-0000:65:00.0.rules ... 70-vfleet-0000:65:04.0.rules',
    ]);
  });

  it('says only that a MAC address is set where hosts differ in it', () => {
    const [line] = describeChanges([VFS], { exact: false });
    expect(line?.text).toContain('VF 0-3 mac set, vlan 100, trust on');
    expect(describeChanges([VFS])[0]?.text).toContain('VF 1 mac 02:00:00:00:00:01, vlan 100');
  });

  it('says each change of a record on one line', () => {
    expect(EVERY_KIND.map(changeWords).filter((words) => /\n| {2}/.test(words))).toEqual([]);
    expect(changeWords(cmdlineChange(['a', 'b'], ['quiet']))).toBe('+ a + b - quiet');
    expect(changeWords(bind({}))).toBe('bind 0000:65:00.0 nouveau -> vfio-pci');
  });

  it('is plain, whatever a host has written into its own record', () => {
    const evil = '\u001b[2Jx\nforged';
    const changes: readonly Change[] = [
      cmdlineChange([evil]),
      { ...MODULES, files: [{ path: evil, before: null, after: evil }] },
      { ...VFS, pf: evil, netdev: evil },
      bind({ address: evil, before: { driver: evil, override: null } }),
      attachChange(evil, { devices: [{ address: evil }] }),
    ];
    const words = [
      ...changes.map(changeWords),
      ...changeLines(describeChanges(changes), plain, 80),
    ];
    expect(words.filter((text) => /\p{C}/u.test(text))).toEqual([]);
  });
});
