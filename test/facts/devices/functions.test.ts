import { describe, expect, it } from 'vitest';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import { captured, pci, snapshotOf, type Holds } from './support/snapshot-of.ts';

const A = '0000:03:00.0';
const parsed = (...parts: readonly Holds[]) => parseDevices(snapshotOf(...parts));
const first = (...parts: readonly Holds[]) => parsed(...parts).functions[0]!;

describe('the functions of a lab machine with VFs', async () => {
  const devices = parseDevices(await captured('debian-12-vfs'));
  const at = (address: string) => devices.functions.find((it) => it.address === address);

  it('are all there, with their groups', () => {
    expect(devices.functions).toHaveLength(28);
    expect(devices.groups).toHaveLength(24);
    expect(devices.groups.find(({ id }) => id === '12')).toEqual({
      id: '12',
      type: 'identity',
      members: ['0000:04:00.0', '0000:05:01.0', '0000:05:02.0'],
      rmrr: false,
    });
    expect(devices.unresolved).toEqual([]);
  });

  it('show a PF with what it says of each VF', () => {
    expect(at('0000:03:00.0')).toMatchObject({
      vendor: '8086',
      device: '10c9',
      subsystem: '1af4:1100',
      revision: '01',
      class: '020000',
      names: { vendor: 'Intel Corporation', device: '82576 Gigabit Network Connection' },
      driver: 'igb',
      override: null,
      modalias: 'pci:v00008086d000010C9sv00001AF4sd00001100bc02sc00i00',
      group: '11',
      parents: ['0000:00:06.0'],
      net: ['enp3s0'],
      link: { speed: '2.5 GT/s', width: 1, maxSpeed: '2.5 GT/s', maxWidth: 1 },
      resetMethods: ['flr', 'pm', 'bus'],
      msix: 3,
      aer: { correctable: 0, nonfatal: 0, fatal: 0 },
      sriov: { total: 7, count: 7, autoprobe: true, mtu: 9000 },
      uses: [],
    });
    const { vfs, settings } = at('0000:03:00.0')!.sriov!;
    expect(vfs).toHaveLength(7);
    expect(settings[0]).toEqual({
      mac: '02:11:22:33:44:00',
      vlan: 100,
      trust: true,
      spoofCheck: true,
      maxRate: 0,
    });
    expect(settings[6]).toMatchObject({ vlan: 0, trust: false });
  });

  it('show a VF with its PF and index', () => {
    expect(at('0000:03:11.2')).toMatchObject({
      driver: 'igbvf',
      physfn: '0000:03:00.0',
      vfIndex: 5,
      net: ['enp3s0v5'],
    });
    expect(at('0000:01:00.4')).toMatchObject({ override: 'vfio-pci', vfIndex: 3 });
  });

  it('show who carries the root file system and SSH, and a sensor', () => {
    expect(at('0000:00:02.0')?.uses).toEqual([{ kind: 'root-disk', what: 'root file system /' }]);
    expect(at('0000:00:03.0')?.uses.map(({ kind }) => kind)).toEqual([
      'ssh-route',
      'ssh-route',
      'ssh-route',
    ]);
    expect(at('0000:01:00.0')?.temperatures).toEqual([
      { label: 'Composite', celsius: 49.85, limit: 99.85 },
    ]);
  });

  it('come with firmware, nodes, modules, our files and guests', () => {
    expect(devices).toMatchObject({
      dmi: { vendor: 'QEMU', biosVersion: '0.0.0', biosDate: '2015-02-06' },
      numaNodes: [{ id: 0, cpus: '0', memTotalKiB: 2006284 }],
      unsafeInterrupts: false,
      guests: [{ name: 'lab-guest', running: false, memoryKiB: 196608, ballooning: false }],
    });
    expect(devices.modules).toContain('vfio_pci');
    expect(Object.keys(devices.ownFiles)).toHaveLength(5);
  });
});

describe('a capture from before vfleet read devices', () => {
  it('gives no devices, and says that their uses are not known', async () => {
    const devices = parseDevices(await captured('debian-12-passthrough'));
    expect(devices.functions).toEqual([]);
    expect(devices.guests).toEqual([]);
    expect(new Set(devices.unresolved.map(({ kind }) => kind))).toEqual(
      new Set(['root-disk', 'ssh-route']),
    );
  });
});

