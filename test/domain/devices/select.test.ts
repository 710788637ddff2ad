import { describe, expect, it } from 'vitest';
import type { PciFunction } from '../../../src/domain/device-facts.ts';
import { indexDevices } from '../../../src/domain/devices/device-index.ts';
import { NO_NAMES } from '../../../src/domain/devices/earlier-names.ts';
import { selectDevices } from '../../../src/domain/devices/select.ts';
import type { DeviceMatch, DeviceTarget } from '../../../src/domain/spec.ts';
import {
  bridge,
  deviceEntry,
  deviceFacts,
  graphicsCard,
  hostWith,
  ownGroups,
  pciFunction,
  pfWithVfs,
  targetOf,
  vfsTarget,
} from '../../support/device-facts.ts';
import { blockOf, ofKind } from './planned.ts';

const [GPU, AUDIO] = graphicsCard('0000:41:00');
const NIC = pciFunction('0000:03:00.0', { net: ['ens1f0'], numaNode: 0 });
const SECOND = pciFunction('0000:03:00.1', {
  net: ['ens1f1'],
  numaNode: 1,
  subsystem: '8086:0002',
  revision: '01',
});
const PORT = bridge('0000:00:01.0');

const host = (functions: readonly PciFunction[]) =>
  hostWith(deviceFacts(functions, { groups: ownGroups(functions) }));

const ALL = host([NIC, SECOND, GPU, AUDIO, PORT]);

const bound = (match: DeviceMatch, over: Partial<DeviceTarget> = {}) =>
  ofKind(ALL, targetOf({ devices: [deviceEntry({ match, ...over })] }), 'bind').map(
    ({ address }) => address,
  );

describe('which functions an entry means', () => {
  it.each<[string, DeviceMatch, string[]]>([
    ['an address', { address: '0000:41:00.1' }, ['0000:41:00.1']],
    ['an id', { id: '8086:1572' }, ['0000:03:00.0', '0000:03:00.1']],
    ['an id and a subsystem', { id: '8086:1572', subsystem: '8086:0002' }, ['0000:03:00.1']],
    ['a revision', { id: '8086:1572', revision: '02' }, ['0000:03:00.0']],
    ['a class, from the left', { class: '02' }, ['0000:03:00.0', '0000:03:00.1']],
    ['a whole class', { class: '030000' }, ['0000:41:00.0']],
    ['a network interface', { netdev: 'ens1f1' }, ['0000:03:00.1']],
    ['a driver', { driver: 'snd_hda_intel' }, ['0000:41:00.1']],
    ['a NUMA node', { numaNode: 1 }, ['0000:03:00.1']],
  ])('by %s', (_, match, addresses) => {
    expect(bound(match)).toEqual(addresses);
  });

  it('takes a card with all its functions, and nothing of another slot', () => {
    expect(bound({ id: '10de:1b80' }, { functions: 'all' })).toEqual([
      '0000:41:00.0',
      '0000:41:00.1',
    ]);
  });

  it('means no bridge by what bridges are like', () => {
    const everything = targetOf({ devices: [deviceEntry({ match: { class: '06' } })] });
    expect(blockOf(ALL, everything)).toMatchObject({
      code: 'devices.no-match',
      sentence: expect.stringContaining(
        '(class 06); bridges and the chipset (class 06) never match, since others are reached through them: 0000:00:01.0;',
      ) as string,
    });
    const counted = targetOf({ devices: [deviceEntry({ match: { class: '06' }, expect: 1 })] });
    expect(blockOf(ALL, counted).sentence).toMatch(/matched 0, expected 1; bridges .* never match/);
  });

  it('means no VF but by its address', () => {
    const functions = pfWithVfs('0000:03:00.0', 2);
    const facts = host(functions);
    const byId = targetOf({ devices: [deviceEntry({ match: { id: '8086:154c' } })] });
    expect(blockOf(facts, byId)).toMatchObject({
      code: 'devices.no-match',
      sentence: expect.stringContaining(
        'VFs match by address only, or in vfs of their PF: 0000:03:02.0, 0000:03:02.1;',
      ) as string,
    });
    const one = targetOf({ devices: [deviceEntry({ match: { address: '0000:03:02.1' } })] });
    expect(ofKind(facts, one, 'bind')).toMatchObject([{ address: '0000:03:02.1' }]);
  });

  it('finds a function by the driver and the interface that it had before vfleet took them', () => {
    const names = { driver: 'i40e', net: ['ens1f0'] };
    const taken = { ...NIC, driver: 'vfio-pci', override: 'vfio-pci', net: [] };
    const index = indexDevices(host([taken]).devices);
    for (const match of [{ netdev: 'ens1f0' }, { driver: 'i40e' }]) {
      const target = { devices: [deviceEntry({ match, expect: 1 })] };
      const known = selectDevices(index, target, () => new Map([[NIC.address, names]]));
      expect(known).toMatchObject({ entries: [{ matches: [{ address: NIC.address }] }] });
      expect(selectDevices(index, target, NO_NAMES)).toMatchObject({ code: 'devices.count' });
    }
  });
});

