import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryHost, type MemoryHost } from '../../src/simulator/memory-host.ts';
import type { CreateModelHostOptions } from '../../src/simulator/model/create-model-host.ts';
import { rebootModel } from './support/reboot-model.ts';

const DISK = '0000:5e:00.0';
const GPU = '0000:65:00.0';
const AUDIO = '0000:65:00.1';
const NIC = '0000:3b:00.0';
const PCI = '/sys/bus/pci/devices';

const hosts: MemoryHost[] = [];
function make(options: Partial<CreateModelHostOptions> = {}): MemoryHost {
  const host = createMemoryHost({ name: 'hv1', guests: [{ name: 'edge' }], ...options });
  host.model.tree.put('/var/lib/vfleet/lease', 'id=r1/hv1\n');
  for (const address of [DISK, GPU, NIC, '0000:0a:00.0']) {
    host.model.tree.put(`/tmp/${address}.xml`, deviceXml(address, 'no'));
  }
  hosts.push(host);
  return host;
}
afterEach(() => {
  for (const host of hosts.splice(0)) host.model.dispose();
});

function deviceXml(address: string, managed: string): string {
  const [domain, bus, slot, fn] = address.split(/[:.]/);
  return `<hostdev mode='subsystem' type='pci' managed='${managed}'>\n  <source>\n    <address domain='0x${domain}' bus='0x${bus}' slot='0x${slot}' function='0x${fn}'/>\n  </source>\n</hostdev>\n`;
}

const virsh = (host: MemoryHost, ...words: string[]) =>
  host.run({ argv: ['virsh', '-c', 'qemu:///system', ...words], deadlineMs: 5000 });
const move = (host: MemoryHost, verb: 'attach' | 'detach', address: string, ...flags: string[]) =>
  virsh(host, `${verb}-device`, 'edge', `/tmp/${address}.xml`, ...flags);
const vfio = (host: MemoryHost, address: string) =>
  host.model.kernel.override(host.model.kernel.bus.at(address)!, 'vfio-pci');
const config = (host: MemoryHost) => host.model.tree.text('/etc/libvirt/qemu/edge.xml');
const live = (host: MemoryHost) => host.model.tree.text('/run/libvirt/qemu/edge.xml');

