import { describe, expect, it } from 'vitest';
import type { DeviceUse, PciFunction, Unresolved } from '../../../src/domain/device-facts.ts';
import { devicesLeftAlone } from '../../../src/domain/devices/plan-devices.ts';
import type { Allow, DeviceTarget } from '../../../src/domain/spec.ts';
import {
  deviceEntry,
  deviceFacts,
  graphicsCard,
  guestFacts,
  hostWith,
  iommuGroup,
  ownGroups,
  pciFunction,
  pfWithVfs,
  targetOf,
  vfsTarget,
} from '../../support/device-facts.ts';
import { blockOf, ofKind, warningsOf } from './planned.ts';

const ADDRESS = '0000:03:00.0';
const OTHER = '0000:03:00.1';
const USES = {
  root: { kind: 'root-disk', what: 'root file system /' },
  ssh: { kind: 'ssh-route', what: 'default route (bond0)' },
  iscsi: { kind: 'network', what: 'iSCSI target 10.0.0.1' },
  bridged: { kind: 'guest', what: 'guest web is bridged to it' },
} as const satisfies Record<string, DeviceUse>;

const used = (use: DeviceUse, over: Partial<PciFunction> = {}) =>
  pciFunction(ADDRESS, { uses: [use], ...over });

const entry = (over: Partial<DeviceTarget> = {}) =>
  deviceEntry({ match: { address: ADDRESS }, ...over });

function host(functions: readonly PciFunction[], over: Parameters<typeof deviceFacts>[1] = {}) {
  return hostWith(deviceFacts(functions, { groups: ownGroups(functions), ...over }));
}

const asked = (over: Partial<DeviceTarget> = {}, allow: readonly Allow[] = []) =>
  targetOf({ devices: [entry(over)], allow });

describe('a function that leads to what the host needs', () => {
  it('is refused though it is no bridge, as an Intel VMD with the root disk behind it', () => {
    const vmd = pciFunction(ADDRESS, { class: '010400', driver: 'vmd' });
    const disk = pciFunction('10000:e1:00.0', {
      class: '010802',
      driver: 'nvme',
      parents: [ADDRESS, '10000:e0:06.0'],
      uses: [USES.root],
    });
    const block = blockOf(host([vmd, disk]), asked());
    expect(block.code).toBe('devices.root-disk');
    expect(block.sentence).toMatch(/leads to 10000:e1:00\.0, in use: root file system/);
  });
});

describe('a function that the host needs', () => {
  const screen = pciFunction(ADDRESS, { class: '030000', bootVga: true });
  const cases: [string, string, PciFunction, RegExp][] = [
    ['the root disk', 'devices.root-disk', used(USES.root), /in use: root file system \/;/],
    [
      'the SSH route',
      'devices.ssh-route',
      used(USES.ssh),
      /default route \(bond0\);.*guarded: skip/,
    ],
    ['the boot VGA', 'devices.boot-vga', screen, /boot VGA/],
    ['a network of guests', 'devices.network', used(USES.iscsi), /iSCSI target/],
    ['a bridge of a guest', 'devices.guest', used(USES.bridged), /guest web/],
  ];

  it.each(cases)('is refused: %s as %s', (_, code, fn, sentence) => {
    const block = blockOf(host([fn]), asked());
    expect(block.code).toBe(code);
    expect(block.sentence).toMatch(sentence);
    expect(block.sentence).toContain('of entry "nics"');
  });

  it.each(cases)('is left alone where the entry says skip: %s', (_what, _code, fn) => {
    const facts = host([fn]);
    expect(blockOf(facts, asked({ guarded: 'skip' })).code).toBe('compliant');
    const [left] = devicesLeftAlone(facts, asked({ guarded: 'skip' }));
    expect(left).toMatch(
      /0000:03:00\.0 of entry "nics" stays as it is \(guarded: skip\), since it/,
    );
  });

  it.each<[Allow, PciFunction]>([
    ['root-disk', used(USES.root)],
    ['ssh-route', used(USES.ssh)],
    ['boot-vga', screen],
  ])('is touched where the spec allows %s by name, with a warning', (name, fn) => {
    const target = asked({}, [name]);
    expect(ofKind(host([fn]), target, 'bind')).toHaveLength(1);
    expect(warningsOf(host([fn]), target)[0]).toContain(`the spec allows ${name}`);
  });

  it('is not touched by what is allowed of another kind', () => {
    const both = pciFunction(ADDRESS, { uses: [USES.ssh, USES.iscsi] });
    expect(blockOf(host([both]), asked({}, ['ssh-route'])).code).toBe('devices.network');
    expect(blockOf(host([used(USES.root)]), asked({}, ['ssh-route'])).code).toBe(
      'devices.root-disk',
    );
  });

  it('says of an integrated graphics unit what that means', () => {
    const integrated = { ...screen, parents: [] };
    expect(blockOf(host([integrated]), asked()).sentence).toContain('part of the processor');
  });

  it('is left in peace where all is as asked already', () => {
    const fn = used(USES.ssh);
    const native = asked({ driver: 'native' });
    expect(blockOf(host([fn]), native).code).toBe('compliant');
  });
});

