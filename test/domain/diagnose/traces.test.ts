import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import type { DeviceFacts } from '../../../src/domain/device-facts.ts';
import { TRACES_RULES } from '../../../src/domain/diagnose/traces.ts';
import type { Facts, Lease } from '../../../src/domain/facts.ts';
import { MODPROBE_PATH, rulePath, scriptPath } from '../../../src/domain/own-files.ts';
import { bindRule } from '../../../src/domain/udev-files.ts';
import { deviceFacts, grubWith, pciFunction, pfWithVfs } from '../../support/device-facts.ts';
import type { DeviceExcerpt as Excerpt } from './excerpts/device-hosts.ts';
import { foundBy } from './excerpts/device-hosts.ts';

const findings = (excerpt: Excerpt) => foundBy(TRACES_RULES, excerpt);

const NIC = '0000:3b:00.0';
const RULE = bindRule({ address: NIC, vendor: '8086', device: '1572' });
const IMAGE = '/boot/initrd.img-6.1.0-56-amd64';
const LINE = ['root=UUID=58589ca0', 'ro', 'quiet'];
const TRIAL = [...LINE, 'intel_iommu=on', 'panic=30', 'oops=panic', 'vfleet.trial=r1-hv1'];
const LEASE: Lease = {
  id: 'r1/hv1',
  rollout: 'enable-iommu#3',
  engine: 'e1',
  who: 'anna',
  since: '2026-03-01T10:00:00Z',
};
const booting = (nextEntry: string, over: Partial<Facts> = {}): Partial<Facts> => ({
  runningArgs: LINE,
  bootLoader: grubWith(LINE, { nextEntry }),
  ...over,
});
const pf = (over: Partial<DeviceFacts>): Excerpt => ({
  devices: deviceFacts(pfWithVfs(NIC, 2), over),
});
const networkManager = (names?: string) => ({
  owner: 'NetworkManager',
  where: '/etc/NetworkManager/system-connections/ens1f0.nmconnection',
  ...(names === undefined ? {} : { names }),
});

const CASES: readonly (readonly [string, Excerpt, readonly Code[], RegExp])[] = [
  [
    'a one-shot entry that is armed',
    { facts: booting('gnulinux-6.1.0-55-amd64-advanced') },
    ['bootloader.one-shot-pending'],
    /^grubenv already has a one-shot entry "gnulinux-6\.1\.0-55-amd64-advanced"/,
  ],
  [
    'a one-shot entry that stuck, since /boot is on LVM',
    {
      facts: booting('vfleet-trial', {
        bootLoader: grubWith(LINE, {
          nextEntry: 'vfleet-trial',
          oneShot: {
            safe: false,
            reason: '/boot lies on lvm, where GRUB cannot clear a one-shot entry',
          },
        }),
      }),
    },
    ['bootloader.one-shot-pending'],
    /it stays set at every boot, since \/boot lies on lvm/,
  ],
  [
    "somebody else's one-shot under a lease",
    { facts: booting('rescue', { lease: LEASE }) },
    ['bootloader.one-shot-pending'],
    /"rescue"/,
  ],
  [
    'a trial that runs without a rollout',
    { facts: { runningArgs: TRIAL, bootLoader: grubWith(LINE) } },
    ['bootloader.trial-left'],
    /is a trial of vfleet, and no rollout holds this host any more/,
  ],
  [
    'a rule that only the initramfs holds',
    { devices: deviceFacts([], { initramfs: [{ path: IMAGE, names: [rulePath(NIC)] }] }) },
    ['initramfs.readback'],
    /still holds \/etc\/udev\/rules\.d\/70-vfleet-0000:3b:00\.0\.rules, which is not on the disk any more/,
  ],
  [
    'options that two images of dracut hold',
    {
      devices: deviceFacts([], {
        initramfsMaker: 'dracut',
        initramfs: ['5.14.0-427', '5.14.0-503'].map((release) => ({
          path: `/boot/initramfs-${release}.el9.x86_64.img`,
          names: [MODPROBE_PATH, '/usr/lib/modules/vfio-pci.ko.xz'],
        })),
      }),
    },
    ['initramfs.readback'],
    /vfleet\.conf/,
  ],
  [
    'an override that nobody has probed for',
    {
      devices: deviceFacts([pciFunction(NIC, { driver: null, override: 'vfio-pci' })], {
        modules: ['vfio_pci'],
      }),
    },
    ['bind.override-alone'],
    /override vfio-pci and no driver: nobody has told the kernel/,
  ],
  [
    'an override for a module that is not loaded',
    {
      devices: deviceFacts([pciFunction(NIC, { driver: null, override: 'vfio-pci' })], {
        modules: ['kvm_intel'],
      }),
    },
    ['bind.override-alone'],
    /the module vfio_pci is not loaded/,
  ],
  [
    'a watchdog that reset the machine',
    { over: { bootStatus: { watchdog0: 32 } } },
    ['host.watchdog-reset'],
    /^before this boot the watchdog reset the machine.*\(watchdog0\)/,
  ],
  [
    'a watchdog that saw heat',
    { over: { bootStatus: { watchdog0: 0x8000 | 1 | 2 } } },
    ['host.watchdog-reset'],
    /the processor was too hot, and a fan failed/,
  ],
  [
    'a count of VFs that NetworkManager sets beside vfleet',
    pf({ vfCountOwners: [networkManager('ens1f0')], ownFiles: { [scriptPath(NIC)]: '#!/bin/sh' } }),
    ['vfs.count-owner'],
    /^vfleet, NetworkManager each set the number of VFs of 0000:3b:00\.0 \(ens1f0\)/,
  ],
  [
    'a count of VFs that a unit sets of whatever PF beside vfleet',
    pf({
      vfCountOwners: [{ owner: 'systemd unit', where: '/etc/systemd/system/sriov.service' }],
      ownFiles: { [scriptPath(NIC)]: '#!/bin/sh' },
    }),
    ['vfs.count-owner'],
    /vfleet, systemd unit/,
  ],
  [
    'a count of VFs that two others set',
    pf({
      vfCountOwners: [
        networkManager('ens1f0'),
        { owner: 'udev rule', where: '/etc/udev/rules.d/99-sriov.rules', names: NIC },
      ],
    }),
    ['vfs.count-owner'],
    /NetworkManager, udev rule each set/,
  ],
];