describe('a model guest', () => {
  it('takes a device live and in its configuration, and is byte for byte as before without it', async () => {
    const host = make();
    const before = [config(host), live(host)];
    vfio(host, DISK);
    expect(await move(host, 'attach', DISK, '--live')).toMatchObject({
      code: 0,
      stdout: 'Device attached successfully\n\n',
    });
    expect(config(host)).toBe(before[0]);
    expect(live(host)).toContain("<driver name='vfio'/>");
    expect(await move(host, 'attach', DISK, '--config')).toMatchObject({ code: 0 });
    expect(config(host)).toContain(`<address type='pci' domain='0x0000' bus='0x01'`);
    expect(host.model.kernel.bus.at(DISK)?.guest).toBe('edge');
    await move(host, 'detach', DISK, '--live', '--config');
    expect([config(host), live(host)]).toEqual(before);
    expect(host.model.kernel.bus.at(DISK)).toMatchObject({ guest: undefined, driver: 'vfio-pci' });
  });

  it.each([
    [DISK, '--live', 'Unmanaged PCI device 0000:5e:00.0 must be manually detached from the host'],
    ['0000:0a:00.0', '--live', 'Device 0000:0a:00.0 not found: could not access /sys/bus/pci'],
  ])('refuses %s %s in libvirt’s words', async (address, flag, words) => {
    const outcome = await move(make(), 'attach', address, flag);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain(
      `error: Failed to attach device from /tmp/${address}.xml\nerror: `,
    );
    expect(outcome.stderr).toContain(words);
  });

  it('refuses what another guest has, what it has itself, and what it has not', async () => {
    const host = make({ guests: ['edge', { name: 'web', hostdevs: [{ address: DISK }] }] });
    expect((await move(host, 'attach', DISK, '--live')).stderr).toContain(
      'PCI device 0000:5e:00.0 is in use by driver QEMU, domain web',
    );
    await move(host, 'attach', DISK, '--config');
    expect((await move(host, 'attach', DISK, '--config')).stderr).toContain(
      'device is already in the domain configuration',
    );
    expect((await move(host, 'detach', DISK, '--live')).stderr).toContain(
      'device not found: host pci device 0000:5e:00.0 not found',
    );
    expect((await move(host, 'detach', GPU, '--config')).stderr).toContain(
      'device not found: device not present in domain configuration',
    );
    expect((await virsh(host, 'domstate', 'nosuch')).stderr).toContain(
      "failed to get domain 'nosuch'",
    );
  });

  it('gets no function of a group of which another is on its own driver', async () => {
    const host = make();
    vfio(host, GPU);
    const { stderr } = await move(host, 'attach', GPU, '--live');
    expect(stderr).toContain(
      'vfio 0000:65:00.0: group 15 is not viable\nPlease ensure all devices',
    );
    vfio(host, AUDIO);
    expect(await move(host, 'attach', GPU, '--live')).toMatchObject({ code: 0 });
  });

  it('gets nothing where interrupts are not remapped, unless that is declared harmless', async () => {
    const host = make({ interruptRemapping: false });
    vfio(host, DISK);
    expect((await move(host, 'attach', DISK, '--live')).stderr).toContain(
      'Failed to set iommu for container: Operation not permitted',
    );
    const parameter = '/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts';
    host.model.kernel.write(parameter, 'Y\n');
    expect(host.model.tree.text(parameter)).toBe('Y\n');
    expect(await move(host, 'attach', DISK, '--live')).toMatchObject({ code: 0 });
  });

  it('has no empty port for more devices while it runs, and gets one in its configuration', async () => {
    const host = make({ guests: [{ name: 'edge', ports: 0 }] });
    const before = config(host)!;
    vfio(host, DISK);
    expect((await move(host, 'attach', DISK, '--live')).stderr).toContain(
      'No more available PCI slots',
    );
    await move(host, 'attach', DISK, '--config');
    await move(host, 'detach', DISK, '--config');
    expect(config(host)).not.toBe(before);
    host.model.tree.put('/tmp/saved.xml', before);
    expect(await virsh(host, 'define', '/tmp/saved.xml')).toMatchObject({ code: 0 });
    expect(config(host)).toBe(before);
  });

  it('keeps what it does not let go of, and libvirt says that all went well', async () => {
    const host = make({ faults: [{ kind: 'guest-keeps', guest: 'edge' }] });
    vfio(host, DISK);
    await move(host, 'attach', DISK, '--live');
    expect(await move(host, 'detach', DISK, '--live')).toMatchObject({ code: 0 });
    expect(live(host)).toContain('<hostdev');
    host.model.repair('guest-keeps');
    await move(host, 'detach', DISK, '--live');
    expect(live(host)).not.toContain('<hostdev');
  });

  it('lets go of a VF that is taken away, or holds the write up until it ends', async () => {
    const poke = (host: MemoryHost, value: string) =>
      host.poke({
        guard: { lease: 'r1/hv1', seq: 1, attempt: 1 },
        writes: [{ path: `${PCI}/${NIC}/sriov_numvfs`, value, timeoutMs: 50 }],
        deadlineMs: 5000,
      });
    const host = make();
    const vf = '0000:3b:02.0';
    host.model.tree.put(`/tmp/${vf}.xml`, deviceXml(vf, 'no'));
    await poke(host, '1');
    vfio(host, vf);
    await move(host, 'attach', vf, '--live');
    expect(await poke(host, '0')).toMatchObject([{ kind: 'done' }]);
    expect(live(host)).not.toContain('<hostdev');
    await poke(host, '1');
    vfio(host, vf);
    await move(host, 'attach', vf, '--live');
    host.model.addFault({ kind: 'guest-keeps', guest: 'edge' });
    expect(await poke(host, '0')).toMatchObject([{ kind: 'hung' }]);
    await virsh(host, 'destroy', 'edge');
    expect(host.model.kernel.bus.at(NIC)?.vfs).toEqual([]);
  });

  it('gives managed devices back as libvirt does: native ones without their override', async () => {
    const host = make({ guests: [{ name: 'edge', running: false }] });
    host.model.tree.put(`/tmp/${DISK}.xml`, deviceXml(DISK, 'yes'));
    host.model.tree.put(`/tmp/${GPU}.xml`, deviceXml(AUDIO, 'yes'));
    vfio(host, AUDIO);
    vfio(host, GPU);
    host.model.kernel.bus.at(DISK)!.override = 'vfio-pci';
    await move(host, 'attach', DISK, '--config');
    await move(host, 'attach', GPU, '--config');
    expect(await virsh(host, 'start', 'edge')).toMatchObject({ code: 0 });
    expect(host.model.kernel.bus.at(DISK)).toMatchObject({ driver: 'vfio-pci', guest: 'edge' });
    await virsh(host, 'destroy', 'edge');
    expect(host.model.kernel.bus.at(DISK)).toMatchObject({ driver: 'nvme', override: null });
    expect(host.model.kernel.bus.at(AUDIO)).toMatchObject({
      driver: 'vfio-pci',
      override: 'vfio-pci',
    });
  });

  it('is pinned, and never unpinned', async () => {
    const host = make();
    expect(await virsh(host, 'vcpupin', 'edge', '1', '2-3', '--config', '--live')).toMatchObject({
      code: 0,
    });
    await virsh(host, 'vcpupin', 'edge', '0', '4', '--config');
    expect(config(host)).toContain(
      "  <cputune>\n    <vcpupin vcpu='0' cpuset='4'/>\n    <vcpupin vcpu='1' cpuset='2-3'/>\n  </cputune>\n",
    );
    await virsh(host, 'vcpupin', 'edge', '1', 'r', '--live');
    expect(live(host)).toContain("<vcpupin vcpu='1' cpuset='0-31'/>");
    expect((await virsh(host, 'vcpupin', 'edge', '0', '99', '--live')).stderr).toContain(
      "CPU 99 in cpulist '99' exceed the maxcpu 32",
    );
    expect((await virsh(host, 'vcpupin', 'edge', '9', '1', '--live')).stderr).toContain(
      'vcpu 9 is out of range of persistent cpu count 4',
    );
  });

  it('is shut off after a reboot unless it starts with the host, and says no password aloud', async () => {
    const host = make({
      guests: ['edge', { name: 'web', autostart: true, password: 's3cret', persistent: true }],
    });
    await rebootModel(host.model);
    expect((await virsh(host, 'list', '--all')).stdout).toMatch(
      /-\s+edge\s+shut off\n.*web\s+running/,
    );
    expect((await virsh(host, 'list', '--name')).stdout).toBe('web\n\n');
    const { stdout } = await virsh(host, 'dumpxml', 'web');
    expect(stdout).toContain("<graphics type='vnc'");
    expect(stdout).not.toContain('s3cret');
    const { queries } = await host.read({
      entries: [{ kind: 'query', query: 'guests' }],
      deadlineMs: 5000,
    });
    expect(queries.get('guests')?.output).not.toContain('s3cret');
  });

  it('is compared and copied on the host itself', async () => {
    const host = make();
    const run = (...argv: [string, ...string[]]) => host.run({ argv, deadlineMs: 5000 });
    const [path, copy] = ['/etc/libvirt/qemu/edge.xml', '/var/lib/vfleet/edge.xml'];
    await run('cp', '--preserve=all', '-T', '--', path, copy);
    expect(await run('cmp', '-s', '--', copy, path)).toMatchObject({ code: 0 });
    expect(await run('test', '-e', copy)).toMatchObject({ code: 0 });
    await virsh(host, 'vcpupin', 'edge', '0', '1', '--config');
    expect(await run('cmp', '-s', '--', copy, path)).toMatchObject({ code: 1 });
    const pins = ['-I', '^ *</*cputune>', '-I', "^ *<vcpupin vcpu='"];
    expect(await run('diff', '-q', ...pins, '--', copy, path)).toMatchObject({ code: 0 });
    expect(await run('diff', '-q', '--', copy, path)).toMatchObject({ code: 1 });
    await run('rm', '-f', '--', copy);
    expect(await run('test', '-e', copy)).toMatchObject({ code: 1 });
  });
});
