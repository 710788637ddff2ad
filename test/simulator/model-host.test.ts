import { afterEach, describe, expect, it } from 'vitest';
import { TRIAL_SNIPPET, trialArgsText } from '../../src/domain/drop-in.ts';
import { sha256 } from '../../src/host/wire.ts';
import type { FileWrite } from '../../src/host/port.ts';
import { readGrubenv } from '../../src/simulator/model/grub/grubenv.ts';
import { createMemoryHost, type MemoryHost } from '../../src/simulator/memory-host.ts';
import type { CreateModelHostOptions } from '../../src/simulator/model/create-model-host.ts';

const hosts: MemoryHost[] = [];
function make(options: Partial<CreateModelHostOptions> = {}): MemoryHost {
  const host = createMemoryHost({ name: 'hv1', ...options });
  hosts.push(host);
  return host;
}
afterEach(() => {
  for (const host of hosts.splice(0)) host.model.dispose();
});

const LEASE = 'r1/hv1';
const guard = (seq: number) => ({ lease: LEASE, seq, attempt: 1 });
const created = (path: string, text: string, mode = 0o644): FileWrite => ({
  path,
  expect: null,
  content: Buffer.from(text),
  mode,
});
const deadlineMs = 5000;

async function takeLease(host: MemoryHost): Promise<void> {
  await host.write({
    files: [created('/var/lib/vfleet/lease', `id=${LEASE}\n`)],
    deadlineMs,
  });
}

const run = (host: MemoryHost, ...argv: [string, ...string[]]) => host.run({ argv, deadlineMs });
const cmdline = (host: MemoryHost) => host.model.tree.text('/proc/cmdline')!.trim();
const bootId = (host: MemoryHost) => host.model.tree.text('/proc/sys/kernel/random/boot_id')!;
const groupTypes = (host: MemoryHost) =>
  host.model.tree
    .glob('/sys/kernel/iommu_groups/*/type')
    .map((path) => host.model.tree.text(path)!.trim());

/** Goes down by the host's own reboot and comes back. */
async function rebooted(host: MemoryHost): Promise<void> {
  const down = new Promise<void>((resolve) => {
    const off = host.model.onPower((power) => {
      if (power === 'up') return;
      off();
      resolve();
    });
  });
  await run(host, 'systemctl', '--no-block', 'reboot');
  await down;
  await host.model.whenUp();
}

async function installTrial(host: MemoryHost, add: readonly string[]): Promise<void> {
  await takeLease(host);
  await host.write({
    guard: guard(1),
    files: [
      created('/var/lib/vfleet/trial.args', trialArgsText({ add, drop: ['intel_iommu=off'] })),
      created('/var/lib/vfleet/trial.id', 't1\n'),
      created('/etc/grub.d/42_vfleet_trial', TRIAL_SNIPPET, 0o755),
    ],
    deadlineMs,
  });
  expect((await run(host, 'update-grub')).code).toBe(0);
  expect((await run(host, 'grub-reboot', 'vfleet-trial')).code).toBe(0);
}

