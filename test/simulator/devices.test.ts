import { afterEach, describe, expect, it } from 'vitest';
import { MODPROBE_PATH, rulePath, scriptPath, TMPFILES_PATH } from '../../src/domain/own-files.ts';
import { bindRule, vfsRule, vfsScript } from '../../src/domain/udev-files.ts';
import { parseDevices } from '../../src/facts/devices/parse-devices.ts';
import { FACTS_PROBE } from '../../src/facts/probe.ts';
import { createMemoryHost, type MemoryHost } from '../../src/simulator/memory-host.ts';
import type { CreateModelHostOptions } from '../../src/simulator/model/create-model-host.ts';
import { manyFunctions } from '../../src/simulator/model/pci/default-devices.ts';
import { rebootModel } from './support/reboot-model.ts';

const NIC = '0000:3b:00.0';
const DISK = '0000:5e:00.0';
const A_NIC = { address: NIC, vendor: '8086', device: '1592' };
const A_DISK = { address: DISK, vendor: '144d', device: 'a824' };
const GPU = '0000:65:00.0';
const AUDIO = '0000:65:00.1';
const PCI = '/sys/bus/pci/devices';
const LEASE = 'r1/hv1';

const hosts: MemoryHost[] = [];
function make(options: Partial<CreateModelHostOptions> = {}): MemoryHost {
  const host = createMemoryHost({ name: 'hv1', ...options });
  host.model.tree.put('/var/lib/vfleet/lease', `id=${LEASE}\n`);
  hosts.push(host);
  return host;
}
afterEach(() => {
  for (const host of hosts.splice(0)) host.model.dispose();
});

let seq = 0;
const guard = () => ({ lease: LEASE, seq: (seq += 1), attempt: 1 });
const run = (host: MemoryHost, ...argv: [string, ...string[]]) =>
  host.run({ guard: guard(), argv, deadlineMs: 5000 });
async function poke(host: MemoryHost, path: string, value: string, timeoutMs = 50) {
  const writes = [{ path, value, timeoutMs }];
  const [outcome] = await host.poke({ guard: guard(), writes, deadlineMs: 5000 });
  return outcome;
}
const fn = ({ model }: MemoryHost, address: string) => model.kernel.bus.at(address)!;
const write = ({ model }: MemoryHost, path: string, value: string) =>
  model.kernel.write(model.tree.real(path) ?? path, `${value}\n`);
const saying = (words: string): string => expect.stringContaining(words) as string;
const failed = (words: string) => ({ kind: 'failed', message: saying(words) });

