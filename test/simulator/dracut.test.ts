import { afterEach, describe, expect, it } from 'vitest';
import { MODPROBE_PATH, MODULES_LOAD_PATH, rulePath } from '../../src/domain/own-files.ts';
import { parseListedImages } from '../../src/facts/devices/initramfs.ts';
import { INITRAMFS_PROBE } from '../../src/facts/probe.ts';
import { createMemoryHost, type MemoryHost } from '../../src/simulator/memory-host.ts';
import { dracutContract } from '../host/contract/dracut-contract.ts';
import { Probe } from '../host/contract/kernel-host.ts';
import { rebootModel } from './support/reboot-model.ts';

/** dracut 059 as it was seen on Debian 12, and as dracut.conf(5) and its modules 90kernel-modules and 00systemd say. */
let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

const RELEASE = '6.1.0-56-amd64';
const IMAGE = `/boot/initrd.img-${RELEASE}`;
const NIC = '0000:3b:00.0';
const IDS = 'options vfio-pci ids=8086:1592\nsoftdep ice pre: vfio-pci\n';

function make(files: Readonly<Record<string, string>> = {}): MemoryHost {
  host = createMemoryHost({
    name: 'hv1',
    kernelArgs: ['intel_iommu=on', 'iommu=pt'],
    files: { '/usr/bin/dracut': '#!/bin/bash\n', ...files },
  });
  host.model.tree.put('/var/lib/vfleet/lease', 'id=test/dracut\n');
  return host;
}
let seq = 0;
const run = (...argv: [string, ...string[]]) =>
  host.run({
    guard: { lease: 'test/dracut', seq: (seq += 1), attempt: 1 },
    argv,
    deadlineMs: 9000,
  });
const listed = async (): Promise<string> => (await run('lsinitrd', IMAGE)).stdout;
const driver = () => host.model.kernel.bus.at(NIC)?.driver;

describe('the model of dracut', () => {
  dracutContract(() => {
    make({ '/etc/dracut.conf.d/lab.conf': 'hostonly="yes"\n' });
    const guard = () => ({ lease: 'test/dracut', seq: (seq += 1), attempt: 1 });
    const none = () => Promise.resolve();
    const functions = { nic: NIC, disk: '0000:5e:00.0', plain: '0000:65:00.0', vfs: 4 };
    return Promise.resolve(
      new Probe({ port: host, guard, ...functions, reboot: none, dispose: none }),
    );
  });

  it('makes a host-only image with modprobe.d and modules-load.d, and no udev rule', async () => {
    make({
      '/etc/dracut.conf.d/lab.conf': '# of the lab\nhostonly="yes"\n',
      [MODPROBE_PATH]: IDS,
      [MODULES_LOAD_PATH]: 'vfio_pci\n',
      [rulePath(NIC)]: '# a rule\n',
    });
    expect(await run('dracut', '-q', '--force', IMAGE, RELEASE)).toMatchObject({ code: 0 });
    const text = await listed();
    expect(text).toMatch(/^Version: dracut-059/m);
    expect(text).toMatch(/^-rw-r--r-- .* etc\/modprobe\.d\/vfleet\.conf$/m);
    expect(text).toMatch(/ etc\/modules-load\.d\/vfleet\.conf$/m);
    expect(text).toMatch(/\/vfio-pci\.ko$/m);
    expect(text).not.toContain('rules.d');
    const snapshot = await host.read({ entries: INITRAMFS_PROBE, deadlineMs: 9000 });
    expect(parseListedImages(snapshot)).toMatchObject({
      maker: 'dracut',
      images: [{ path: IMAGE, names: expect.arrayContaining([MODPROBE_PATH]) as string[] }],
    });
  });

  it('leaves modprobe.d of /etc out of an image for any host, so that the native driver comes first', async () => {
    make({ [MODPROBE_PATH]: IDS });
    expect(await run('dracut', '--force')).toMatchObject({ code: 0 });
    expect(await listed()).not.toContain('vfleet');
    await rebootModel(host.model);
    expect(driver()).toBe('ice');
  });

  it('puts in what it is asked for, and loads a forced driver before any other', async () => {
    make({
      [MODPROBE_PATH]: 'options vfio-pci ids=8086:1592\n',
      '/etc/dracut.conf.d/vfleet.conf': `install_optional_items+=" ${MODPROBE_PATH} /etc/none "\nforce_drivers+=" vfio-pci "\n`,
    });
    expect(await run('dracut', '--force', '--regenerate-all')).toMatchObject({ code: 0 });
    expect(await listed()).toContain('etc/modprobe.d/vfleet.conf');
    await rebootModel(host.model);
    expect(driver()).toBe('vfio-pci');
  });

  it('refuses what the real one refuses, and says what it does not know', async () => {
    make({ '/etc/dracut.conf.d/odd.conf': 'early_microcode=$(true)\n' });
    expect(await run('dracut', IMAGE, RELEASE)).toMatchObject({ code: 1 });
    const missing = await run('dracut', '--force', '/boot/initrd.img-5.10', '5.10');
    expect(missing.stderr).toContain('Cannot find module directory /lib/modules/5.10/');
    expect(await run('dracut', '--force', '--uefi')).toMatchObject({ code: 1 });
    expect(await run('lsinitrd', '/boot/none')).toMatchObject({ code: 1 });
    expect(await run('update-initramfs', '-u', '-k', 'all')).toMatchObject({ code: 127 });
    await run('dracut', '--force');
    expect(host.model.complaints.join('\n')).toContain('early_microcode');
  });

  it('is not there where it is not installed', async () => {
    make();
    host.model.tree.remove('/usr/bin/dracut');
    expect(await run('dracut', '--force')).toMatchObject({ code: 127 });
    expect(await run('lsinitrd', IMAGE)).toMatchObject({ code: 127 });
  });
});