describe('a function that goes with one that the host needs', () => {
  const plain = pciFunction(ADDRESS);

  it('shares its group', () => {
    const mate = pciFunction(OTHER, { uses: [USES.root] });
    const groups = [iommuGroup('7', [ADDRESS, OTHER])];
    expect(blockOf(host([plain, mate], { groups }), asked())).toMatchObject({
      code: 'devices.root-disk',
      sentence: expect.stringContaining('shares IOMMU group 7 with 0000:03:00.1') as string,
    });
  });

  it('is a VF of it', () => {
    const [pf, vf] = pfWithVfs(ADDRESS, 1, { pf: { uses: [USES.ssh] } });
    const target = asked({ match: { address: vf!.address } });
    expect(blockOf(host([pf, vf!]), target)).toMatchObject({
      code: 'devices.ssh-route',
      sentence: expect.stringContaining('is a VF of 0000:03:00.0 (ens1f0)') as string,
    });
  });

  it('can only be reset along with it', () => {
    const mate = pciFunction(OTHER, { uses: [USES.root] });
    const noReset = { ...plain, resetMethods: [] };
    expect(blockOf(host([noReset, mate]), asked()).sentence).toContain('reset along with');
    const ownReset = { ...plain, resetMethods: ['flr'] };
    expect(ofKind(host([ownReset, mate]), asked(), 'bind')).toHaveLength(1);
  });

  it('may be reset along with it, which a kernel that does not say so makes a warning', () => {
    const mate = pciFunction(OTHER, { uses: [USES.root], net: ['ens1f1'] });
    expect(ofKind(host([plain, mate]), asked(), 'bind')).toHaveLength(1);
    expect(warningsOf(host([plain, mate]), asked())).toEqual([
      expect.stringMatching(/does not say how it is reset .*5\.15.*: 0000:03:00\.1 \(ens1f1\)$/),
    ]);
  });

  it.each<[string, Partial<PciFunction>, Partial<PciFunction>]>([
    ['it is known how it is reset', { resetMethods: ['flr'] }, { uses: [USES.root] }],
    ['the other does nothing', {}, {}],
    ['the other is on another bus', {}, { address: '0000:04:00.0', uses: [USES.root] }],
    ['it is on the root bus', { parents: [] }, { uses: [USES.root] }],
  ])('is no warning where %s', (_, fn, mate) => {
    const facts = host([{ ...plain, ...fn }, pciFunction(OTHER, mate)]);
    expect(warningsOf(facts, asked())).toEqual([]);
  });

  it('leaves the whole card alone where one function of it must stay', () => {
    const [gpu, audio] = graphicsCard('0000:41:00');
    const facts = host([{ ...gpu, bootVga: true }, audio]);
    const target = targetOf({
      devices: [entry({ match: { id: '10de:1b80' }, functions: 'all', guarded: 'skip' })],
    });
    expect(blockOf(facts, target).code).toBe('compliant');
    expect(devicesLeftAlone(facts, target)).toHaveLength(2);
  });
});

describe('a PF that the host needs', () => {
  const vfs = { vfs: vfsTarget(2) };

  it('makes no VFs', () => {
    const functions = pfWithVfs(ADDRESS, 0, { pf: { uses: [USES.ssh] } });
    expect(blockOf(host(functions), asked(vfs)).code).toBe('devices.ssh-route');
    expect(blockOf(host(functions), asked({ ...vfs, guarded: 'skip' })).code).toBe('compliant');
    expect(ofKind(host(functions), asked(vfs, ['ssh-route']), 'vfs')).toHaveLength(1);
  });

  it('keeps the VFs that carry the route', () => {
    const functions = pfWithVfs(ADDRESS, 1, { vf: { uses: [USES.ssh] } });
    expect(blockOf(host(functions), asked(vfs))).toMatchObject({ code: 'devices.ssh-route' });
  });
});

describe('a function of a running guest', () => {
  const hostdevs = [{ address: ADDRESS, managed: false, live: true, config: true }];
  const guests = [guestFacts('web', { running: true, hostdevs })];

  it('is not taken from it', () => {
    const fn = pciFunction(ADDRESS, { driver: 'vfio-pci', override: 'vfio-pci' });
    expect(blockOf(host([fn], { guests }), asked({ driver: 'native' }))).toMatchObject({
      code: 'devices.guest',
      sentence: expect.stringContaining('guest web runs with it') as string,
    });
  });

  it('may get the rule that keeps it over a boot', () => {
    const fn = pciFunction(ADDRESS, { driver: 'vfio-pci', override: 'vfio-pci' });
    expect(ofKind(host([fn], { guests }), asked(), 'bind')[0]?.files).toHaveLength(1);
  });
});

describe('a use that could not be traced', () => {
  const zfs: Unresolved = { kind: 'root-disk', what: 'ZFS pool rpool' };
  const facts = host([pciFunction(ADDRESS)], { unresolved: [zfs] });

  it('refuses every device, guarded or not', () => {
    const sentence = expect.stringContaining('ZFS pool rpool') as string;
    for (const guarded of ['skip', 'refuse'] as const) {
      expect(blockOf(facts, asked({ guarded }))).toMatchObject({
        code: 'devices.unresolved',
        sentence,
      });
    }
  });

  it('is lifted by the name of its kind, and by no other', () => {
    expect(ofKind(facts, asked({}, ['root-disk']), 'bind')).toHaveLength(1);
    expect(blockOf(facts, asked({}, ['ssh-route'])).code).toBe('devices.unresolved');
  });

  it('does not stop a plan that touches no device', () => {
    expect(blockOf(facts, asked({ driver: 'native' })).code).toBe('compliant');
  });
});