describe('what sysfs says of a function', () => {
  it('is absent where the kernel has no answer', () => {
    const plain = first(
      pci(A, {
        driver_override: '(null)',
        numa_node: '-1',
        current_link_speed: 'Unknown',
        current_link_width: '0',
        max_link_speed: '16.0 GT/s PCIe',
        max_link_width: '255',
        sriov_totalvfs: '0',
        boot_vga: '0',
        reset_method: '',
      }),
    );
    expect(plain).toEqual({
      address: A,
      vendor: '8086',
      device: '1572',
      class: '020000',
      driver: null,
      override: null,
      modalias: 'pci:v00008086d00001572sv00000000sd00000000bc02sc00i00',
      parents: ['0000:00:01.0'],
      bootVga: false,
      net: [],
      link: { maxSpeed: '16.0 GT/s' },
      resetMethods: [],
      uses: [],
    });
  });

  it('names the boot VGA as a use', () => {
    expect(first(pci(A, { boot_vga: '1', class: '0x030000' }))).toMatchObject({
      bootVga: true,
      uses: [{ kind: 'boot-vga', what: 'boot VGA' }],
    });
  });

  it('counts AER errors, MSI-X vectors, and knows groups that VFIO refuses', () => {
    const devices = parsed(pci(A, {}, { iommu_group: '../../../kernel/iommu_groups/7' }), {
      files: { '/sys/kernel/iommu_groups/7/type': 'DMA-FQ\n' },
      queries: {
        aer: `${A}/aer_dev_correctable:TOTAL_ERR_COR 12\n${A}/aer_dev_fatal:TOTAL_ERR_FATAL 1`,
        'msi-vectors': `${A} 64 msix\n0000:00:1f.2 1 msi`,
        'reserved-regions':
          '7/reserved_regions:0x00000000bdf6f000 0x00000000bdf7efff direct\n' +
          '8/reserved_regions:0x0 0x1 direct-relaxable',
        'pci-names': '8086  Intel Corporation\n8086:0001  Something else',
      },
    });
    expect(devices.functions[0]).toMatchObject({
      aer: { correctable: 12, nonfatal: 0, fatal: 1 },
      msix: 64,
      names: { vendor: 'Intel Corporation', device: 'Device 1572' },
    });
    expect(devices.groups).toEqual([{ id: '7', type: 'DMA-FQ', members: [A], rmrr: true }]);
  });
});

/** A bridge's config space: a PCI Express port of a type, with Access Control Services of these bits. */
function config(portType: number, acs?: { readonly offers: number; readonly does: number }) {
  const bytes = Buffer.alloc(4096);
  bytes.writeUInt8(0x40, 0x34);
  bytes.writeUInt8(0x10, 0x40);
  bytes.writeUInt16LE(portType << 4, 0x42);
  bytes.writeUInt32LE(0x140_1_0001, 0x100);
  if (acs !== undefined) {
    bytes.writeUInt32LE(0x000_1_000d, 0x140);
    bytes.writeUInt16LE(acs.offers, 0x144);
    bytes.writeUInt16LE(acs.does, 0x146);
  }
  return bytes;
}

describe('Access Control Services of a bridge', () => {
  const cases: readonly (readonly [string, Buffer, boolean | undefined])[] = [
    ['a root port that does all it offers', config(4, { offers: 0x1f, does: 0x1d }), true],
    ['a root port that offers little and does it', config(4, { offers: 0x01, does: 0x01 }), true],
    ['a downstream port that does not redirect', config(6, { offers: 0x1f, does: 0x01 }), false],
    ['a root port without the capability', config(4), false],
    ['an upstream port, which need not', config(5), undefined],
    ['a bridge to conventional PCI', config(7), false],
    ['a conventional bridge', Buffer.alloc(256), false],
    ['what nobody without root can read', Buffer.alloc(64), undefined],
    ['capabilities in a circle', config(4).fill(0x40, 0x40, 0x42), false],
  ];
  it.each(cases)('are told of %s', (_what, bytes, acs) => {
    const header = (address: string) => `==> /sys/bus/pci/devices/${address}/config <==\n`;
    const dump = Buffer.concat([
      Buffer.from(header(A)),
      bytes,
      Buffer.from(`\n${header('0000:04:00.0')}`),
      config(4, { offers: 0x1d, does: 0x1d }),
    ]);
    const { functions } = parsed(pci(A, { class: '0x060400' }), pci('0000:04:00.0'), {
      queries: { 'bridge-config': dump.toString('base64') },
    });
    expect(functions.map((it) => it.acs)).toEqual([acs, true]);
  });
});
