import { describe, expect, it } from 'vitest';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import {
  block,
  dm,
  mounts,
  net,
  NO_NETWORK,
  nvme,
  pci,
  snapshotOf,
  type Holds,
} from './support/snapshot-of.ts';

const A = '0000:01:00.0';
const B = '0000:02:00.0';
const NIC = '0000:03:00.0';
const BASE = [pci(A), pci(B), pci(NIC), NO_NETWORK];

/** Which functions are said to carry a disk's use, and what could not be traced. */
function disksOf(...parts: readonly Holds[]) {
  const { functions, unresolved } = parseDevices(snapshotOf(...BASE, ...parts));
  const used = functions.flatMap(({ address, uses }) =>
    uses.map(({ kind, what }) => `${address} ${kind} ${what}`),
  );
  return { used, lost: unresolved.map(({ what }) => what) };
}

const mounted = (...rows: readonly string[]): Holds => ({ queries: { mounts: mounts(...rows) } });
const swaps = (...rows: readonly string[]): Holds => ({
  files: { '/proc/swaps': ['Filename\t\t\t\tType', ...rows, ''].join('\n') },
});
const partition = (disk: string, address: string, number: number): Holds =>
  block(
    `${disk}p${number}`,
    `pci0000:00/0000:00:01.0/${address}/nvme/${disk.slice(0, -2)}/${disk}/${disk}p${number}`,
    `259:${number}`,
  );

const ROOT_ON_A = [nvme('nvme0n1', A, '259:0'), partition('nvme0n1', A, 2)];

