import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { modprobeLines } from '../../../src/simulator/model/queries/diagnose.ts';
import { FAULT_EXCERPTS, HEALTHY_EXCERPTS } from '../../domain/diagnose/excerpts/faults.ts';
import { FIRMWARE_EXCERPTS } from '../../domain/diagnose/excerpts/firmware.ts';
import { KERNEL_EXCERPTS } from '../../domain/diagnose/excerpts/kernel.ts';
import type { Excerpt } from '../../domain/diagnose/excerpts/symptoms.ts';

const script = readFile(new URL('../../../src/host/scripts/diagnose.sh', import.meta.url), 'utf8');
let folder = '';
let root = '';

/** Puts a file where the moved script looks for it. */
async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(root + path), { recursive: true });
  await writeFile(root + path, text);
}

/** A program of the host's that prints a text, or fails without one. */
async function program(name: string, text: string | undefined): Promise<void> {
  await put(`/output/${name}`, text ?? '');
  const body = text === undefined ? 'exit 1' : `cat "${root}/output/${name}"`;
  await put(`/bin/${name}`, `#!/bin/sh\n${body}\n`);
  await chmod(`${root}/bin/${name}`, 0o755);
}

/** What a function of the real script prints, and its code, with the host's files below a folder. */
async function ask(name: string): Promise<{ readonly code: number; readonly output: string }> {
  const moved = (await script).replace(
    /(?<=[\s'("<])\/(?=etc\/|run\/|lib\/|usr\/lib\/|usr\/local\/|var\/|proc\/sys)/g,
    `${root}/`,
  );
  // As read.sh has it: no separators, and each function inside $(...).
  const text = `set -u\nIFS=\n${moved}\noutput=$(${name} 2>&1 </dev/null)\nprintf '%s\\n%s' "$?" "$output"`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', text], {
    env: { PATH: `${root}/bin:/usr/bin:/bin`, LC_ALL: 'C' },
    maxBuffer: 8 * 1024 * 1024,
  });
  const at = stdout.indexOf('\n');
  return { code: Number(stdout.slice(0, at)), output: stdout.slice(at + 1).replaceAll(root, '') };
}

const FIRST = '[    0.000000] Linux version 6.1.0-26-amd64 (debian-kernel@lists.debian.org)';
const timed = (lines: readonly string[]): string =>
  [FIRST, ...lines.map((line, at) => `[${(at / 7).toFixed(6).padStart(12)}] ${line}`)].join('\n');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-diagnose-'));
});
let count = 0;
beforeEach(async () => {
  root = join(folder, String((count += 1)));
  await mkdir(root);
  await program('dmesg', undefined);
  await program('journalctl', undefined);
});
afterAll(() => rm(folder, { recursive: true }));

describe("the kernel's log as the script prints it", () => {
  const excerpts: readonly Excerpt[] = [
    ...Object.values(FIRMWARE_EXCERPTS),
    ...Object.values(KERNEL_EXCERPTS),
    ...Object.values(FAULT_EXCERPTS),
    ...Object.values(HEALTHY_EXCERPTS),
  ];

  /** Lines that no rule needs: the words below the first line of an error, and what a version says. */
  const UNNEEDED = /error status\/mask|Linux version|enabling device|resetting$/;

  it('has each line of the excerpts that a rule may need, without its time', async () => {
    const wanted = [...new Set(excerpts.flatMap(({ log = [] }) => log))];
    await program('dmesg', timed(wanted));
    const { code, output } = await ask('kernel_log');
    expect(code).toBe(0);
    const printed = output.split('\n');
    const needed = wanted.filter((line) => !UNNEEDED.test(line));
    expect(needed.filter((line) => !printed.includes(line))).toEqual([]);
    expect(needed.length).toBeGreaterThan(80);
  });

  it('has no line of which a host has hundreds, and no kernel line with what it may hold', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, at) => `pci 0000:00:00.0: Adding to iommu group ${at}`,
    );
    await program(
      'dmesg',
      timed([...lines, 'Kernel command line: iommu=pt secret=1', 'DMAR: IOMMU enabled']),
    );
    expect((await ask('kernel_log')).output.split('\n')).toEqual(['DMAR: IOMMU enabled']);
  });

  it('is the first 200 and the last 400 of too many lines, each of 300 characters at most', async () => {
    const lines = Array.from({ length: 2_000 }, (_, at) => `DMAR: line ${at} ${'x'.repeat(400)}`);
    await program('dmesg', timed(lines));
    const printed = (await ask('kernel_log')).output.split('\n');
    expect(printed).toHaveLength(600);
    expect(printed[0]).toMatch(/^DMAR: line 0 x/);
    expect(printed[199]).toMatch(/^DMAR: line 199 x/);
    expect(printed[200]).toMatch(/^DMAR: line 1600 x/);
    expect(printed[599]).toMatch(/^DMAR: line 1999 x/);
    expect(Math.max(...printed.map(({ length }) => length))).toBe(300);
  });

  it('has the ids of threads off its lines, and keeps what stands in brackets of its own', async () => {
    await program(
      'dmesg',
      `${FIRST}\n[    1.5][    T1] DMAR: x\n[    2.5] [Firmware Bug]: AMD-Vi: y`,
    );
    expect((await ask('kernel_log')).output).toBe('DMAR: x\n[Firmware Bug]: AMD-Vi: y');
  });

  it('comes from the journal when the ring buffer has lost its beginning', async () => {
    await program('dmesg', '[ 9999.5] DMAR: late');
    await program('journalctl', 'Linux version 6.1.0\nDMAR: IOMMU disabled\nDMAR: late\n');
    expect((await ask('kernel_log')).output).toBe('DMAR: IOMMU disabled\nDMAR: late');
  });

  it('is what is left of the ring buffer where there is no journal either', async () => {
    await program('dmesg', '[ 9999.5] DMAR: late');
    expect(await ask('kernel_log')).toEqual({ code: 0, output: 'DMAR: late' });
  });

  it('fails where nothing can be read, which is not the same as nothing found', async () => {
    expect((await ask('kernel_log')).code).not.toBe(0);
    await program('dmesg', FIRST);
    expect(await ask('kernel_log')).toEqual({ code: 0, output: '' });
  });
});