describe('the model kernel', () => {
  it('shows a host of which facts can trace every use', async () => {
    const snapshot = await make().read({ entries: FACTS_PROBE, deadlineMs: 5000 });
    const { functions, groups, unresolved } = parseDevices(snapshot);
    expect(unresolved).toEqual([]);
    const used = functions.flatMap(({ address, uses: [use] }) =>
      use ? `${address} ${use.kind}` : [],
    );
    expect(used).toEqual([
      '0000:01:00.0 root-disk',
      '0000:03:00.0 ssh-route',
      '0000:05:00.0 boot-vga',
    ]);
    expect(groups.filter(({ members }) => members.length > 1).map((it) => it.members)).toEqual([
      ['0000:00:1f.0', '0000:00:1f.4'],
      [GPU, AUDIO],
    ]);
    expect(functions.find(({ address }) => address === NIC)).toMatchObject({
      parents: ['0000:00:04.0'],
      driver: 'ice',
      numaNode: 0,
      net: ['enp59s0f0'],
      sriov: { total: 64, count: 0, autoprobe: true },
      names: { vendor: 'Intel Corporation' },
    });
    expect(functions.find(({ address }) => address === '0000:00:04.0')?.acs).toBe(true);
  });

  it('shows 200 functions within a second', async () => {
    const host = make({ devices: manyFunctions(182) });
    const start = performance.now();
    const snapshot = await host.read({ entries: FACTS_PROBE, deadlineMs: 5000 });
    expect(parseDevices(snapshot).functions).toHaveLength(200);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('numbers VFs by offset and stride', async () => {
    const host = make();
    await poke(host, `${PCI}/${NIC}/sriov_numvfs`, '10');
    await poke(host, `${PCI}/0000:3b:00.1/sriov_numvfs`, '1');
    const links = [0, 7, 8].map((at) => host.model.tree.at(`${PCI}/${NIC}/virtfn${at}`, false));
    expect(links).toEqual([
      { kind: 'link', target: '../0000:3b:02.0' },
      { kind: 'link', target: '../0000:3b:02.7' },
      { kind: 'link', target: '../0000:3b:03.0' },
    ]);
    expect(fn(host, '0000:3b:0a.0').physfn?.address).toBe('0000:3b:00.1');
  });

  it('answers DRIVER/bind and unbind as the real one does', async () => {
    const host = make();
    await run(host, 'modprobe', 'vfio-pci');
    const bind = (driver: string, address: string) =>
      write(host, `/sys/bus/pci/drivers/${driver}/bind`, address);
    expect(bind('ice', NIC)).toEqual({ error: 'Device or resource busy' });
    expect(bind('vfio-pci', NIC)).toEqual({ error: 'No such device' });
    const wrong = write(host, '/sys/bus/pci/drivers/nvme/unbind', NIC);
    expect(wrong).toEqual({ error: 'No such device' });
    await poke(host, `${PCI}/${NIC}/sriov_drivers_autoprobe`, '0');
    await poke(host, `${PCI}/${NIC}/sriov_numvfs`, '1');
    expect(bind('iavf', '0000:3b:02.0')).toEqual({ error: 'No such device' });
    expect(write(host, `${PCI}/${NIC}/numa_node`, '1')).toBeUndefined();
  });

  it('takes nothing to vfio-pci while the IOMMU is off', async () => {
    const host = make({ kernelArgs: ['intel_iommu=off'] });
    expect(await run(host, 'modprobe', 'vfio-pci')).toMatchObject({ code: 0 });
    await poke(host, `${PCI}/${DISK}/driver_override`, 'vfio-pci');
    await poke(host, `${PCI}/${DISK}/driver/unbind`, DISK);
    expect(await poke(host, '/sys/bus/pci/drivers_probe', DISK)).toMatchObject({ kind: 'done' });
    expect(fn(host, DISK)).toMatchObject({ driver: null, group: undefined });
  });

  it('shows VFIO’s nodes of the groups that it has', () => {
    const host = make();
    expect(host.model.tree.names('/dev/vfio')).toEqual(['vfio']);
    host.model.kernel.override(fn(host, DISK), 'vfio-pci');
    expect(host.model.tree.names('/dev/vfio')).toEqual([String(fn(host, DISK).group), 'vfio']);
  });

  it('binds by ids where modprobe.d says so, also from an initramfs, and not what is blacklisted', async () => {
    const host = make({
      files: {
        [MODPROBE_PATH]:
          'options vfio-pci ids=8086:1592 disable_idle_d3=1\nsoftdep ice pre: vfio-pci\nblacklist snd_hda_intel\n',
      },
    });
    expect(fn(host, NIC)).toMatchObject({ driver: 'ice' });
    expect(fn(host, AUDIO).driver).toBeNull();
    expect(await run(host, 'modprobe', fn(host, AUDIO).modalias)).toMatchObject({ code: 0 });
    expect(host.model.kernel.modules.loaded.has('snd_hda_intel')).toBe(false);
    expect(await run(host, 'update-initramfs', '-u', '-k', 'all')).toMatchObject({ code: 0 });
    const { stdout } = await run(host, 'lsinitramfs', '/boot/initrd.img-6.1.0-56-amd64');
    expect(stdout).toContain('etc/modprobe.d/vfleet.conf\n');
    expect(stdout).toContain('/kernel/drivers/vfio/pci/vfio-pci.ko\n');
    host.model.tree.remove(MODPROBE_PATH);
    await rebootModel(host.model);
    // The image is what counts where it holds the native driver.
    expect(fn(host, NIC)).toMatchObject({ driver: 'vfio-pci', override: null });
    expect(fn(host, AUDIO).driver).toBe('snd_hda_intel');
  });

  it('reserves hugepages by its line and tmpfiles.d, and gives fewer without a word', async () => {
    const pages = (size: number, node: number) =>
      `/sys/devices/system/node/node${node}/hugepages/hugepages-${size}kB/nr_hugepages`;
    const host = make({
      kernelArgs: ['hugepagesz=1G', 'hugepages=0:3,1:1', 'hugepagesz=2M', 'hugepages=10'],
      files: { [TMPFILES_PATH]: `w ${pages(2048, 1)} - - - - 64\n` },
      faults: [{ kind: 'pages-scarce', sizeKiB: 1048576, pages: 6 }],
    });
    const { tree } = host.model;
    const counts = [pages(1048576, 0), pages(1048576, 1), pages(2048, 0), pages(2048, 1)];
    expect(counts.map((path) => tree.text(path))).toEqual(['3\n', '1\n', '5\n', '64\n']);
    expect(await poke(host, pages(1048576, 1), '100')).toMatchObject({ kind: 'done' });
    expect(tree.text(pages(1048576, 1))).toBe('3\n');
    const all = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';
    expect(tree.text(all)).toBe('69\n');
    await poke(host, all, '71');
    expect(counts.map((path) => tree.text(path)).slice(2)).toEqual(['6\n', '65\n']);
    expect(await poke(host, all, 'many')).toMatchObject(failed('Invalid argument'));
  });

  it('obeys driverctl’s files at a boot, and not again for VFs that are made anew', async () => {
    const host = make({ driverctl: true });
    expect(await run(host, 'driverctl', 'set-override', DISK, 'vfio-pci')).toMatchObject({
      code: 0,
    });
    expect(fn(host, DISK)).toMatchObject({ driver: 'vfio-pci', override: 'vfio-pci' });
    const vf = '0000:3b:02.0';
    host.model.tree.put(`/etc/driverctl.d/pci-${vf}`, 'vfio-pci\n');
    await rebootModel(host.model);
    expect(fn(host, DISK).driver).toBe('vfio-pci');
    await poke(host, `${PCI}/${NIC}/sriov_numvfs`, '1');
    expect(fn(host, vf).driver).toBe('vfio-pci');
    await poke(host, `${PCI}/${NIC}/sriov_numvfs`, '0');
    await poke(host, `${PCI}/${NIC}/sriov_numvfs`, '1');
    expect(fn(host, vf)).toMatchObject({ driver: 'iavf', override: null });
    await run(host, 'driverctl', 'unset-override', DISK);
    expect(fn(host, DISK)).toMatchObject({ driver: 'nvme', override: null });
    expect(await run(make(), 'driverctl', 'list-overrides')).toMatchObject({ kind: 'not-found' });
  });

  it('makes the VFs again when the driver of their PF is bound anew', async () => {
    const host = make();
    const { tree } = host.model;
    tree.put(rulePath(NIC), vfsRule(A_NIC));
    tree.put(
      scriptPath(NIC),
      vfsScript({ pf: NIC, count: 2, vfs: [{ driver: 'vfio-pci' }, { driver: 'native' }] }),
    );
    await poke(host, `${PCI}/${NIC}/driver/unbind`, NIC);
    expect(fn(host, NIC).vfs).toEqual([]);
    await poke(host, '/sys/bus/pci/drivers_probe', NIC);
    expect(fn(host, NIC).vfs.map(({ driver }) => driver)).toEqual(['vfio-pci', 'iavf']);
  });

  it('sets VFs that were made and not set, and none without a PF that sets them', async () => {
    const vfs = (['vfio-pci', 'native'] as const).map((driver) => ({ driver, vlan: 7 }));
    const settled = async (pf: typeof A_NIC) => {
      const host = make();
      const { tree } = host.model;
      await poke(host, `${PCI}/${pf.address}/sriov_drivers_autoprobe`, '0');
      await poke(host, `${PCI}/${pf.address}/sriov_numvfs`, '2');
      tree.put(rulePath(pf.address), vfsRule(pf));
      tree.put(scriptPath(pf.address), vfsScript({ pf: pf.address, count: 2, vfs }));
      await run(host, 'udevadm', 'trigger', '--action=add', `${PCI}/${pf.address}`);
      return fn(host, pf.address);
    };
    const nic = await settled(A_NIC);
    expect(nic.net?.vfs).toMatchObject([{ vlan: 7 }, { vlan: 7 }]);
    expect(nic.vfs.map(({ driver }) => driver)).toEqual(['vfio-pci', 'iavf']);
    const disk = await settled(A_DISK);
    expect(disk).toMatchObject({ autoprobe: false });
    expect(disk.vfs.map(({ driver, override }) => [driver, override])).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  it('says loudly what it does not know in rules, modprobe.d and tmpfiles.d', () => {
    const host = make({
      files: {
        '/etc/udev/rules.d/60-mine.rules': 'KERNEL=="0000:5e:00.0", ATTR{sriov_numvfs}="3"\n',
        [rulePath(DISK)]: bindRule(A_DISK).replace('vfio-pci', 'pci-stub'),
        '/etc/modprobe.d/mine.conf': 'install nouveau /bin/true\n',
        '/etc/tmpfiles.d/mine.conf': 'd /run/mine 0755 root root -\n',
      },
    });
    const said = host.model.complaints.join('\n');
    for (const part of ['60-mine.rules', rulePath(DISK), 'install nouveau', 'd /run/mine']) {
      expect(said).toContain(part);
    }
    expect(host.model.complaints).toHaveLength(4);
  });
});
