import { describe, expect, it } from 'vitest';
import type { DeviceFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import { checkDevices } from '../../../src/domain/devices/check-devices.ts';
import {
  deviceEntry,
  deviceFacts,
  grubWith,
  hostWith,
  iommuGroup,
  ownGroups,
  pciFunction,
  pfWithVfs,
  targetOf,
  vfsTarget,
} from '../../support/device-facts.ts';
import { changesOf } from './planned.ts';

const NIC = pciFunction('0000:05:00.0', { device: '1533', net: ['eno1'] });
const PF = pfWithVfs('0000:03:00.0', 0);
const TARGET = targetOf({
  iommu: 'enabled',
  devices: [
    deviceEntry({ match: { id: '8086:1533' } }),
    deviceEntry({ name: 'pfs', match: { id: '8086:1572' }, vfs: vfsTarget(2) }),
  ],
});
const LINE = ['root=UUID=58589ca0', 'ro'];
/** The IOMMU is off yet, so the plan knows no groups. */
const BEFORE = hostWith(deviceFacts([NIC, ...PF]), {
  runningArgs: LINE,
  bootLoader: grubWith(LINE),
  iommu: { units: [], groups: [], interruptRemapping: false },
});
const CHANGES = changesOf(BEFORE, TARGET);

function checked(functions: readonly PciFunction[], over: Partial<DeviceFacts> = {}) {
  const devices = deviceFacts(functions, { groups: ownGroups(functions), ...over });
  return checkDevices(devices, TARGET, CHANGES);
}

describe('devices after the reboot', () => {
  const root = { kind: 'root-disk' as const, what: 'root file system /' };
  const mate = pciFunction('0000:05:00.1', { driver: 'i40e' });
  const [pf] = PF;

  it('may be touched when all is as the plan saw it', () => {
    expect(CHANGES.map(({ kind }) => kind)).toEqual(['cmdline', 'vfs', 'bind']);
    expect(checked([NIC, ...PF])).toBeUndefined();
  });

  it('are as good when the boot has brought one to vfio-pci already', () => {
    const bound = { ...NIC, driver: 'vfio-pci', override: 'vfio-pci', net: [] };
    expect(checked([bound, ...PF])).toBeUndefined();
  });

  it.each<[string, string, readonly PciFunction[], Partial<DeviceFacts>]>([
    ['one that is gone', 'devices.moved', [...PF], {}],
    [
      'another one at its address',
      'devices.moved',
      [{ ...NIC, modalias: 'pci:v000015B3d00001017sv00sd00bc02sc00i00' }, ...PF],
      {},
    ],
    ['a PF that is gone', 'devices.moved', [NIC], {}],
    ['a PF without SR-IOV', 'devices.moved', [NIC, pciFunction(pf.address)], {}],
    ['a PF whose interface has another name', 'devices.moved', [NIC, { ...pf, net: ['x'] }], {}],
    [
      'a PF that can make fewer',
      'vfs.over-total',
      [NIC, ...pfWithVfs(pf.address, 0, { sriov: { total: 1 } })],
      {},
    ],
    ['no groups at all', 'bind.no-group', [NIC, ...PF], { groups: [] }],
    [
      'a group that is not viable',
      'devices.group-not-viable',
      [NIC, mate, ...PF],
      { groups: [iommuGroup('1', [NIC.address, mate.address])] },
    ],
    [
      'reserved memory',
      'devices.rmrr',
      [NIC, ...PF],
      { groups: [iommuGroup('1', [NIC.address], { rmrr: true })] },
    ],
    [
      'one that the host has come to use',
      'devices.root-disk',
      [{ ...NIC, uses: [root] }, ...PF],
      {},
    ],
    ['a PF that the host has come to use', 'devices.root-disk', [NIC, { ...pf, uses: [root] }], {}],
    [
      'a use that cannot be traced',
      'devices.unresolved',
      [NIC, ...PF],
      { unresolved: [{ kind: 'root-disk', what: 'ZFS pool rpool' }] },
    ],
  ])('are not touched: %s (%s)', (_, code, functions, over) => {
    expect(checked(functions, over)).toMatchObject({ code });
  });

  it('are not in the way of VFs that were made already, though the host uses one by now', () => {
    const functions = [NIC, ...pfWithVfs(PF[0].address, 2)];
    const uses = [{ kind: 'network' as const, what: 'address 192.0.2.7' }];
    const used = functions.map((fn) => (fn.physfn === undefined ? fn : { ...fn, uses }));
    const groups = [
      iommuGroup('1', [NIC.address]),
      iommuGroup(
        '2',
        [...used.slice(1)].map(({ address }) => address),
      ),
    ];
    expect(checked(used, { groups })).toBeUndefined();
  });

  it('do not matter to a plan that touches none', () => {
    const lines = CHANGES.filter(({ kind }) => kind === 'cmdline');
    expect(checkDevices(deviceFacts([]), TARGET, lines)).toBeUndefined();
  });
});
