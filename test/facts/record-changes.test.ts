import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/domain/changes.ts';
import { parseRecord, recordText } from '../../src/facts/record.ts';
import {
  attachChange,
  bindChange,
  GPU,
  hugepagesChange,
  modulesChange,
  vfsChange,
} from '../support/device-changes.ts';

const PINS = { before: { '0': '0-3' }, after: { '0': '8-15', '1': '8-15' }, all: '0-15' };
const BEFORE = {
  count: 2,
  autoprobe: false,
  mtu: 1500,
  vfs: [
    { driver: 'iavf', override: null, mac: '02:11:22:33:44:55', vlan: 0, trust: false },
    { driver: null, override: 'vfio-pci', spoofCheck: true, maxRate: 1000 },
  ],
};

/** One of each kind, with every part that it may have. */
const ALL: readonly Change[] = [
  modulesChange(),
  hugepagesChange(),
  vfsChange({}),
  vfsChange({ before: BEFORE, mtu: null, netdev: null }),
  bindChange(GPU),
  bindChange(GPU, {
    before: { driver: null, override: 'x', net: ['enp1s0'] },
    by: 'driverctl',
    modalias: 'pci:v00008086d00001572sv00008086sd00000000bc02sc00i00',
  }),
  attachChange({ pins: PINS, devices: [{ address: GPU }, { pf: GPU, vf: 0 }] }),
  attachChange({ domain: 'Gäste 2' }),
];

const runOf = <T>(changes: T) => ({
  rollout: 'a#1',
  who: 'ops',
  since: '2026-11-22T17:00:00Z',
  changes,
});
const read = (changes: unknown) =>
  parseRecord(JSON.stringify({ version: 1, runs: [runOf(changes)] }));

/** A change with what stands at a path of keys replaced; `undefined` takes it away. */
function spoiled(change: Change, path: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(change)) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop()!;
  const place = keys.reduce((at, key) => at[key] as Record<string, unknown>, copy);
  place[last] = value;
  return copy;
}

const LONG = 'x'.repeat(400);
const BAD_ADDRESSES = ['', '../../..', '0000:65:00.0/..', '0000:65:00.8', '65:00.0', 7, null];
const BAD_PATHS = [
  '/etc/passwd',
  '/etc/udev/rules.d/../../passwd',
  '/etc/udev/rules.d/70-vfleet-0000:65:00.0.rules\n',
  '/etc/udev/rules.d/70-vfleet-x.rules',
  null,
];
const BAD_NUMBERS = [-1, 1.5, 1e300, '7', {}];

/** What must not be read, by kind: where it stands, and what stands there. */
const HOSTILE: readonly (readonly [Change, readonly (readonly [string, readonly unknown[]])[]])[] =
  [
    [
      modulesChange(),
      [
        ['files.0.path', BAD_PATHS],
        ['files.0.before', [7, 'a\0b', '\u001b[2J', 'ü\n', 'x'.repeat(300_000)]],
        ['files.0.more', ['x']],
        ['files', [null, {}, Array.from({ length: 9 }, () => modulesChange().files[0])]],
        ['initramfs', [undefined, 'yes', 1]],
        ['__proto_', [{}]],
      ],
    ],
    [
      hugepagesChange(),
      [
        ['pages.0.sizeKiB', [4, '2048', null]],
        ['pages.0.node', [...BAD_NUMBERS, 10_000]],
        ['pages.0.after', [...BAD_NUMBERS, null]],
        ['file', [null, {}, []]],
        ['file.path', BAD_PATHS],
      ],
    ],
    [
      vfsChange({ before: BEFORE }),
      [
        ['pf', BAD_ADDRESSES],
        ['netdev', ['a/b', '', 'a\nb', LONG, 7]],
        ['before.count', [...BAD_NUMBERS, 70_000, 1]],
        ['before.mtu', [...BAD_NUMBERS]],
        ['before.autoprobe', [1, null]],
        ['before.vfs', [null, {}, 'ab']],
        ['before.vfs.0.driver', ['../x', 'a\0', LONG, 7]],
        ['before.vfs.0.override', ['/x', {}]],
        ['before.vfs.0.mac', ['02:11', '02:11:22:33:44:5g', '$(reboot)', 7]],
        ['before.vfs.0.vlan', [...BAD_NUMBERS, 4096]],
        ['before.vfs.0.trust', ['on', 1]],
        ['before.vfs.1.maxRate', [...BAD_NUMBERS]],
        ['before.vfs.1.hasOwnProperty', ['x']],
        ['after.vfs.0.driver', ['igb', null]],
        ['after.vfs.0.override', ['igb']],
      ],
    ],
    [
      bindChange(GPU),
      [
        ['address', BAD_ADDRESSES],
        ['modalias', ['pci:*', '-a', 'usb:v1', `pci:${LONG}`, 7]],
        ['before.driver', ['a/b', '', LONG, {}]],
        ['before.net', ['eth0', [7], ['../x'], null]],
        ['after.driver', ['nouveau', null]],
        ['after.override', ['nouveau', 7]],
        ['by', ['constructor', 'toString', null]],
        ['files.0.path', BAD_PATHS],
      ],
    ],
    [
      attachChange({ pins: PINS }),
      [
        ['domain', ['', '../x', '-live', 'a/b', 'a\nb', 'a\0', LONG, 7]],
        [
          'devices',
          [null, [{}], [{ address: 'x' }], [{ pf: GPU }], [{ address: GPU, pf: GPU, vf: 1 }]],
        ],
        [
          'devices.0',
          [
            { pf: GPU, vf: -1 },
            { pf: '../x', vf: 0 },
          ],
        ],
        ['managed', ['no', null]],
        ['confined', ['never', null]],
        ['pins', [{}, [], 'x', { ...PINS, before: null }]],
        ['pins.before', [{ constructor: '1' }, { '0': '$(id)' }, { '00000': '1' }, { '0': 7 }]],
        ['pins.all', ['all', null]],
      ],
    ],
  ];

describe('changes in the record of a host', () => {
  it('are read as they were written, whatever their kind', () => {
    const text = recordText({ version: 1, runs: [runOf(ALL)] });
    expect(parseRecord(text)?.runs[0]?.changes).toEqual(ALL);
  });

  it.each(
    HOSTILE.flatMap(([change, spots]) =>
      spots.map(([path, values]) => [change.kind, path, change, values] as const),
    ),
  )('of kind %s are not read with something else at %s', (_kind, path, change, values) => {
    expect(read([change])?.runs).toHaveLength(1);
    for (const value of values) expect(read([spoiled(change, path, value)])).toBeUndefined();
  });

  it.each(['constructor', '__proto__', 'toString', 'sysfs', '', null, 7, {}])(
    'of the kind %j are not read',
    (kind) => {
      expect(read([{ ...bindChange(GPU), kind }])).toBeUndefined();
    },
  );

  it('do not reach the prototype of anything', () => {
    const text = JSON.stringify({ version: 1, runs: [runOf([attachChange({ pins: PINS })])] });
    const polluted = text.replace('"before":{', '"before":{"__proto__":{"polluted":1},');
    expect(parseRecord(polluted)).toBeUndefined();
    expect({}).not.toHaveProperty('polluted');
  });

  it('take a host nobody can trust no time: as many as fit', () => {
    const many = Array.from({ length: 20_000 }, () => ({ kind: 'bind', files: [] }));
    expect(read(many)).toBeUndefined();
  });
});
