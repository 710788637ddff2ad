import { describe, expect, it } from 'vitest';
import { parseDevices } from '../../src/facts/devices/parse-devices.ts';
import type { QueryName } from '../../src/facts/snapshot.ts';
import { describeOnOpenSsh } from './support/openssh-bench.ts';
import type { OpenSshHost } from './support/openssh-host.ts';

const DEADLINE_MS = 20_000;

async function ask(host: OpenSshHost, query: QueryName): Promise<string | undefined> {
  const entries = [{ kind: 'query', query }] as const;
  return (await host.port.read({ entries, deadlineMs: DEADLINE_MS })).queries.get(query)?.output;
}

const PCI = '/sys/bus/pci/devices';

/** What a guest may hold beside its devices; each of these words must stay on the host. */
const GUEST = `<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. virsh edit edge <hostdev type='pci'> COMMENT
-->
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>edge</name>
  <metadata><app:secret>METADATA</app:secret></metadata>
  <description>DESCRIPTION</description>
  <memory unit='KiB'>4096</memory>
  <sysinfo type='smbios'><system><entry name='serial'>SERIAL</entry></system></sysinfo>
  <os><cmdline>CMDLINE</cmdline></os>
  <devices>
    <disk type='network'><auth username='USER'><secret type='ceph' uuid='UUID'/></auth>
      <source protocol='https' name='PATH?token=TOKEN' query='QUERY'/></disk>
    <hostdev mode='subsystem' type='pci' managed='no'>
      <source>
        <address domain='0x0000' bus='0x03' slot='0x10'
                 function='0x0'/>
      </source>
    </hostdev>
    <graphics type='vnc' port='-1' passwd='PASSWORD' passwdValidTo='2027'>
      <listen type='address' address='LISTEN'/>
    </graphics>
    <memballoon model="none"/>
  </devices>
  <![CDATA[ <hostdev type='pci'/> CDATA ]]>
  <qemu:commandline><qemu:arg value='secret,data=ARGUMENT'/></qemu:commandline>
</domain>
`;

