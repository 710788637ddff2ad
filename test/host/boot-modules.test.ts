import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';

const LISTS = '/lib/modules/6.1.0-56-amd64';
const script = readFile(new URL('../../src/host/scripts/devices.sh', import.meta.url), 'utf8');

let folder = '';
afterEach(() => rm(folder, { recursive: true }));

/** What the script's own function prints, with its code, of files below a throw-away folder: no other root has /lib/modules. */
async function ask(files: Readonly<Record<string, string>>) {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-modules-'));
  for (const [path, text] of Object.entries({
    '/proc/sys/kernel/osrelease': '6.1.0-56-amd64\n',
    ...files,
  })) {
    await mkdir(dirname(folder + path), { recursive: true });
    await writeFile(folder + path, text);
  }
  const body = /^boot_modules\(\) \{\n[\s\S]*?^\}\n/m.exec(await script)?.[0] ?? '';
  const moved = body.replaceAll(/(?<=[\s=<])\/(?=etc\/|lib\/|proc\/)/g, `${folder}/`);
  const text = `set -u\nIFS=\n${moved}\nboot_modules; echo "code $?"`;
  return (await promisify(execFile)('/bin/sh', ['-c', text])).stdout;
}

const ours = {
  '/etc/modules-load.d/vfleet.conf': '# by vfleet\nnosuch\ntun\nvfio_pci\nvhost_net\n',
};
const lists = {
  [`${LISTS}/modules.builtin`]: 'kernel/drivers/vhost/vhost-net.ko\nkernel/fs/ext4/ext4.ko\n',
  [`${LISTS}/modules.dep`]:
    'kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz\nkernel/drivers/net/tun.ko:\n',
};

describe('what a host is asked about the modules of our file', () => {
  it('tells those that are part of the kernel, files, and none at all', async () => {
    expect(await ask({ ...lists, ...ours })).toBe(
      'nosuch none\ntun file\nvfio_pci file\nvhost_net builtin\ncode 0\n',
    );
  });

  it('has nothing to say without our file, and fails without the lists of the kernel', async () => {
    expect(await ask(lists)).toBe('code 0\n');
    await rm(folder, { recursive: true });
    expect(await ask(ours)).toBe('code 1\n');
  });
});
