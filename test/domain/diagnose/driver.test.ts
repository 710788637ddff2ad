import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import type { PciFunction } from '../../../src/domain/device-facts.ts';
import { DRIVER_RULES } from '../../../src/domain/diagnose/driver.ts';
import type { ConfigLine } from '../../../src/domain/diagnose/finding.ts';
import { FAULTS_RULES } from '../../../src/domain/diagnose/faults.ts';
import { rulePath, scriptPath } from '../../../src/domain/own-files.ts';
import { bindRule, vfsScript } from '../../../src/domain/udev-files.ts';
import {
  deviceFacts,
  graphicsCard,
  guestFacts,
  ownGroups,
  pciFunction,
  pfWithVfs,
} from '../../support/device-facts.ts';
import type { DeviceExcerpt as Excerpt } from './excerpts/device-hosts.ts';
import { foundBy } from './excerpts/device-hosts.ts';
import { lineOf } from './excerpts/symptoms.ts';

const findings = (excerpt: Excerpt) => foundBy([...FAULTS_RULES, ...DRIVER_RULES], excerpt);

const VFIO = { driver: 'vfio-pci', override: 'vfio-pci' };
const [GPU, AUDIO] = graphicsCard('0000:65:00');
const CARD = [GPU, AUDIO];
const NIC = '0000:3b:00.0';
const [PF, VF] = pfWithVfs('0000:3b:00.0', 1) as readonly [PciFunction, PciFunction];
const SCRIPT = vfsScript({ pf: PF.address, count: 1, vfs: [{ driver: 'vfio-pci' }] });
const managed = (address: string) =>
  guestFacts('win', { hostdevs: [{ address, managed: true, live: false, config: true }] });
const of = (functions: readonly PciFunction[], over: Parameters<typeof deviceFacts>[1] = {}) =>
  deviceFacts(functions, { groups: ownGroups(functions), ...over });
const modprobe = (...texts: readonly string[]): readonly ConfigLine[] =>
  texts.map((text) => ({ path: '/etc/modprobe.d/vfio.conf', text }));
const GPU_IDS = 'options vfio-pci ids=10de:1b80,10de:10f0 disable_vga=1';

const CASES: readonly (readonly [string, Excerpt, readonly Code[], RegExp])[] = [
  [
    'a GPU that nouveau had first, without a blacklist',
    {
      devices: of([GPU, { ...AUDIO, driver: 'vfio-pci' }]),
      over: { configLines: modprobe(GPU_IDS) },
    },
    ['bind.native-first'],
    /^vfio-pci is to take 0000:65:00\.0 by the id 10de:1b80, and nouveau had it first: no blacklist/,
  ],
  [
    'a GPU that nouveau had first, from an old initramfs',
    {
      devices: of([GPU]),
      over: { configLines: modprobe(GPU_IDS, 'blacklist nouveau') },
    },
    ['bind.native-first'],
    /the initramfs may be older than the file/,
  ],
  [
    'both functions of a card by ids on the kernel line',
    { devices: of(CARD), facts: lineOf('vfio-pci.ids=10de:1b80,10de:10f0') },
    ['bind.native-first', 'bind.native-first'],
    /nouveau had it first/,
  ],
  [
    'ids that mean the network card of the host too',
    {
      devices: of([
        pciFunction('0000:03:00.0', {
          net: ['eno1'],
          uses: [{ kind: 'ssh-route', what: 'SSH route (bond0)' }],
        }),
        pciFunction('0000:3b:00.0', { driver: 'vfio-pci' }),
      ]),
      over: { configLines: modprobe('options vfio_pci ids=8086:1572') },
    },
    ['devices.ids-too-many'],
    /8086:1572, and that means 0000:03:00\.0 \(eno1\) \(i40e\) too, which the host uses \(.*SSH route \(bond0\)\)/,
  ],
  [
    'ids of which one card is taken and its twin is not',
    {
      devices: of([
        pciFunction('0000:5e:00.0', { driver: 'nvme', vendor: '144d', device: 'a824' }),
        pciFunction('0000:5f:00.0', { driver: 'vfio-pci', vendor: '144d', device: 'a824' }),
      ]),
      facts: lineOf('vfio_pci.ids=144D:A824'),
    },
    ['devices.ids-too-many'],
    /that means 0000:5e:00\.0 \(nvme\) too: whichever driver comes first/,
  ],
  [
    'a card that libvirt gave back after its guest',
    {
      devices: of([pciFunction(NIC)], {
        guests: [managed(NIC)],
        ownFiles: { [rulePath(NIC)]: bindRule({ address: NIC, vendor: '8086', device: '1572' }) },
      }),
    },
    ['bind.native-again'],
    /native driver i40e: guest win has it with managed='yes'/,
  ],
  [
    'a card that the initramfs bound before the override',
    { devices: of([pciFunction(NIC, { override: 'vfio-pci' })]) },
    ['bind.native-again'],
    /it was bound before the override was there/,
  ],
  [
    'a card of driverctl that somebody bound again',
    { devices: of([pciFunction(NIC)], { driverctl: { [NIC]: 'vfio-pci' } }) },
    ['bind.native-again'],
    /somebody took its override away/,
  ],
  [
    'a VF that its own driver has, against the script of its PF',
    { devices: of([PF, VF], { ownFiles: { [scriptPath(PF.address)]: SCRIPT } }) },
    ['bind.native-again'],
    /^0000:3b:02\.0 is set to be on vfio-pci and has its native driver iavf/,
  ],
  [
    'a boot screen that a guest has, while the console holds its memory',
    {
      devices: of([{ ...GPU, ...VFIO, bootVga: true }]),
      log: ["vfio-pci 0000:65:00.0: BAR 1: can't reserve [mem 0xd0000000-0xdfffffff 64bit pref]"],
    },
    ['devices.boot-vga', 'vfio.bar-in-use'],
    /^0000:65:00\.0 is a guest's and the screen that firmware and kernel write to/,
  ],
];

