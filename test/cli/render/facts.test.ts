import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderFacts } from '../../../src/cli/render/facts.ts';
import type { GuestFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import type { Facts } from '../../../src/domain/facts.ts';
import { loadCapture } from '../../../src/facts/capture.ts';
import { parseFacts } from '../../../src/facts/parse-facts.ts';
import { plain } from './samples.ts';

/** A lab machine with VFs, as `vfleet capture` saves it. */
const lab = parseFacts(
  await loadCapture(
    fileURLToPath(new URL('../../fixtures/captures/debian-12-vfs', import.meta.url)),
  ),
);
const view = (width: number, all = false) => ({ style: plain, width, all });
const golden = (name: string): string => `./golden/${name}.txt`;

const GUEST: GuestFacts = {
  name: 'edge-gw',
  running: true,
  persistent: false,
  memoryKiB: 8 * 1024 * 1024,
  vcpus: 4,
  pins: { '0': '2', '1': '3' },
  nodeset: '0',
  hugepages: true,
  locked: true,
  ballooning: true,
  hostdevs: [{ address: '0000:03:10.0', managed: true, live: true, config: false }],
  confinement: 'libvirt-8fff4336',
};

/** The lab's machine with everything that it does not have itself. */
const rich: Facts = {
  ...lab,
  devices: {
    ...lab.devices,
    functions: lab.devices.functions.map((it) => enriched(it)),
    groups: lab.devices.groups.map((group) => ({ ...group, rmrr: group.id === '10' })),
    unresolved: [{ kind: 'root-disk', what: 'ZFS pool tank: its disks are not told by sysfs' }],
    guests: [...lab.devices.guests, GUEST],
    numaNodes: lab.devices.numaNodes.map((node) => ({
      ...node,
      hugepages: { '2048': { total: 0, free: 0 }, '1048576': { total: 4, free: 1 } },
    })),
    vfCountOwners: [
      { owner: 'netplan', where: '/etc/netplan/50-x.yaml', names: 'enp3s0' },
      { owner: 'rc.local', where: '/etc/rc.local' },
    ],
    driverctl: { '0000:05:01.0': 'vfio-pci' },
    unsafeInterrupts: true,
  },
};

function enriched(it: PciFunction): PciFunction {
  switch (it.address) {
    case '0000:02:00.0':
      return {
        ...it,
        link: { speed: '8.0 GT/s', width: 8, maxSpeed: '16.0 GT/s', maxWidth: 16 },
        aer: { correctable: 12, nonfatal: 0, fatal: 1 },
        resetMethods: [],
        override: 'e1000e',
        numaNode: 0,
      };
    case '0000:03:10.0':
      return { ...it, uses: [{ kind: 'guest', what: 'guest edge-gw runs with it' }] };
    case '0000:00:04.0':
      return { ...it, acs: true };
    case '0000:00:05.0':
      return { ...it, acs: false };
    default:
      return it;
  }
}

/** A PF with so many VFs. */
function crowd(vfs: number): Facts {
  const pf = lab.devices.functions.find(({ address }) => address === '0000:03:00.0')!;
  const vf = lab.devices.functions.find(({ address }) => address === '0000:03:10.0')!;
  const addresses = Array.from(
    { length: vfs },
    (_, at) => `0000:41:${(at >> 3).toString(16).padStart(2, '0')}.${at % 8}`,
  );
  const functions = [
    { ...pf, sriov: { ...pf.sriov!, count: vfs, total: vfs, vfs: addresses } },
    ...addresses.map((address, vfIndex) => ({ ...vf, address, vfIndex, group: `g${vfIndex}` })),
  ];
  return { ...lab, devices: { ...lab.devices, functions } };
}

describe('the facts of a host', () => {
  it.each([80, 120])('are read at %i columns', async (width) => {
    const text = renderFacts(rich, view(width));
    await expect(`${text}\n`).toMatchFileSnapshot(golden(`facts-${width}`));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it('hold every function when asked', async () => {
    const text = renderFacts(rich, view(120, true));
    await expect(`${text}\n`).toMatchFileSnapshot(golden('facts-all'));
    for (const { address } of rich.devices.functions) expect(text).toContain(`\n${address}  `);
  });

  it('say hundreds of VFs in one line', () => {
    const text = renderFacts(crowd(250), view(120));
    expect(text).toContain('VFs 0-249 vfio-pci');
    expect(text).toContain('Not listed: 250 VFs.');
    expect(text.split('\n').length).toBeLessThan(60);
  });

  it('say that nothing is known of devices where none was read', () => {
    const text = renderFacts({ ...lab, devices: { ...lab.devices, functions: [] } });
    expect(text).toContain('no PCI function was read');
  });
});
