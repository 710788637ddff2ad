import { describe, expect, it } from 'vitest';
import type { DeviceFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import { rulePath, scriptPath } from '../../../src/domain/own-files.ts';
import { planHost } from '../../../src/domain/planner.ts';
import type { DeviceTarget, VfsTarget } from '../../../src/domain/spec.ts';
import { bindRule, parseVfsScript, vfsRule, vfsScript } from '../../../src/domain/udev-files.ts';
import {
  deviceEntry,
  deviceFacts,
  guestFacts,
  hostWith,
  iommuGroup,
  ownGroups,
  pciFunction,
  pfWithVfs,
  targetOf,
  vfsTarget,
} from '../../support/device-facts.ts';
import { blockOf, changesOf, ofKind } from './planned.ts';

const PF = '0000:03:00.0';
const RULED = { address: PF, vendor: '8086', device: '1572' };
const RULE = rulePath(PF);
const SCRIPT = scriptPath(PF);
const VFIO = { driver: 'vfio-pci', override: 'vfio-pci' } as const;

const host = (functions: readonly PciFunction[], over: Partial<DeviceFacts> = {}) =>
  hostWith(deviceFacts(functions, { groups: ownGroups(functions), ...over }));

const asked = (vfs: VfsTarget, over: Partial<DeviceTarget> = {}) =>
  targetOf({ devices: [deviceEntry({ match: { address: PF }, vfs, ...over })] });

const filesFor = (vfs: VfsTarget) => ({
  [RULE]: vfsRule(RULED),
  [SCRIPT]: vfsScript({ pf: PF, ...vfs }),
});

describe('a host with more VFs than its record holds', () => {
  it('is blocked, since there would be no way back', () => {
    const settings = { vlan: 100, maxRate: 10_000, trust: true, spoofCheck: true };
    const functions = Array.from({ length: 8 }, (_, at) =>
      pfWithVfs(`0000:${(16 + at).toString(16)}:00.0`, 0, { sriov: { total: 256 } }),
    ).flat();
    const facts = hostWith(deviceFacts(functions, { groups: ownGroups(functions) }));
    const target = { count: 256, vfs: vfsTarget(256, settings).vfs };
    const entry = deviceEntry({ match: { class: '02' }, vfs: target });
    expect(blockOf(facts, targetOf({ devices: [entry] })).code).toBe('devices.plan-too-large');
  });
});

describe('virtual functions', () => {
  it('are made, with what the PF says of each, and kept by a rule and its script', () => {
    const vfs = vfsTarget(2, { trust: true, vlan: 100 }, 9000);
    const state = { driver: 'vfio-pci', override: 'vfio-pci', trust: true, vlan: 100 };
    const changes = changesOf(host(pfWithVfs(PF, 0)), asked(vfs));
    expect(changes).toMatchObject([
      {
        kind: 'vfs',
        pf: PF,
        netdev: 'ens1f0',
        before: { count: 0, autoprobe: true, mtu: 1500, vfs: [] },
        after: { count: 2, autoprobe: false, mtu: 9000, vfs: [state, state] },
        files: [
          { path: SCRIPT, before: null },
          { path: RULE, before: null, after: vfsRule(RULED) },
        ],
      },
    ]);
    const [change] = ofKind(host(pfWithVfs(PF, 0)), asked(vfs), 'vfs');
    expect(parseVfsScript(change?.files[0]?.after ?? '')).toEqual({ pf: PF, ...vfs });
  });

  it('are bound by themselves only where some stay with the host', () => {
    const mixed: VfsTarget = { count: 2, vfs: [{ driver: 'vfio-pci' }, { driver: 'native' }] };
    const [change] = ofKind(host(pfWithVfs(PF, 0)), asked(mixed), 'vfs');
    expect(change?.after).toMatchObject({
      autoprobe: true,
      vfs: [VFIO, { driver: 'native', override: null }],
    });
  });

  it('are told as they were, with their drivers and settings, when they are made anew', () => {
    const functions = pfWithVfs(PF, 1, { vf: VFIO });
    const [change] = ofKind(host(functions), asked(vfsTarget(2)), 'vfs');
    expect(change?.before).toEqual({
      count: 1,
      autoprobe: true,
      mtu: null,
      vfs: [{ ...VFIO, mac: '02:00:00:00:00:01', vlan: 0, trust: false }],
    });
  });

  it('are left alone when count, drivers, settings and files are as asked', () => {
    const vfs = vfsTarget(2, { vlan: 100 });
    const functions = pfWithVfs(PF, 2, {
      vf: VFIO,
      sriov: { autoprobe: false, settings: [{ vlan: 100 }, {}] },
    });
    expect(planHost(host(functions, { ownFiles: filesFor(vfs) }), asked(vfs))).toMatchObject({
      kind: 'compliant',
      evidence: { vfs: '2 on 1 PFs', vfio: '0 functions, 2 VFs' },
    });
  });

  it.each<[string, Parameters<typeof pfWithVfs>[2]]>([
    ['a driver', { vf: { driver: 'iavf', override: null }, sriov: { autoprobe: false } }],
    ['an override', { vf: { ...VFIO, override: null }, sriov: { autoprobe: false } }],
    ['a setting', { vf: VFIO, sriov: { autoprobe: false, settings: [{ vlan: 7 }] } }],
    ['autoprobe', { vf: VFIO, sriov: { autoprobe: true } }],
    ['the MTU', { vf: VFIO, sriov: { autoprobe: false, mtu: 1400 } }],
  ])('are not as asked when only %s differs', (_, over) => {
    const vfs = vfsTarget(1, { vlan: 0 }, 1500);
    const facts = host(pfWithVfs(PF, 1, over), { ownFiles: filesFor(vfs) });
    expect(ofKind(facts, asked(vfs), 'vfs')).toMatchObject([{ files: [] }]);
  });

  it('that somebody made by hand get only what keeps them', () => {
    const vfs = vfsTarget(1);
    const functions = pfWithVfs(PF, 1, { vf: VFIO, sriov: { autoprobe: false } });
    const hostdevs = [{ address: '0000:03:02.0', managed: false, live: true, config: true }];
    const guests = [guestFacts('web', { running: true, hostdevs })];
    const [change] = ofKind(host(functions, { guests }), asked(vfs), 'vfs');
    expect(change?.files).toHaveLength(2);
    expect(change?.before.count).toBe(change?.after.count);
  });

  it('of a disk or an accelerator have no interface, and need none', () => {
    const functions = pfWithVfs(PF, 0, { pf: { net: [], class: '010802', driver: 'nvme' } });
    expect(ofKind(host(functions), asked(vfsTarget(2)), 'vfs')).toMatchObject([
      { netdev: null, after: { mtu: null } },
    ]);
  });

  it('come before what is bound, in the order of their PFs', () => {
    const [other] = pfWithVfs('0000:04:00.0', 0);
    const alone = pciFunction('0000:01:00.0', { device: '1533' });
    const target = targetOf({
      devices: [
        deviceEntry({ name: 'one', match: { id: '8086:1533' } }),
        deviceEntry({ name: 'pfs', match: { id: '8086:1572' }, vfs: vfsTarget(1) }),
      ],
    });
    const changes = changesOf(host([...pfWithVfs(PF, 0), other, alone]), target);
    expect(changes.map((it) => (it.kind === 'vfs' ? it.pf : it.kind))).toEqual([
      PF,
      other.address,
      'bind',
    ]);
  });
});

describe('virtual functions that a host cannot have', () => {
  const without = pciFunction(PF);
  const live = [{ address: '0000:03:02.1', managed: false, live: true, config: true }];
  const guests = [guestFacts('web', { running: true, hostdevs: live })];
  const nm = { owner: 'NetworkManager', where: '/etc/NetworkManager/system-connections/a' };

  it.each<[string, string, readonly PciFunction[], VfsTarget, Partial<DeviceFacts>, RegExp]>([
    ['no SR-IOV', 'vfs.no-sriov', [without], vfsTarget(1), {}, /has no SR-IOV, or its firmware/],
    [
      'SR-IOV off in the card',
      'vfs.no-sriov',
      pfWithVfs(PF, 0, { sriov: { total: 0 } }),
      vfsTarget(1),
      {},
      /SRIOV_EN/,
    ],
    [
      'more than the total',
      'vfs.over-total',
      pfWithVfs(PF, 0, { sriov: { total: 7 } }),
      vfsTarget(8),
      {},
      /can make 7 VFs .* asks for 8/,
    ],
    [
      'an owner that names the interface',
      'vfs.count-owner',
      pfWithVfs(PF, 0),
      vfsTarget(1),
      { vfCountOwners: [{ ...nm, names: 'ens1f0' }] },
      /NetworkManager sets .*system-connections\/a/,
    ],
    [
      'an owner that matches in another way',
      'vfs.count-owner',
      pfWithVfs(PF, 0),
      vfsTarget(1),
      { vfCountOwners: [nm] },
      /may set/,
    ],
    [
      'a PF on vfio-pci',
      'vfs.no-driver',
      pfWithVfs(PF, 0, { pf: VFIO }),
      vfsTarget(1),
      {},
      /only its own driver makes VFs/,
    ],
    [
      'a PF without a driver',
      'vfs.no-driver',
      pfWithVfs(PF, 0, { pf: { driver: null } }),
      vfsTarget(1),
      {},
      /has no driver/,
    ],
    [
      'settings without an interface',
      'vfs.no-interface',
      pfWithVfs(PF, 0, { pf: { net: [] } }),
      vfsTarget(1, { vlan: 5 }),
      {},
      /no network interface/,
    ],
    [
      'another count while a guest runs with one',
      'vfs.used-by-guest',
      pfWithVfs(PF, 2),
      vfsTarget(4),
      { guests },
      /guest web runs with 0000:03:02\.1/,
    ],
    [
      'another driver for one with which a guest runs',
      'vfs.used-by-guest',
      pfWithVfs(PF, 2, { vf: VFIO }),
      vfsTarget(2, { driver: 'native' }),
      { guests },
      /guest web/,
    ],
    [
      'a rule of somebody else',
      'devices.file-foreign',
      pfWithVfs(PF, 0),
      vfsTarget(1),
      { ownFiles: { [RULE]: 'mine\n' } },
      /70-vfleet-0000:03:00\.0\.rules/,
    ],
    [
      'a group that the VFs share with one of the host',
      'devices.group-not-viable',
      pfWithVfs(PF, 2, { vf: VFIO }),
      { count: 2, vfs: [{ driver: 'vfio-pci' }, { driver: 'native' }] },
      { groups: [iommuGroup('9', ['0000:03:02.0', '0000:03:02.1', PF])] },
      /group 9/,
    ],
  ])('%s: %s', (_what, code, functions, vfs, over, sentence) => {
    const block = blockOf(host(functions, over), asked(vfs));
    expect(block.code).toBe(code);
    expect(block.sentence).toMatch(sentence);
  });

  it('does not mind an owner of another card', () => {
    const vfCountOwners = [{ ...nm, names: 'eno1' }];
    const facts = host(pfWithVfs(PF, 0), { vfCountOwners });
    expect(ofKind(facts, asked(vfsTarget(1)), 'vfs')).toHaveLength(1);
  });

  it('puts its rule in the place of one that bound the PF to vfio-pci', () => {
    const facts = host(pfWithVfs(PF, 0), { ownFiles: { [RULE]: bindRule(RULED) } });
    const [change] = ofKind(facts, asked(vfsTarget(1), { driver: 'native' }), 'vfs');
    expect(change?.files[1]).toEqual({
      path: RULE,
      before: bindRule(RULED),
      after: vfsRule(RULED),
    });
    expect(ofKind(facts, asked(vfsTarget(1), { driver: 'native' }), 'bind')).toEqual([]);
  });
});