const QEMU_LOG = `2026-11-20 10:00:00.123+0000: starting up libvirt version: 9.0.0, package: 9.0.0-4 (Debian), qemu version: 7.2.9
LC_ALL=C \\
PATH=/usr/bin \\
/usr/bin/qemu-system-x86_64 \\
-object '{"qom-type":"secret","id":"masterKey0","data":"GEHEIM"}' \\
-vnc 127.0.0.1:0,password=GEHEIM \\
2026-11-20T10:00:01.000000Z qemu-system-x86_64: -device vfio-pci,host=0000:01:00.0,id=hostdev0: vfio 0000:01:00.0: group 15 is not viable
Please ensure all devices within the iommu_group are bound to their vfio bus driver.
qemu-system-x86_64: -object secret,id=x,data=GEHEIM: no such thing
2026-11-20 10:00:02.000+0000: shutting down, reason=failed
`;

describe('what the script asks of guests and modules', () => {
  it('tells what QEMU said, and neither its command line nor a secret', async () => {
    await put('/var/log/libvirt/qemu/edge.log', QEMU_LOG);
    await put('/var/log/libvirt/qemu/empty.log', '');
    const { output } = await ask('guest_logs');
    expect(output).not.toContain('GEHEIM');
    const lines = output.split('\n');
    expect(lines[0]).toBe('file /var/log/libvirt/qemu/edge.log');
    expect(lines[2]).toContain('group 15 is not viable');
    expect(lines[3]).toContain('data=...');
    expect(lines.slice(4)).toEqual([
      '2026-11-20 10:00:02.000+0000: shutting down, reason=failed',
      'file /var/log/libvirt/qemu/empty.log',
    ]);
  });

  it('tells denials about guests, and fails where there is no audit log', async () => {
    expect((await ask('audit_log')).code).toBe(1);
    const denial = (context: string) =>
      `type=AVC msg=audit(1700000000.1:2): avc:  denied  { read } for pid=9 comm="x" scontext=${context}`;
    await put(
      '/var/log/audit/audit.log',
      `${denial('system_u:system_r:svirt_t:s0:c1,c2')}\n${denial('system_u:system_r:httpd_t:s0')}\n`,
    );
    expect(await ask('audit_log')).toEqual({
      code: 0,
      output: denial('system_u:system_r:svirt_t:s0:c1,c2'),
    });
  });

  it('tells the modules of VFIO and KVM that the kernel has, as files or in itself', async () => {
    expect((await ask('module_files')).code).toBe(1);
    await put('/proc/sys/kernel/osrelease', '6.1.0-26-amd64\n');
    const modules = '/lib/modules/6.1.0-26-amd64';
    await put(
      `${modules}/modules.dep`,
      'kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz\nkernel/fs/ext4/ext4.ko:\n',
    );
    await put(`${modules}/modules.builtin`, 'kernel/drivers/vfio/vfio_iommu_type1.ko\n');
    expect((await ask('module_files')).output).toBe('vfio_pci\nvfio_iommu_type1');
  });

  it('tells lines of modprobe.d as the model does', async () => {
    const files: Readonly<Record<string, string>> = {
      '/etc/modprobe.d/vfio.conf':
        '# options vfio-pci ids=1\noptions vfio-pci ids=10de:1b80 disable_vga=1\noptions other x=vfio\n',
      '/etc/modprobe.d/blacklist.conf': 'blacklist nouveau\ninstall floppy /bin/true\nalias a b\n',
      '/usr/lib/modprobe.d/systemd.conf': 'options bonding max_bonds=0\n',
    };
    for (const [path, text] of Object.entries(files)) await put(path, text);
    const host = createMemoryHost({ name: 'hv1', files });
    const byModel = modprobeLines(host.model.tree);
    host.model.dispose();
    expect(byModel.split('\n')).toHaveLength(4);
    expect((await ask('modprobe_lines')).output.split('\n').sort()).toEqual(
      byModel.split('\n').sort(),
    );
  });
});