describe('a model host', () => {
  it('shows the IOMMU that its line, vendor and firmware amount to', () => {
    const type = (options: Partial<CreateModelHostOptions>) => groupTypes(make(options))[0];
    expect(type({ kernelArgs: [] })).toBe('DMA');
    expect(type({ kernelArgs: ['intel_iommu=off'] })).toBeUndefined();
    expect(type({ kernelArgs: ['intel_iommu=off', 'intel_iommu=on', 'iommu=pt'] })).toBe(
      'identity',
    );
    expect(type({ kernelArgs: ['iommu=pt', 'iommu=nopt'] })).toBe('DMA');
    expect(type({ iommuFirmware: false })).toBeUndefined();
    expect(type({ cpu: 'amd', kernelArgs: ['amd_iommu=on'] })).toBe('DMA');
    expect(type({ cpu: 'amd', kernelArgs: ['amd_iommu=off'] })).toBeUndefined();
    expect(type({ os: 'ubuntu-24.04', kernelArgs: [] })).toBe('DMA-FQ');
  });

  it('boots a trial entry once, clears the one-shot, and is back on the default after one more reboot', async () => {
    const host = make({ kernelArgs: ['intel_iommu=off'] });
    const [before, boot] = [cmdline(host), bootId(host)];
    await installTrial(host, ['intel_iommu=on', 'iommu=pt']);
    await rebooted(host);
    expect(bootId(host)).not.toBe(boot);
    expect(cmdline(host)).toMatch(/ quiet intel_iommu=on iommu=pt panic=30 .*vfleet\.trial=t1$/);
    expect(new Set(groupTypes(host))).toEqual(new Set(['identity']));
    expect(host.model.tree.names('/sys/class/iommu')).toEqual(['dmar0']);
    expect(
      readGrubenv(host.model.tree.bytes('/boot/grub/grubenv'))!.variables.get('next_entry'),
    ).toBe('');
    await rebooted(host);
    expect(cmdline(host)).toBe(before);
    expect(groupTypes(host)).toEqual([]);
  });

  it('returns by itself on the old line when the trial line panics', async () => {
    const host = make({ kernelArgs: [] });
    const before = cmdline(host);
    await installTrial(host, ['initcall_blacklist=populate_rootfs']);
    await rebooted(host);
    expect(cmdline(host)).toBe(before);
    expect(
      host.model.log.entries.filter((it) => it.verb === 'kernel').map((it) => it.effect),
    ).toEqual(['going down', 'panic', 'up']);
  });

  it('repeats a one-shot that GRUB cannot clear, as on LVM', async () => {
    const host = make({ kernelArgs: ['intel_iommu=off'], bootAbstraction: 'lvm' });
    await installTrial(host, ['intel_iommu=on']);
    await rebooted(host);
    await rebooted(host);
    expect(cmdline(host)).toContain('vfleet.trial=t1');
  });

  it('never returns from a line that panics without panic=, until it is power-cycled onto another', async () => {
    const host = make({ kernelArgs: [] });
    const { model } = host;
    const good = model.tree.bytes('/boot/grub/grub.cfg')!;
    const defaults = model.tree.text('/etc/default/grub')!;
    model.tree.put('/etc/default/grub', defaults.replace('quiet', 'rdinit=/nope'));
    await run(host, 'update-grub');
    await run(host, 'systemctl', 'reboot');
    await expect.poll(() => model.log.entries.at(-1)?.effect).toBe('panic');
    await expect(run(host, 'true')).rejects.toMatchObject({ code: 'ssh.refused' });
    model.tree.put('/boot/grub/grub.cfg', good);
    await model.powerCycle();
    expect(cmdline(host)).toMatch(/ quiet$/);
  });

  it('forgets its running guests over a reboot and keeps its files', async () => {
    const host = make({ guests: ['web1'] });
    await takeLease(host);
    expect(host.model.tree.names('/run/libvirt/qemu')).toEqual(['web1.pid', 'web1.xml']);
    await rebooted(host);
    expect(host.model.tree.names('/run/libvirt/qemu')).toEqual([]);
    expect(host.model.tree.text('/var/lib/vfleet/lease')).toBe(`id=${LEASE}\n`);
  });

  it('loses the commands under way when it goes down', async () => {
    const host = make();
    const sleeping = run(host, 'sleep', '4');
    await run(host, 'systemctl', 'reboot');
    await expect(sleeping).rejects.toMatchObject({ code: 'host.outcome-unknown' });
  });

  it('keeps grubenv at 1024 bytes and lists what was set', async () => {
    const host = make();
    expect(host.model.tree.bytes('/boot/grub/grubenv')).toBeUndefined();
    await run(host, 'grub-editenv', '/boot/grub/grubenv', 'set', 'next_entry=x', 'saved_entry=y');
    await run(host, 'grub-editenv', '/boot/grub/grubenv', 'unset', 'next_entry');
    const block = host.model.tree.bytes('/boot/grub/grubenv')!;
    expect(block).toHaveLength(1024);
    expect(Buffer.from(block).toString()).toMatch(
      /^# GRUB Environment Block\n# WARNING.*\nsaved_entry=y\n#+$/,
    );
    const listed = await run(host, 'grub-editenv', '/boot/grub/grubenv', 'list');
    expect(listed.stdout).toBe('saved_entry=y\n');
  });

  it('answers for units, and says loudly what it does not have', async () => {
    const host = make({ units: { nginx: 'failed' } });
    expect(await run(host, 'systemctl', 'is-active', 'libvirtd.service')).toMatchObject({
      code: 0,
      stdout: 'active\n',
    });
    expect(await run(host, 'systemctl', 'is-active', 'nginx')).toMatchObject({
      code: 3,
      stdout: 'failed\n',
    });
    expect(await run(host, 'mkfs', '/dev/sda')).toMatchObject({ kind: 'not-found', code: 127 });
    expect(host.model.complaints).toEqual(['the model has no program mkfs /dev/sda']);
  });

  it('notes each change once, and nothing for reads and for a repeated write', async () => {
    const host = make();
    await host.read({ entries: [{ kind: 'file', glob: '/etc/*' }], deadlineMs });
    expect(host.model.log.changes()).toEqual([]);
    await takeLease(host);
    await takeLease(host);
    expect(host.model.log.changesOf('/var/lib/vfleet/lease')).toBe(1);
  });

  it('keeps what was there under its digest before it replaces a file', async () => {
    const host = make();
    await takeLease(host);
    const old = Buffer.from(`id=${LEASE}\n`);
    await host.write({
      guard: guard(1),
      files: [{ path: '/var/lib/vfleet/lease', expect: sha256(old), content: null }],
      deadlineMs,
    });
    expect(host.model.tree.text(`/var/lib/vfleet/before/${sha256(old)}`)).toBe(old.toString());
  });

  it('makes the same host from the same seed, and another from another', () => {
    const ids = (seed: number) => {
      const { tree } = make({ seed }).model;
      return [tree.text('/etc/machine-id'), tree.text('/proc/cmdline')];
    };
    expect(ids(1)).toEqual(ids(1));
    expect(ids(1)[0]).not.toBe(ids(2)[0]);
  });
});
