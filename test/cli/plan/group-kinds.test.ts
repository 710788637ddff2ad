import { describe, expect, it } from 'vitest';
import type { Change, VfsChange } from '../../../src/domain/changes.ts';
import { groupKinds } from '../../../src/cli/plan/group-kinds.ts';
import type { ProbedHost } from '../../../src/cli/plan/plan-file.ts';
import {
  attachChange,
  bindChange,
  EVERY_KIND,
  host,
  HUGEPAGES,
  MODULES,
  vfsChange,
} from '../render/device-samples.ts';
import { cmdlineChange } from '../render/samples.ts';

const PF = '0000:3b:00.1';
const VFS = vfsChange(PF);
const BIND = bindChange('0000:65:00.0');

/** The same with other MAC addresses where there are some. */
function withMacs(change: VfsChange, start: string): VfsChange {
  const vfs = change.after.vfs.map((vf, at) =>
    vf.mac === undefined ? vf : { ...vf, mac: `${start}:0${at}` },
  );
  return { ...change, after: { ...change.after, vfs } };
}

/** Letters of hosts, each with these changes. */
const lettersOf = (...hosts: readonly (readonly Change[])[]): readonly string[] =>
  groupKinds(hosts.map((changes, at) => host(`hv-${at}`, changes))).hosts.map(
    ({ letter }) => letter,
  );

describe('hosts are of one kind', () => {
  it.each<[string, Change, Change]>([
    [
      'when their kernel lines differ in what is left alone',
      cmdlineChange(['iommu=pt']),
      { ...cmdlineChange(['iommu=pt']), before: ['root=UUID=2'], after: ['root=UUID=2'] },
    ],
    [
      'when the rules that they get are not the same to the letter',
      BIND,
      { ...BIND, files: BIND.files.map((file) => ({ ...file, after: 'y\n' })) },
    ],
    [
      'when the overrides and modaliases that they had differ',
      BIND,
      { ...BIND, modalias: 'pci:v1', before: { ...BIND.before, override: 'x' } },
    ],
    ['when their VFs get other MAC addresses', VFS, withMacs(VFS, '02:ff:00:00:00')],
  ])('%s', (_what, one, other) => {
    expect(lettersOf([one], [other])).toEqual(['A', 'A']);
  });

  it('when the same guest of the spec has another name on each, and says so', () => {
    const of = (name: string, entry: number): ProbedHost =>
      host(name, [attachChange(`edge-${name}`)], {
        scope: { devices: [], guests: [{ entry, domain: `edge-${name}` }] },
      });
    const { kinds } = groupKinds([of('a', 0), of('b', 0), of('c', 1)]);
    expect(kinds.map(({ hosts, ownGuests }) => [hosts, ownGuests])).toEqual([
      [['a', 'b'], true],
      [['c'], false],
    ]);
  });
});

describe('hosts are of two kinds', () => {
  it.each<[string, Change, Change]>([
    ['when a file of theirs says other things', MODULES, { ...MODULES, files: [] }],
    ['when one makes its initramfs again', MODULES, { ...MODULES, initramfs: false }],
    ['when they get other hugepages', HUGEPAGES, { ...HUGEPAGES, pages: HUGEPAGES.pages.slice(1) }],
    ['when the PF is another', VFS, vfsChange('0000:3b:00.0')],
    [
      'when a VF gets another VLAN',
      VFS,
      { ...VFS, after: { ...VFS.after, vfs: VFS.after.vfs.map((vf) => ({ ...vf, vlan: 7 })) } },
    ],
    [
      'when a VF goes to another driver',
      VFS,
      {
        ...VFS,
        after: { ...VFS.after, vfs: VFS.after.vfs.map((vf) => ({ ...vf, driver: 'native' })) },
      },
    ],
    [
      'when a rule is new here and changed there',
      BIND,
      { ...BIND, files: BIND.files.map((file) => ({ ...file, before: 'old\n' })) },
    ],
    [
      'when another driver is bound now',
      BIND,
      { ...BIND, before: { driver: 'nvidia', override: null } },
    ],
    ['when the guest is another', attachChange('a'), attachChange('b')],
    [
      'when the guest gets another device',
      attachChange('a'),
      attachChange('a', { devices: [{ pf: PF, vf: 1 }] }),
    ],
  ])('%s', (_what, one, other) => {
    expect(lettersOf([one], [other])).toEqual(['A', 'B']);
  });

  it('when one has more to do', () => {
    expect(lettersOf(EVERY_KIND, EVERY_KIND.slice(0, -1), EVERY_KIND)).toEqual(['A', 'B', 'A']);
  });
});

it('groups ten thousand hosts with every change in a moment', () => {
  const hosts = Array.from({ length: 10_000 }, (_, at) => host(`hv-${at}`, EVERY_KIND));
  const began = performance.now();
  expect(groupKinds(hosts).kinds).toHaveLength(1);
  expect(performance.now() - began).toBeLessThan(5_000);
});