describe('an entry that does not fit the host', () => {
  const two = (one: Partial<DeviceTarget>, other: Partial<DeviceTarget>) => [
    deviceEntry({ match: { id: '8086:1572' }, ...one }),
    deviceEntry({ name: 'others', match: { netdev: 'ens1f1' }, ...other }),
  ];

  it.each<[string, string, readonly DeviceTarget[], RegExp]>([
    [
      'another number than expected',
      'devices.count',
      [deviceEntry({ match: { id: '8086:1572' }, expect: 1 })],
      /"nics" matched 2, expected 1: 0000:03:00\.0 \(ens1f0\), 0000:03:00\.1 \(ens1f1\)/,
    ],
    [
      'none where one is expected',
      'devices.count',
      [deviceEntry({ match: { id: '15b3:1017' }, expect: 1 })],
      /matched 0, expected 1;/,
    ],
    [
      'nothing at all',
      'devices.no-match',
      [deviceEntry({ match: { id: '15b3:1017', numaNode: 0 } })],
      /id 15b3:1017, numaNode 0/,
    ],
    [
      'a bridge',
      'devices.bridge',
      [deviceEntry({ match: { address: '0000:00:01.0' } })],
      /others are reached through it/,
    ],
    [
      'a function that another entry means',
      'devices.claimed-twice',
      two({}, {}),
      /0000:03:00\.1 \(ens1f1\) is meant by entries "nics" and "others"/,
    ],
    [
      'a function of the slot that another entry means',
      'devices.claimed-twice',
      [
        deviceEntry({ match: { id: '10de:1b80' }, functions: 'all' }),
        deviceEntry({ name: 'sound', match: { id: '10de:10f0' } }),
      ],
      /0000:41:00\.1 is meant by/,
    ],
  ])('%s: %s', (_, code, devices, sentence) => {
    const block = blockOf(ALL, targetOf({ devices }));
    expect(block.code).toBe(code);
    expect(block.sentence).toMatch(sentence);
  });

  it('expects nothing where it says so', () => {
    const target = targetOf({ devices: [deviceEntry({ match: { id: '15b3:1017' }, expect: 0 })] });
    expect(blockOf(ALL, target).code).toBe('compliant');
  });

  it('refuses a PF in one entry and its VF in another', () => {
    const functions = pfWithVfs('0000:03:00.0', 2);
    const devices = [
      deviceEntry({ match: { id: '8086:1572' }, vfs: vfsTarget(2) }),
      deviceEntry({ name: 'one', match: { address: '0000:03:02.0' } }),
    ];
    expect(blockOf(host(functions), targetOf({ devices }))).toMatchObject({
      code: 'devices.pf-and-vf',
      sentence: expect.stringContaining('a VF of 0000:03:00.0') as string,
    });
  });

  it('refuses to take a PF from its VFs', () => {
    const functions = pfWithVfs('0000:03:00.0', 2);
    const devices = [deviceEntry({ match: { id: '8086:1572' } })];
    expect(blockOf(host(functions), targetOf({ devices }))).toMatchObject({
      code: 'devices.pf-and-vf',
      sentence: expect.stringContaining('has 2 VFs') as string,
    });
  });
});
