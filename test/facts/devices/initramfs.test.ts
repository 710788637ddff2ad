import { describe, expect, it } from 'vitest';
import { parseInitramfsMaker, parseListedImages } from '../../../src/facts/devices/initramfs.ts';
import { parseInitramfs } from '../../../src/facts/devices/parse-devices.ts';
import { snapshotOf } from './support/snapshot-of.ts';

const UPDATE = '/usr/sbin/update-initramfs';
const MAKE = '/usr/sbin/mkinitramfs';
const DRACUT = '/usr/bin/dracut';

describe('what makes the initramfs of a host', () => {
  it.each([
    ['update-initramfs', [UPDATE, MAKE], 'initramfs-tools'],
    ['dracut of the RHEL family', [DRACUT], 'dracut'],
    ['dracut on Debian, with what initramfs-tools left behind', [MAKE, DRACUT], 'dracut'],
    ['dracut-core beside initramfs-tools', [UPDATE, MAKE, DRACUT], 'initramfs-tools'],
    ['dracut with a wrapper of the other name', [UPDATE, DRACUT], 'dracut'],
    ['neither', [], undefined],
  ])('is told by its programs: %s', (_name, paths, maker) => {
    const files = Object.fromEntries(paths.map((path) => [path, '#!/bin/sh\n']));
    expect(parseInitramfsMaker(snapshotOf({ files }))).toBe(maker);
  });

  it('comes with the list of images, of which there may be none', () => {
    const initramfs = 'maker dracut\nimage /boot/initramfs-6.1.img\netc/modprobe.d/vfleet.conf';
    expect(parseListedImages(snapshotOf({ queries: { initramfs } }))).toEqual({
      maker: 'dracut',
      images: [{ path: '/boot/initramfs-6.1.img', names: ['/etc/modprobe.d/vfleet.conf'] }],
    });
    expect(parseListedImages(snapshotOf({ queries: { initramfs: 'maker none' } }))).toEqual({
      maker: 'none',
      images: [],
    });
  });

  it.each(['', 'maker mkinitcpio', 'image /boot/initrd.img-6.1', 'maker dracut\u001b[31m'])(
    'is unknown where the host says %j',
    (initramfs) => {
      expect(parseListedImages(snapshotOf({ queries: { initramfs } }))).toBeUndefined();
    },
  );

  it('is unknown where the host was not asked', () => {
    expect(parseListedImages(snapshotOf({}))).toBeUndefined();
  });
});

describe('a file of ours', () => {
  it('is looked for in each initramfs, where our rules lie in another folder', () => {
    const initramfs = [
      'image /boot/initrd.img-6.1.0-25-amd64',
      'usr/lib/udev/rules.d/70-vfleet-0000:03:00.0.rules',
      'etc/modprobe.d/vfleet.conf',
      'usr/lib/modules/6.1.0-25-amd64/kernel/drivers/vfio/pci/vfio-pci.ko',
      'image /boot/initrd.img-6.1.0-26-amd64',
      'unreadable /boot/initrd.img-5.10',
    ].join('\n');
    expect(parseInitramfs(snapshotOf({ queries: { initramfs } }))).toEqual([
      {
        path: '/boot/initrd.img-6.1.0-25-amd64',
        names: [
          '/etc/udev/rules.d/70-vfleet-0000:03:00.0.rules',
          '/etc/modprobe.d/vfleet.conf',
          '/usr/lib/modules/6.1.0-25-amd64/kernel/drivers/vfio/pci/vfio-pci.ko',
        ],
      },
      { path: '/boot/initrd.img-6.1.0-26-amd64', names: [] },
      { path: '/boot/initrd.img-5.10', names: [], unreadable: true },
    ]);
  });
});
