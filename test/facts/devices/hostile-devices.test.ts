import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import { QUERY_NAMES } from '../../../src/facts/snapshot.ts';
import { captured, mounts, net, pci, snapshotOf, type Holds } from './support/snapshot-of.ts';

const MIB = 1024 * 1024;
const A = '0000:03:00.0';
const file = (path: string, text: string): Holds => ({ files: { [path]: text } });
const answer = (query: (typeof QUERY_NAMES)[number], text: string): Holds => ({
  queries: { [query]: text },
});
const repeated = (row: string, times: number) =>
  Array.from({ length: times }, () => row).join('\n');

/** What a host may send to keep its reader busy, to fill its memory, or to make it trust something. */
const CASES: readonly (readonly [string, Holds])[] = [
  ['a vendor of a megabyte', pci(A, { vendor: '0x' + '8'.repeat(MIB) })],
  ['a name of an override that goes on and on', pci(A, { driver_override: 'x'.repeat(MIB) })],
  ['a reset method of blanks', pci(A, { reset_method: ' '.repeat(MIB) })],
  ['a link of slashes', pci(A, {}, { driver: '/'.repeat(MIB), iommu_group: '../'.repeat(MIB) })],
  ['mounts of one endless line', answer('mounts', 'a '.repeat(4 * MIB))],
  ['a million mounts', answer('mounts', repeated('1 1 8:1 / /x rw - ext4 /dev/sda rw', 300_000))],
  ['JSON that is as deep as it is long', answer('ip-links', '['.repeat(MIB))],
  ['JSON of other things', answer('ip-addresses', '{"a":[{"ifname":{"b":1}}],"__proto__":{}}')],
  ['addresses that are no text', answer('ip-addresses', '[{"ifname":1,"addr_info":{}},null,[],7]')],
  ['routes of other things', answer('default-routes', '[{"dev":{"x":1},"nexthops":"no"}]\n{}')],
  ['guests without an end', answer('guests', `file /etc/libvirt/qemu/x.xml\n${'<a>'.repeat(MIB)}`)],
  [
    'a guest of one endless attribute',
    answer('guests', `file /etc/libvirt/qemu/x.xml\n<a b='${'c'.repeat(MIB)}`),
  ],
  ['a guest of entities', answer('guests', `file /etc/libvirt/qemu/x.xml\n${'&'.repeat(MIB)}`)],
  ['a million guests', answer('guests', repeated('file /run/libvirt/qemu/x.xml', 300_000))],
  ['a config that leads round', answer('bridge-config', 'A'.repeat(MIB))],
  ['names of a megabyte', answer('pci-names', `8086 ${'x'.repeat(MIB)}`)],
  ['AER of digits', answer('aer', `${A}/aer_dev_fatal:TOTAL_ERR_FATAL ${'9'.repeat(MIB)}`)],
  ['an initramfs of names', answer('initramfs', `image /boot/x\n${repeated('y', 300_000)}`)],
  ['owners of tabs', answer('vf-count-owners', '/\t'.repeat(MIB))],
  ['swaps of blanks', file('/proc/swaps', `\n${' '.repeat(MIB)}`)],
  ['modules of one word', file('/proc/modules', 'a'.repeat(MIB))],
  ['an address that is none', pci('0000:03:00.8')],
  ['an address that is a word', pci('__proto__')],
];

describe('devices of a host that lies', () => {
  it.each(CASES)('are read in time, and hold nothing long: %s', (_what, part) => {
    const began = performance.now();
    const devices = parseDevices(snapshotOf(pci('0000:04:00.0'), part));
    expect(performance.now() - began).toBeLessThan(2_000);
    const text = JSON.stringify(devices);
    expect(text).not.toMatch(/x{400}|8{400}|null,null/);
    expect(text.length).toBeLessThan(2_000_000);
    expect(text).not.toContain('NaN');
    expect({}).not.toHaveProperty('ifname');
  });

  it('are no more than facts hold, and the rest counts as not known', () => {
    const domains = Array.from({ length: 5000 }, (_, at) =>
      pci(`${at.toString(16).padStart(4, '0')}:00:00.0`),
    );
    const { functions, unresolved } = parseDevices(snapshotOf(...domains));
    expect(functions).toHaveLength(4096);
    expect(unresolved.map(({ what }) => what)).toContain(
      'this host has more than 4096 PCI functions',
    );
  });

  it('are followed in time, however many file systems and disks there are', () => {
    const disks = Array.from({ length: 20_000 }, (_, at) => at);
    const links = Object.fromEntries(
      disks.map((at) => [
        `/sys/class/block/nvme${at}n1`,
        `../../devices/virtual/nvme-subsystem/nvme-subsys${at}/nvme${at}n1`,
      ]),
    );
    const dirs = Object.fromEntries(disks.map((at) => [`/sys/fs/btrfs/${at}/devices`, ['sda']]));
    const rows = disks.map((at) => {
      const type = at % 2 === 0 ? 'ext4' : 'btrfs';
      return `1 1 0:${at} / /m${at} rw - ${type} /dev/nvme${at}n1 rw`;
    });
    const began = performance.now();
    const { unresolved } = parseDevices(
      snapshotOf({ links, dirs }, answer('mounts', rows.join('\n'))),
    );
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(unresolved.map(({ what }) => what)).toContain(
      'this host has more than 2048 file systems',
    );
  });

  it('are followed through no circle of interfaces and no stack without end', () => {
    const chain = Array.from({ length: 5000 }, (_, at) => net(`i${at}`, undefined, [`i${at + 1}`]));
    const route = { 'default-routes': '[{"dev":"i0"}]\n[{"dev":"a"}]' };
    const circle = [net('a', undefined, ['b']), net('b', undefined, ['a'])];
    const { unresolved } = parseDevices(snapshotOf(...chain, ...circle, { queries: route }));
    expect(unresolved.map(({ what }) => what)).toContain(
      'default route (a): a has no network card below it',
    );
    expect(unresolved.some(({ what }) => what.startsWith('default route (i0)'))).toBe(true);
  });

  it('never crash the reader, whatever any part of a capture becomes', async () => {
    const real = await captured('debian-12-vfs');
    const paths = [...real.files.keys()];
    const links = [...real.links.keys()];
    const junk = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '[]',
        '[{}]',
        '{}',
        'null',
        '[null]',
        '-1',
        '0x',
        '../..',
        '/',
        mounts('a b c d'),
      ),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), junk), { maxLength: 20 }),
        fc.array(fc.tuple(fc.constantFrom(...QUERY_NAMES), junk), { maxLength: 5 }),
        (changes, answers) => {
          const files = new Map(real.files);
          const targets = new Map(real.links);
          const queries = new Map(real.queries);
          for (const [at, text] of changes) {
            files.set(paths[at % paths.length]!, Buffer.from(text));
            targets.set(links[at % links.length]!, text);
          }
          for (const [name, output] of answers) queries.set(name, { code: 0, output });
          const devices = parseDevices({ ...real, files, links: targets, queries });
          expect(JSON.parse(JSON.stringify(devices))).toEqual(devices);
        },
      ),
      { numRuns: 150 },
    );
  });
});