const HEALTHY: readonly (readonly [string, Excerpt])[] = [
  [
    'a card that libvirt binds when its guest starts',
    { devices: of(CARD, { guests: [managed(GPU.address)] }) },
  ],
  [
    'ids of which all are taken',
    {
      devices: of(CARD.map((fn) => ({ ...fn, ...VFIO }))),
      over: { configLines: modprobe(GPU_IDS, 'softdep nouveau pre: vfio-pci') },
    },
  ],
  [
    'ids of cards that this host has not',
    { devices: of([PF]), over: { configLines: modprobe(GPU_IDS) } },
  ],
  [
    'ids with another subsystem',
    {
      devices: of([GPU]),
      over: { configLines: modprobe('options vfio-pci ids=10de:1b80:1043:8591') },
    },
  ],
  [
    'an id from which an override keeps one card',
    {
      devices: of([pciFunction('0000:03:00.0', { override: 'i40e' }), pciFunction(NIC, VFIO)]),
      over: { configLines: modprobe('options vfio-pci ids=8086:1572') },
    },
  ],
  [
    'options of vfio-pci without ids',
    { devices: of(CARD), over: { configLines: modprobe('options vfio-pci disable_idle_d3=1') } },
  ],
  [
    'a rule for a card that was there before',
    {
      devices: of([pciFunction(NIC)], {
        ownFiles: { [rulePath(NIC)]: bindRule({ address: NIC, vendor: '15b3', device: '101d' }) },
      }),
    },
  ],
  [
    'VFs that are for the host',
    {
      devices: of([PF, VF], {
        ownFiles: {
          [scriptPath(PF.address)]: vfsScript({
            pf: PF.address,
            count: 1,
            vfs: [{ driver: 'native' }],
          }),
        },
      }),
    },
  ],
  [
    'the boot screen of the host',
    { devices: of([{ ...GPU, bootVga: true }, pciFunction(NIC, VFIO)]) },
  ],
  [
    'a driver of a vendor for VFIO',
    { devices: of([pciFunction(NIC, { driver: 'mlx5_vfio_pci', override: 'mlx5_vfio_pci' })]) },
  ],
];

describe('the rules of drivers', () => {
  it.each(CASES)('find of %s what is wrong, the cause first', (_, excerpt, codes, sentence) => {
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

  it('take no class for an id, and read at most a few hundred ids', () => {
    const ids = Array.from({ length: 5_000 }, () => '10de:1b80:ffffffff:ffffffff:030000').join(',');
    expect(findings({ devices: of([GPU]), facts: lineOf(`vfio-pci.ids=${ids}`) })).toEqual([]);
  });

  it('name the file with its line', () => {
    const [, excerpt] = CASES[1]!;
    expect(findings(excerpt)[0]?.proof).toEqual([
      { source: '/etc/modprobe.d/vfio.conf', text: GPU_IDS },
      { source: '/sys/bus/pci/devices/0000:65:00.0/driver', text: 'nouveau' },
      { source: '/etc/modprobe.d/vfio.conf', text: 'blacklist nouveau' },
    ]);
  });
});
