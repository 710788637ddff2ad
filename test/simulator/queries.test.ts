import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryHost } from '../../src/simulator/memory-host.ts';
import { answerQuery } from '../../src/simulator/model/queries.ts';
import type { QueryName } from '../../src/facts/snapshot.ts';

const FILES: Readonly<Record<string, string>> = {
  '/etc/NetworkManager/system-connections/sriov.nmconnection':
    '[connection]\ninterface-name=enp59s0f0\n# total-vfs=9\n[sriov]\ntotal-vfs=4\n[wifi]\npsk=s3cret\n',
  '/etc/netplan/50-sriov.yaml':
    'network:\n  ethernets:\n    enp59s0f0:\n      virtual-function-count: 4\n    other:\n      dhcp4: true\n      virtual-function-count: "0"\n',
  '/etc/systemd/network/10-vfs.link':
    '[Match]\nOriginalName=eno*\n[Link]\nSR-IOVVirtualFunctions=2\n',
  '/etc/rc.local': '#!/bin/sh\necho 3 >/sys/class/net/eth1/device/sriov_numvfs\n',
  '/etc/udev/rules.d/60-vfs.rules': 'KERNEL=="0000:03:00.0", ATTR{sriov_numvfs}="3"\n',
  '/etc/udev/rules.d/70-vfleet-0000:3b:00.0.sh': 'sriov_numvfs\n',
  '/etc/libvirt/qemu/odd.xml':
    "<domain type='kvm'><name>odd</name><!-- <hostdev> -->\n<description><![CDATA[<vcpu>9</vcpu>]]></description><vcpu\n placement='static'>2</vcpu><devices><graphics passwd='s3cret'/><hostdev type='pci' managed=yes><source/></hostdev></devices></domain>\n",
};

const script = readFile(new URL('../../src/host/scripts/devices.sh', import.meta.url), 'utf8');

/** What the real script's function of a query prints of files below a folder. */
async function byScript(name: string, folder: string): Promise<string> {
  const body =
    new RegExp(`^${name}\\(\\) \\{\\n[\\s\\S]*?^\\}\\n`, 'm').exec(await script)?.[0] ?? '';
  const moved = body.replace(
    /(?<=[\s'(])\/(?=etc\/|run\/|lib\/|usr\/lib\/|proc\/self)/g,
    `${folder}/`,
  );
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    `set -u\nIFS=\n${moved}\n${name}`,
  ]);
  return stdout.replaceAll(folder, '').replace(/\n+$/, '');
}

describe('a query of the model', () => {
  const host = createMemoryHost({
    name: 'hv1',
    files: FILES,
    guests: [{ name: 'web', hostdevs: [{ address: '0000:5e:00.0' }], password: 's3cret' }],
  });
  const { tree } = host.model;
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vfleet-queries-'));
    for (const [path, node] of tree.leaves()) {
      if (!/^\/(etc|run|proc\/self)\//.test(path) || node.kind !== 'file') continue;
      await mkdir(dirname(folder + path), { recursive: true });
      await writeFile(folder + path, node.bytes);
    }
  });
  afterAll(async () => {
    host.model.dispose();
    await rm(folder, { recursive: true });
  });

  it.each<[QueryName, string]>([
    ['guests', 'guests'],
    ['vf-count-owners', 'vf_count_owners'],
    ['mounts', 'mounts'],
  ])('answers %s as the script does', async (query, name) => {
    const answer = answerQuery(query, host.model, undefined)?.output;
    expect(answer?.split('\n').length).toBeGreaterThan(1);
    expect(answer).not.toContain('s3cret');
    expect(answer).toBe(await byScript(name, folder));
  });
});
