import { describe, expect, it } from 'vitest';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import { snapshotOf, type Holds } from './support/snapshot-of.ts';

const parsed = (...parts: readonly Holds[]) => parseDevices(snapshotOf(...parts));
const dmiOf = (date: string) =>
  parsed({ files: { '/sys/class/dmi/id/bios_date': `${date}\n` } }).dmi.biosDate;

describe('the firmware of a host', () => {
  it.each([
    ['05/01/2023', '2023-05-01'],
    ['12/31/99', '1999-12-31'],
    ['02/30/2023', undefined],
    ['2023-05-01', undefined],
    ['Not Specified', undefined],
  ])('is of the date %s: %s', (date, iso) => {
    expect(dmiOf(date)).toBe(iso);
  });
});

describe('the modules of our file, where the kernel has them', () => {
  const told = (output: string) => parsed({ queries: { 'boot-modules': output } }).bootModules;

  it('are known by name, and lines that say something else are not', () => {
    const lines =
      'tun file\nvhost_net builtin\nnosuch none\n../x file\ntun\nkvm maybe\n\u001b[2J none';
    expect(told(lines)).toEqual({ tun: 'file', vhost_net: 'builtin', nosuch: 'none' });
    expect(parsed({}).bootModules).toBeUndefined();
  });

  it('are at most as many as a file of ours can name', () => {
    const many = Array.from({ length: 5_000 }, (_, at) => `m${at} file`).join('\n');
    expect(Object.keys(told(many) ?? {})).toHaveLength(256);
  });
});

describe('the memory of a host', () => {
  const node = (id: number, pages: Readonly<Record<string, string>>): Holds => {
    const folder = `/sys/devices/system/node/node${id}`;
    return {
      files: {
        [`${folder}/cpulist`]: '0-15,32-47\n',
        [`${folder}/meminfo`]: `Node ${id} MemTotal:       65636356 kB\nNode ${id} MemFree: 1 kB\n`,
        ...Object.fromEntries(
          Object.entries(pages).map(([name, value]) => [`${folder}/hugepages/${name}`, value]),
        ),
      },
    };
  };

  it('is told by node, with its hugepages by size', () => {
    const pages = {
      'hugepages-1048576kB/nr_hugepages': '4\n',
      'hugepages-1048576kB/free_hugepages': '1\n',
      'hugepages-2048kB/nr_hugepages': '-5\n',
    };
    expect(parsed(node(10, {}), node(2, pages)).numaNodes).toEqual([
      {
        id: 2,
        cpus: '0-15,32-47',
        memTotalKiB: 65636356,
        hugepages: { '2048': { total: 0, free: 0 }, '1048576': { total: 4, free: 1 } },
      },
      { id: 10, cpus: '0-15,32-47', memTotalKiB: 65636356, hugepages: {} },
    ]);
  });
});

describe('who else sets a count of VFs', () => {
  it('is named with what it is set for', () => {
    const nm = '/etc/NetworkManager/system-connections/a.nmconnection';
    const netplan = '/etc/netplan/50-x.yaml';
    const link = '/etc/systemd/network/10-x.link';
    const unit = '/etc/systemd/system/sriov.service';
    const rows = [
      `${nm}\tname=eth0`,
      `${nm}\tcount=8`,
      `/etc/NetworkManager/system-connections/b.nmconnection\tname=eth5`,
      `${netplan}\tname=enp1`,
      `${netplan}\tcount=4`,
      `${netplan}\tname=enp2`,
      `${netplan}\tcount=2`,
      `${link}\tcount=16`,
      `${link}\tname=02:11:22:33:44:55`,
      `${unit}\tcount=`,
      `/etc/rc.local\tname=0000:03:00.0`,
      `/etc/rc.local\tcount=`,
      `/etc/systemd/network/20-x.link\tcount=0`,
    ];
    expect(parsed({ queries: { 'vf-count-owners': rows.join('\n') } }).vfCountOwners).toEqual([
      { owner: 'NetworkManager', where: nm, names: 'eth0' },
      { owner: 'netplan', where: netplan, names: 'enp1' },
      { owner: 'netplan', where: netplan, names: 'enp2' },
      { owner: 'systemd .link', where: link, names: '02:11:22:33:44:55' },
      { owner: 'systemd unit', where: unit },
      { owner: 'rc.local', where: '/etc/rc.local', names: '0000:03:00.0' },
    ]);
  });
});

describe('what is set at each boot', () => {
  it('is read from driverctl and from our own files, and from nobody else', () => {
    const devices = parsed({
      files: {
        '/etc/driverctl.d/pci-0000:03:00.0': 'vfio-pci\n',
        '/etc/driverctl.d/pci-nonsense': 'vfio-pci\n',
        '/etc/udev/rules.d/70-vfleet-0000:03:00.0.rules': 'a\n',
        '/etc/udev/rules.d/70-vfleet-zzz': 'b\n',
        '/etc/modprobe.d/vfleet.conf': 'options vfio-pci ids=8086:1572\n',
        '/etc/udev/rules.d/60-other.rules': 'c\n',
        '/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts': 'Y\n',
        '/proc/modules': 'vfio_pci 16384 2 - Live 0x0\n\nnot a module\n',
      },
    });
    expect(devices.driverctl).toEqual({ '0000:03:00.0': 'vfio-pci' });
    expect(devices.ownFiles).toEqual({
      '/etc/modprobe.d/vfleet.conf': 'options vfio-pci ids=8086:1572\n',
      '/etc/udev/rules.d/70-vfleet-0000:03:00.0.rules': 'a\n',
    });
    expect(devices.unsafeInterrupts).toBe(true);
    expect(devices.modules).toEqual(['vfio_pci']);
  });
});