const HEALTHY: readonly (readonly [string, Excerpt])[] = [
  [
    'a host under an old lease, with its own trial armed',
    { facts: booting('vfleet-trial', { lease: LEASE }) },
  ],
  [
    'a lease whose rollout is long gone',
    { facts: { lease: { ...LEASE, since: '2019-01-01T00:00:00Z' } } },
  ],
  [
    'a trial that was made the default',
    { facts: { runningArgs: TRIAL, bootLoader: grubWith([...LINE, 'intel_iommu=on']) } },
  ],
  [
    'a trial under its lease',
    { facts: { runningArgs: TRIAL, lease: LEASE, bootLoader: grubWith(LINE) } },
  ],
  [
    'a rule on the disk and in the initramfs',
    {
      devices: deviceFacts([pciFunction(NIC, { driver: 'vfio-pci' })], {
        ownFiles: { [rulePath(NIC)]: RULE },
        initramfs: [{ path: IMAGE, names: [rulePath(NIC)] }],
      }),
    },
  ],
  [
    'an image with modules of VFIO',
    {
      devices: deviceFacts([], {
        initramfs: [
          { path: IMAGE, names: ['/usr/lib/modules/6.1.0-56-amd64/kernel/drivers/vfio/vfio.ko'] },
        ],
      }),
    },
  ],
  [
    'an image that could not be listed',
    { devices: deviceFacts([], { initramfs: [{ path: IMAGE, names: [], unreadable: true }] }) },
  ],
  [
    'a function that is left alone on purpose',
    { devices: deviceFacts([pciFunction(NIC, { driver: null, override: 'none' })]) },
  ],
  [
    'VFs without drivers, since autoprobe is off',
    { devices: deviceFacts(pfWithVfs(NIC, 2, { vf: { driver: null } })) },
  ],
  [
    'a watchdog that names a relay, or the voltage at the start',
    { over: { bootStatus: { watchdog0: 4, watchdog1: 16 } } },
  ],
  [
    'a count of VFs that NetworkManager alone sets',
    pf({ vfCountOwners: [networkManager('ens1f0')] }),
  ],
  [
    'a count of another card',
    pf({ vfCountOwners: [networkManager('eno2')], ownFiles: { [scriptPath(NIC)]: '#!/bin/sh' } }),
  ],
  [
    'netplan and what it makes for NetworkManager',
    pf({
      vfCountOwners: [
        { owner: 'netplan', where: '/etc/netplan/50-vfs.yaml', names: 'ens1f0' },
        {
          owner: 'NetworkManager',
          where: '/run/NetworkManager/system-connections/netplan-ens1f0.nmconnection',
          names: 'ens1f0',
        },
      ],
    }),
  ],
];

describe('the rules of traces', () => {
  it.each(CASES)('find of %s what is left', (_, excerpt, codes, sentence) => {
    const found = findings(excerpt);
    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(found[0]?.sentence).toMatch(sentence);
    for (const { proof, next } of found) {
      expect(proof).not.toEqual([]);
      expect(next).not.toBe('');
    }
  });

  it.each(HEALTHY)('find nothing of %s', (_, excerpt) => {
    expect(findings(excerpt)).toEqual([]);
  });

  it("name the way out of the host's own tools", () => {
    const next = (at: number) => findings(CASES[at]![1])[0]?.next;
    expect(next(0)).toBe('clear it on the host: grub-editenv - unset next_entry');
    expect(next(4)).toContain('update-initramfs -u -k all');
    expect(next(5)).toContain('dracut --force');
  });
});