/** What a host's storage looks like, what is used then, and what is lost. */
const CASES: readonly (readonly [
  string,
  readonly Holds[],
  { readonly used?: readonly string[]; readonly lost?: readonly string[] },
])[] = [
  [
    'a partition',
    [...ROOT_ON_A, mounted('259:2 / ext4 /dev/nvme0n1p2')],
    { used: [`${A} root-disk root file system /`] },
  ],
  [
    'LVM on md on two NVMe disks',
    [
      ...ROOT_ON_A,
      nvme('nvme1n1', B, '259:9'),
      block('md0', 'virtual/block/md0', '9:0', ['nvme0n1p2', 'nvme1n1']),
      dm('dm-0', 'vg-root', '253:0', ['md0']),
      mounted('253:0 / xfs /dev/mapper/vg-root'),
    ],
    { used: [`${A} root-disk root file system /`, `${B} root-disk root file system /`] },
  ],
  [
    'dm-crypt with swap in it, and a swap partition',
    [
      ...ROOT_ON_A,
      nvme('nvme1n1', B, '259:9'),
      dm('dm-0', 'crypt', '253:0', ['nvme0n1p2']),
      dm('dm-1', 'vg-swap', '253:1', ['dm-0']),
      mounted('0:1 / tmpfs none'),
      swaps('/dev/dm-1 partition 1 0 -2', '/dev/nvme1n1 partition 1 0 -3'),
    ],
    { used: [`${A} root-disk swap /dev/dm-1`, `${B} root-disk swap /dev/nvme1n1`] },
  ],
  [
    'a loop over a file, and a swap file with a blank in its name',
    [
      ...ROOT_ON_A,
      nvme('nvme1n1', B, '259:9'),
      block('loop3', 'virtual/block/loop3', '7:3', []),
      { files: { '/sys/class/block/loop3/loop/backing_file': '/data/images/a b.img\n' } },
      mounted(
        '259:2 / ext4 /dev/nvme0n1p2',
        '259:9 /data xfs /dev/nvme1n1',
        '7:3 /mnt iso9660 /dev/loop3',
      ),
      swaps('/data/swap\\040file file 1 0 -2'),
    ],
    {
      used: [
        `${A} root-disk root file system /`,
        `${B} root-disk file system /data`,
        `${B} root-disk file system /mnt`,
        `${B} root-disk swap /data/swap file`,
      ],
    },
  ],
  [
    'btrfs on two devices, of which mountinfo names one',
    [
      nvme('nvme0n1', A, '259:0'),
      nvme('nvme1n1', B, '259:9'),
      { dirs: { '/sys/fs/btrfs/0f2c-uuid/devices': ['nvme0n1', 'nvme1n1'] } },
      mounted('0:29 / btrfs /dev/nvme0n1 rw,subvol=/@'),
    ],
    { used: [`${A} root-disk root file system /`, `${B} root-disk root file system /`] },
  ],
  [
    'btrfs whose devices sysfs does not tell',
    [nvme('nvme0n1', A, '259:0'), mounted('0:29 / btrfs /dev/nvme0n1')],
    { lost: ['root file system /: btrfs on /dev/nvme0n1 could not be traced'] },
  ],
  [
    'ZFS as the root',
    [
      { files: { '/proc/spl/kstat/zfs/rpool/state': 'ONLINE\n' } },
      mounted('0:25 / zfs rpool/ROOT/debian'),
    ],
    {
      lost: [
        'root file system /: zfs on rpool/ROOT/debian could not be traced',
        'ZFS pool rpool: its disks are not told by sysfs',
      ],
    },
  ],
  [
    'NVMe with several paths, by the controllers of its subsystem',
    [
      block('nvme0n1', 'virtual/nvme-subsystem/nvme-subsys0/nvme0n1', '259:0', []),
      {
        links: {
          '/sys/class/nvme-subsystem/nvme-subsys0/nvme0': `../../../pci0000:00/${A}/nvme/nvme0`,
          '/sys/class/nvme-subsystem/nvme-subsys0/nvme1': `../../../pci0000:00/${B}/nvme/nvme1`,
        },
      },
      mounted('259:0 / ext4 /dev/nvme0n1'),
    ],
    { used: [`${A} root-disk root file system /`, `${B} root-disk root file system /`] },
  ],
  [
    'NVMe with several paths, by the hidden disk of each',
    [
      block('nvme0n1', 'virtual/nvme-subsystem/nvme-subsys0/nvme0n1', '259:0', []),
      block('nvme0c0n1', `pci0000:00/${A}/nvme/nvme0/nvme0c0n1`, '259:1', []),
      mounted('259:0 / ext4 /dev/nvme0n1'),
    ],
    { used: [`${A} root-disk root file system /`] },
  ],
  [
    'NVMe over TCP',
    [
      block('nvme0n1', 'virtual/nvme-fabrics/ctl/nvme0/nvme0n1', '259:0', []),
      mounted('259:0 / ext4 /dev/nvme0n1'),
    ],
    { lost: ['root file system /: nvme0n1 has nothing below it in sysfs'] },
  ],
  [
    'NFS as the root: the network card is the disk',
    [
      net('eth0', NIC),
      mounted('0:30 / nfs4 10.0.0.5:/root rw,vers=4.2,addr=10.0.0.5'),
      { queries: { 'storage-routes': '10.0.0.5 [{"dst":"10.0.0.5","dev":"eth0"}]' } },
    ],
    { used: [`${NIC} root-disk root file system / (nfs4) by way of eth0`] },
  ],
  [
    'NFS for data, and CephFS',
    [
      net('eth0', NIC),
      mounted(
        '0:1 / tmpfs none',
        '0:30 /data nfs 10.0.0.5:/x rw,addr=10.0.0.5',
        '0:31 /ceph ceph 10.0.0.6:6789,10.0.0.7:6789:/ rw',
      ),
      {
        queries: {
          'storage-routes': '10.0.0.5 [{"dev":"eth0"}]\n10.0.0.6 [{"dev":"eth0"}]',
        },
      },
    ],
    {
      used: [
        `${NIC} network file system /data (nfs) by way of eth0`,
        `${NIC} network file system /ceph (ceph) by way of eth0`,
      ],
    },
  ],
  [
    'NFS whose route is not known',
    [mounted('0:1 / tmpfs none', '0:30 /data nfs 10.0.0.5:/x rw,addr=10.0.0.5')],
    { lost: ['file system /data: nfs from 10.0.0.5:/x could not be traced'] },
  ],
  [
    'a disk of iSCSI',
    [
      net('eth0', NIC),
      block('sdb', 'platform/host3/session7/target3:0:0/3:0:0:0/block/sdb', '8:16', []),
      { files: { '/sys/class/iscsi_connection/connection7:0/persistent_address': '10.0.0.9\n' } },
      mounted('0:1 / tmpfs none', '8:16 /data xfs /dev/sdb'),
      { queries: { 'storage-routes': '10.0.0.9 [{"dev":"eth0"}]' } },
    ],
    { used: [`${NIC} root-disk file system /data (iSCSI) by way of eth0`] },
  ],
  [
    'a disk of another machine (rbd)',
    [block('rbd0', 'rbd/0/block/rbd0', '251:0', []), mounted('251:0 / xfs /dev/rbd0')],
    { lost: ['root file system /: rbd0 has nothing below it in sysfs'] },
  ],
  [
    'compressed swap in memory, and one that writes to a disk',
    [
      ...ROOT_ON_A,
      block('zram0', 'virtual/block/zram0', '252:0', []),
      block('zram1', 'virtual/block/zram1', '252:1', []),
      {
        files: {
          '/sys/class/block/zram0/backing_dev': 'none\n',
          '/sys/class/block/zram1/backing_dev': '/dev/nvme0n1p2\n',
        },
      },
      mounted('0:1 / tmpfs none'),
      swaps('/dev/zram0 partition 1 0 1', '/dev/zram1 partition 1 0 1'),
    ],
    { used: [`${A} root-disk swap /dev/zram1`] },
  ],
  [
    'a volume group that nothing of the host is mounted from',
    [...ROOT_ON_A, dm('dm-0', 'guests-web', '253:0', ['nvme0n1p2']), mounted('0:1 / tmpfs none')],
    { used: [`${A} root-disk part of dm-0 (guests-web)`] },
  ],
  [
    'a disk below VMD, whose domain has five digits',
    [
      block(
        'nvme0n1',
        'pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:1.0/10000:e1:00.0/nvme/nvme0/nvme0n1',
        '259:0',
        [],
      ),
      pci('10000:e1:00.0'),
      mounted('259:0 / ext4 /dev/nvme0n1'),
    ],
    { used: ['10000:e1:00.0 root-disk root file system /'] },
  ],
  [
    'a root that is an overlay',
    [mounted('0:40 / overlay overlay')],
    { lost: ['root file system /: overlay on overlay could not be traced'] },
  ],
  [
    'devices stacked in a circle',
    [
      dm('dm-0', 'a', '253:0', ['dm-1']),
      dm('dm-1', 'b', '253:1', ['dm-0']),
      mounted('253:0 / ext4 /dev/dm-0'),
    ],
    {
      lost: ['root file system /: dm-0 leads to no device'],
    },
  ],
];

describe('the disks of a host', () => {
  it.each(CASES)('are traced: %s', (_what, parts, { used = [], lost = [] }) => {
    expect(disksOf(...parts)).toEqual({ used, lost });
  });

  it('count as lost when no file system was read, since unknown is not unused', () => {
    expect(disksOf().lost).toEqual(['the file systems of this host were not read']);
  });

  it('are said once for each use, and no more than a person reads', () => {
    const many = Array.from({ length: 300 }, (_, at) => `259:2 /srv/${at} ext4 /dev/nvme0n1p2`);
    const { used } = disksOf(...ROOT_ON_A, mounted('259:2 / ext4 /dev/nvme0n1p2', ...many));
    expect(used).toHaveLength(16);
    expect(used[0]).toBe(`${A} root-disk root file system /`);
  });
});
