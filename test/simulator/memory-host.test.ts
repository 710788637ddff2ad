import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { INSPECT_PROBE } from '../../src/facts/probe.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import type { Snapshot } from '../../src/facts/snapshot.ts';
import { createMemoryDirectory, createMemoryHost } from '../../src/simulator/memory-host.ts';
import type { Fault } from '../../src/simulator/model/faults.ts';

const deadlineMs = 1000;
const inspect = { entries: INSPECT_PROBE, deadlineMs };
const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/debian-12/${name}`, import.meta.url)));

/** The part of a lab machine that its boot loader is driven by. */
const LAB: Snapshot = {
  files: new Map<string, Uint8Array>([
    ['/boot/grub/grub.cfg', fixture('grub.cfg')],
    ['/boot/grub/grubenv', fixture('grubenv')],
    ['/etc/default/grub', fixture('default-grub')],
    ['/boot/vmlinuz-6.1.0-56-amd64', new Uint8Array()],
    ['/proc/sys/kernel/random/boot_id', Buffer.from('bb125078-dc56-4c19-8a00-20167914c78b\n')],
  ]),
  links: new Map(),
  dirs: new Map([
    ['/sys/firmware/acpi/tables', ['APIC', 'DMAR']],
    ['/etc/default/grub.d', []],
  ]),
  queries: new Map([['grub-probe-fs', { code: 0, output: 'ext2' }]]),
};

describe('an in-memory host', () => {
  it('is read as the machine that it was made to be', async () => {
    const host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
    const facts = parseFacts(await host.read(inspect));
    expect(facts).toMatchObject({
      hostname: 'hv1',
      os: { id: 'debian', versionId: '12' },
      cpu: { vendor: 'intel', virtualization: true },
      firmware: { dmar: true, ivrs: false },
      iommu: { units: [], groups: [] },
      root: true,
      kvm: true,
      qemu: true,
      bootLoader: { supported: true, oneShot: { safe: true } },
    });
    expect(facts.runningArgs).toContain('intel_iommu=off');
    const amd = createMemoryHost({ name: 'hv2', cpu: 'amd', os: 'ubuntu-24.04', qemu: false });
    expect(parseFacts(await amd.read(inspect))).toMatchObject({
      os: { id: 'ubuntu', versionId: '24.04' },
      cpu: { vendor: 'amd', virtualization: true },
      firmware: { dmar: false, ivrs: true },
      iommu: { units: ['ivhd0'] },
      qemu: false,
      bootLoader: { supported: true },
    });
  });

  it('loads what was read of a real machine, and boots it', async () => {
    const host = createMemoryHost({ name: 'lab', snapshot: LAB });
    const before = (await host.read(inspect)).files;
    expect(before.get('/boot/grub/grub.cfg')).toEqual(Buffer.from(fixture('grub.cfg')));
    await host.model.powerCycle();
    const facts = parseFacts(await host.read(inspect));
    expect(facts.runningArgs.slice(1)).toEqual([
      'ro',
      'console=ttyS0',
      'no_timer_check',
      'intel_iommu=off',
      'quiet',
    ]);
    expect(facts.bootId).not.toBe('bb125078-dc56-4c19-8a00-20167914c78b');
  });

  it.each<[Fault, string]>([
    [{ kind: 'refuses' }, 'ssh.refused'],
    [{ kind: 'stalls' }, 'ssh.timeout'],
    [{ kind: 'stalls', at: 'command' }, 'ssh.timeout'],
    [{ kind: 'wrong-host-key' }, 'ssh.host-key-changed'],
    [{ kind: 'no-sudo' }, 'host.no-sudo'],
    [{ kind: 'garbage' }, 'host.garbage'],
    [{ kind: 'drops', when: 'after' }, 'ssh.closed'],
    [{ kind: 'slow', latencyMs: 2000 }, 'ssh.timeout'],
  ])('fails as the same fault fails over SSH: %o', async (fault, code) => {
    const host = createMemoryHost({ name: 'hv1', faults: [fault] });
    await expect(host.read(inspect)).rejects.toMatchObject({ code });
    host.model.repair();
    expect((await host.read(inspect)).files.size).toBeGreaterThan(5);
  });

  it('is found by its name in a directory, which knows no other', async () => {
    const host = createMemoryHost({ name: 'hv1' });
    const directory = createMemoryDirectory([host]);
    const at = (name: string) => ({ name, address: name, port: 22, user: 'admin' });
    expect(directory.host(at('hv1'))).toBe(host);
    expect(() => directory.host(at('hv2'))).toThrow('hv2');
    await directory.close();
  });
});