describeOnOpenSsh('what a host is asked about its devices', (bench) => {
  it('keeps every secret of its guests, and tells their devices', async () => {
    const host = await bench.host();
    await host.put('/etc/libvirt/qemu/edge.xml', GUEST);
    const live = GUEST.replace('<domain ', "<domstatus state='running'><domain ");
    await host.put('/run/libvirt/qemu/edge.xml', `${live}</domstatus>`);
    const output = (await ask(host, 'guests'))!;
    expect(output.replace(/^file .*$/gm, '')).not.toMatch(/[A-Z]{4,}/);
    const entries = [
      { kind: 'query', query: 'guests' },
      { kind: 'list', glob: '/run/libvirt/qemu' },
    ] as const;
    const { guests } = parseDevices(await host.port.read({ entries, deadlineMs: DEADLINE_MS }));
    expect(guests).toMatchObject([
      {
        name: 'edge',
        running: true,
        persistent: true,
        memoryKiB: 4096,
        ballooning: false,
        hostdevs: [{ address: '0000:03:10.0', live: true, config: true }],
      },
    ]);
  });

  it('says who sets counts of VFs, and nothing else of their files', async () => {
    const host = await bench.host();
    const nm = '/etc/NetworkManager/system-connections/up link.nmconnection';
    await host.put(
      nm,
      '[connection]\ninterface-name=eth0\n[wifi-security]\npsk=SECRET\n[sriov]\ntotal-vfs=8\n',
    );
    await host.put(
      '/etc/netplan/50.yaml',
      'network:\n  wifis:\n    w0:\n      password: SECRET\n  ethernets:\n    enp1:\n' +
        '      dhcp4: true\n      virtual-function-count: 4\n    enp2: {}\n',
    );
    await host.put(
      '/etc/systemd/network/10.link',
      '[Match]\nPermanentMACAddress=02:11:22:33:44:55\n[Link]\nSR-IOVVirtualFunctions=16\n',
    );
    await host.put(
      '/etc/systemd/system/vf.service',
      '# sriov_numvfs\nExecStart=/bin/sh -c "TOKEN=SECRET echo 4 > /sys/class/net/eth7/device/sriov_numvfs"\n',
    );
    await host.put('/etc/udev/rules.d/70-vfleet-0000:03:00.0.rules', 'sriov_numvfs\n');
    const output = (await ask(host, 'vf-count-owners'))!;
    expect(output.split('\n')).toEqual([
      `${nm}\tname=eth0`,
      `${nm}\tcount=8`,
      '/etc/netplan/50.yaml\tname=enp1',
      '/etc/netplan/50.yaml\tcount=4',
      '/etc/systemd/network/10.link\tname=02:11:22:33:44:55',
      '/etc/systemd/network/10.link\tcount=16',
      '/etc/systemd/system/vf.service\tname=eth7',
      '/etc/systemd/system/vf.service\tcount=',
    ]);
  });

  it('counts vectors, errors and reserved regions without a process for each', async () => {
    const host = await bench.host();
    for (const [address, kind] of [
      ['0000:03:00.0', 'msix'],
      ['0000:04:00.0', 'msi'],
    ]) {
      for (const irq of ['40', '41', '7'])
        await host.put(`${PCI}/${address!}/msi_irqs/${irq}`, `${kind!}\n`);
      await host.put(`${PCI}/${address!}/aer_dev_correctable`, 'RxErr 3\nTOTAL_ERR_COR 3\n');
    }
    await host.put('/sys/kernel/iommu_groups/7/reserved_regions', '0x1 0x2 direct\n0x3 0x4 msi\n');
    await host.put('/sys/kernel/iommu_groups/8/reserved_regions', '0x1 0x2 direct-relaxable\n');
    expect(await ask(host, 'msi-vectors')).toBe('0000:03:00.0 3 msix\n0000:04:00.0 3 msi');
    expect(await ask(host, 'aer')).toBe(
      '0000:03:00.0/aer_dev_correctable:TOTAL_ERR_COR 3\n0000:04:00.0/aer_dev_correctable:TOTAL_ERR_COR 3',
    );
    expect(await ask(host, 'reserved-regions')).toBe('7/reserved_regions:0x1 0x2 direct');
  });

  it('has nothing to say where there is nothing', async () => {
    const host = await bench.host();
    for (const query of ['msi-vectors', 'aer', 'reserved-regions', 'bridge-config'] as const) {
      expect(await ask(host, query)).toBe('');
    }
    expect(await ask(host, 'guests')).toBe('');
    expect(await ask(host, 'vf-count-owners')).toBe('');
  });

  it('reads the config space of bridges and of nothing else', async () => {
    const host = await bench.host();
    await host.put(`${PCI}/0000:00:01.0/class`, '0x060400\n');
    await host.put(`${PCI}/0000:00:01.0/config`, Buffer.from([1, 0, 2, 255]));
    await host.put(`${PCI}/0000:03:00.0/class`, '0x020000\n');
    await host.put(`${PCI}/0000:03:00.0/config`, 'endpoint');
    const bytes = Buffer.from((await ask(host, 'bridge-config'))!, 'base64');
    expect(bytes.toString('latin1')).toBe(
      `==> ${PCI}/0000:00:01.0/config <==\n\u0001\u0000\u0002\u00ff`,
    );
  });

  it('asks for routes with the addresses of the connection, and of nothing that is no address', async () => {
    const host = await bench.host();
    await host.program('ip', { printsArguments: true });
    const words = (text: string | undefined) => text?.replaceAll(/[<>\s]+/g, ' ').trim();
    const connection = (await ask(host, 'ssh-connection'))!.split(' ');
    expect(words(await ask(host, 'ssh-route'))).toBe(
      `-j route get ${connection[0]!} from ${connection[2]!}`,
    );
    expect(words(await ask(host, 'default-routes'))).toBe(
      '-j -4 route show table all default -j -6 route show table all default',
    );
    const folder = '/sys/class/iscsi_connection';
    for (const [at, address] of ['10.0.0.9', 'fe80::1', '10.0.0.9', '$(reboot)', '-x'].entries())
      await host.put(`${folder}/connection${at}:0/persistent_address`, `${address}\n`);
    await host.put(
      '/proc/self/mountinfo',
      '30 1 0:5 / /a rw - nfs 10.0.0.5:/x rw,addr=10.0.0.5\n31 1 0:6 / /b rw - ceph 10.0.0.6:6789:/ rw\n',
    );
    const routes = words(await ask(host, 'storage-routes'))!;
    expect(routes).toMatch(/10\.0\.0\.5 -j route get 10\.0\.0\.5 .*10\.0\.0\.6 -j/);
    expect(routes).toContain('10.0.0.9 -j route get 10.0.0.9 fe80::1 -j route get fe80::1');
    expect(routes).not.toContain('reboot');
    expect(routes.match(/get 10\.0\.0\.9/g)).toHaveLength(1);
  });

  it('tells each file system once, and none that has no storage', async () => {
    const host = await bench.host();
    const line = (number: string, point: string, type: string) =>
      `30 1 ${number} / ${point} rw shared:1 - ${type} x rw`;
    const root = line('8:1', '/', 'ext4');
    const lines = [
      line('0:20', '/proc', 'proc'),
      root,
      line('8:1', '/var/bind', 'ext4'),
      line('0:40', '/var/lib/docker/overlay2/x', 'overlay'),
      line('0:41', '/var', 'overlay'),
      line('0:42', '/data', 'zfs'),
    ];
    await host.put('/proc/self/mountinfo', `${lines.join('\n')}\n`);
    expect(await ask(host, 'mounts')).toBe([root, lines[4], lines[5]].join('\n'));
  });

  it('lists an initramfs, and says when it cannot', async () => {
    const host = await bench.host();
    const listing = 'bin/sh\nusr/lib/udev/rules.d/70-vfleet-0000:03:00.0.rules\n';
    await host.put('/boot/initrd.img-6.1', listing);
    await host.put('/boot/initrd.img-6.0', '');
    await host.put('/boot/initrd.img-6.1.bak', listing);
    await host.program('lsinitramfs', {});
    await host.program('update-initramfs', {});
    await host.put('/usr/local/bin/lsinitramfs', '#!/bin/sh\ncat "$1"; grep -q . "$1"\n');
    expect(await ask(host, 'initramfs')).toBe(
      'maker initramfs-tools\nunreadable /boot/initrd.img-6.0\nimage /boot/initrd.img-6.1\n' +
        'usr/lib/udev/rules.d/70-vfleet-0000:03:00.0.rules',
    );
  });

  it('lists an initramfs of dracut by lsinitrd, but none that it shows a part of only', async () => {
    const host = await bench.host();
    const head = (image: string) => `Image: ${image}: 18M\n====\n`;
    const version =
      'Version: dracut-057-88.git20250311.el9\n\nArguments: -f\n\ndracut modules:\nvfleet\n====\n';
    const row = (name: string) =>
      `-rw-r--r--   1 root     root        34481 Nov 16 10:17 ${name}\n`;
    const driver = 'usr/lib/modules/5.14.0/kernel/drivers/vfio/pci/vfio-pci.ko.xz';
    const whole = `${head('w')}${version}${row('etc/modprobe.d/vfleet.conf')}${row(driver)}====\n`;
    const squashed = `${head('s')}${version}${row('squash-root.img')}====\n`;
    const content = `Squashed content (squash-root.img):\n====\n-rw-r--r-- root/root 60 2026-11-25 20:34 squashfs-root/etc/modprobe.d/vfleet.conf\n`;
    const images = {
      '5.14.0-1': whole,
      '5.14.0-2': `${head('early')}Early CPIO image\n====\n${row('early_cpio')}====\n`,
      '5.14.0-3': squashed,
      '5.14.0-4': squashed + content,
      '5.14.0-1kdump': whole,
      '0-rescue-ffffffffffffffffffffffffffffffff': whole,
    };
    for (const [release, text] of Object.entries(images)) {
      await host.put(`/boot/initramfs-${release}.img`, text);
    }
    await host.put('/boot/0123456789abcdef0123456789abcdef/5.14.0-5/initrd', whole);
    await host.program('dracut', {});
    await host.program('lsinitrd', {});
    await host.put('/usr/local/bin/lsinitrd', '#!/bin/sh\ncat "$1"\n');
    expect((await ask(host, 'initramfs'))?.split('\n')).toEqual([
      'maker dracut',
      'image /boot/initramfs-5.14.0-1.img',
      'etc/modprobe.d/vfleet.conf',
      driver,
      'unreadable /boot/initramfs-5.14.0-2.img',
      'unreadable /boot/initramfs-5.14.0-3.img',
      'image /boot/initramfs-5.14.0-4.img',
      'etc/modprobe.d/vfleet.conf',
      'image /boot/0123456789abcdef0123456789abcdef/5.14.0-5/initrd',
      'etc/modprobe.d/vfleet.conf',
      driver,
    ]);
  });

  it('says that nothing it knows makes the images, which then nobody can list', async () => {
    const host = await bench.host();
    await host.put('/boot/initramfs-6.1.img', 'x');
    expect(await ask(host, 'initramfs')).toBe('maker none\nunreadable /boot/initramfs-6.1.img');
  });
});

describe('the queries about devices', () => {
  it('are told apart by whether they ask a device', async () => {
    const { DEVICES_PROBE, FACTS_PROBE, INSPECT_PROBE } = await import('../../src/facts/probe.ts');
    const asks = (entries: readonly object[]) =>
      JSON.stringify(entries).match(
        /hwmon|bridge-config|"initramfs"|\/rom|vpd|resource\d|\/config/g,
      );
    expect(asks(INSPECT_PROBE)).toBeNull();
    expect(asks(DEVICES_PROBE)).toBeNull();
    expect(new Set(asks(FACTS_PROBE))).toEqual(new Set(['hwmon', 'bridge-config']));
  });
});
