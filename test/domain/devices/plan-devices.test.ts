import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { devicesLeftAlone } from '../../../src/domain/devices/plan-devices.ts';
import { planHost } from '../../../src/domain/planner.ts';
import type { HugepagesTarget } from '../../../src/domain/spec.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import {
  deviceEntry,
  deviceFacts,
  grubWith,
  guestEntry,
  guestFacts,
  hostWith,
  ownGroups,
  pciFunction,
  pfWithVfs,
  targetOf,
  vfsTarget,
} from '../../support/device-facts.ts';
import { kindsOf } from './planned.ts';

const NIC = pciFunction('0000:05:00.0', { device: '1533' });
const runtime: HugepagesTarget = { sizeKiB: 2048, count: 8, at: 'runtime' };

describe('a plan of everything', () => {
  it('has its changes in the order in which they are applied', () => {
    const line = ['root=UUID=58589ca0', 'ro'];
    const facts = hostWith(
      deviceFacts([NIC, ...pfWithVfs('0000:03:00.0', 0)], { guests: [guestFacts('edge-gw')] }),
      {
        runningArgs: line,
        bootLoader: grubWith(line),
        iommu: { units: [], groups: [], interruptRemapping: false },
      },
    );
    const target = targetOf({
      iommu: 'enabled',
      hugepages: [runtime],
      modules: { ...NOTHING_ASKED.modules, load: ['vfio_pci'] },
      devices: [
        deviceEntry({ match: { id: '8086:1533' } }),
        deviceEntry({ name: 'pfs', match: { id: '8086:1572' }, vfs: vfsTarget(2) }),
      ],
      guests: [guestEntry({ attach: [{ device: 'pfs', pf: 0, vf: 0 }] })],
    });
    expect(kindsOf(facts, target)).toEqual([
      'cmdline',
      'modules',
      'hugepages',
      'vfs',
      'bind',
      'attach',
    ]);
  });

  it('says of what is as asked that it stays', () => {
    const facts = hostWith(deviceFacts([NIC], { groups: ownGroups([NIC]) }));
    const target = targetOf({
      devices: [deviceEntry({ match: { id: '8086:1533' }, driver: 'native' })],
    });
    expect(devicesLeftAlone(facts, target)).toEqual([
      'entry "nics": as asked already: 0000:05:00.0',
    ]);
    const blocked = targetOf({ devices: [deviceEntry({ match: { id: 'ffff:ffff' } })] });
    expect(devicesLeftAlone(facts, blocked)).toEqual([]);
  });

  it('says of a host that complies only what it guards', () => {
    const uses = [{ kind: 'ssh-route' as const, what: 'SSH route (eth0)' }];
    const guarded = { ...NIC, uses, address: '0000:06:00.0' };
    const facts = hostWith(deviceFacts([NIC, guarded], { groups: ownGroups([NIC, guarded]) }));
    const devices = [
      deviceEntry({ match: { address: '0000:05:00.0' }, driver: 'native' }),
      deviceEntry({ name: 'up', match: { address: '0000:06:00.0' }, guarded: 'skip' }),
    ];
    expect(planHost(facts, targetOf({ devices })).kind).toBe('compliant');
    expect(devicesLeftAlone(facts, targetOf({ devices }), { complies: true })).toEqual([
      '0000:06:00.0 of entry "up" stays as it is (guarded: skip), since it is in use: SSH route (eth0)',
    ]);
  });

  it('needs no IOMMU where nothing is given away, since all of it is guarded', () => {
    const uses = [{ kind: 'ssh-route' as const, what: 'SSH route (eth0)' }];
    const off = { iommu: { units: [], groups: [], interruptRemapping: false } };
    const entry = deviceEntry({ match: { id: '8086:1533' }, guarded: 'skip' });
    const target = targetOf({ devices: [entry] });
    expect(planHost(hostWith(deviceFacts([{ ...NIC, uses }]), off), target).kind).toBe('compliant');
    expect(planHost(hostWith(deviceFacts([NIC]), off), target)).toMatchObject({
      code: 'bind.no-group',
    });
  });

  it('is the same each time, to the letter', () => {
    const facts = hostWith(deviceFacts([NIC, ...pfWithVfs('0000:03:00.0', 3)]));
    const target = targetOf({
      devices: [deviceEntry({ match: { id: '8086:1572' }, vfs: vfsTarget(2) })],
    });
    expect(JSON.stringify(planHost(facts, target))).toBe(JSON.stringify(planHost(facts, target)));
  });
});

describe('planning a fleet', () => {
  it('takes milliseconds for a host with 200 functions, whoever shares groups with whom', () => {
    const functions = Array.from({ length: 8 }, (_, at) => `0000:${10 + at}:00.0`).flatMap(
      (address) => pfWithVfs(address, 24),
    );
    const facts = hostWith(deviceFacts(functions, { groups: ownGroups(functions) }));
    const target = targetOf({
      devices: [deviceEntry({ match: { id: '8086:1572' }, vfs: vfsTarget(32, { vlan: 7 }) })],
    });
    const hosts = 40;
    expect(functions).toHaveLength(200);
    const start = performance.now();
    for (let host = 0; host < hosts; host += 1) {
      expect(planHost(facts, target)).toMatchObject({ kind: 'changes' });
    }
    // 0.8 ms each on a 2-core machine; the bound leaves room for a busy one.
    expect((performance.now() - start) / hosts).toBeLessThan(50);
  });
});
