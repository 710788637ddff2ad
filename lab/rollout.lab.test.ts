import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryOf } from './inventory.ts';
import { startMachines, type Machine } from './machines.ts';
import { VfleetCli } from './vfleet-cli.ts';

/**
 * The rollout on real machines, by the CLI alone: real GRUB, real reboots, a real (virtual) Intel IOMMU that is off
 * when it begins. The tests are one story and run in order.
 */
let folder: string;
let vfleet: VfleetCli;
let machines: Machine[];
const before = new Map<string, string>();

const grubCfg = (machine: Machine) => machine.ssh('sudo -n cat /boot/grub/grub.cfg');
const cmdline = (machine: Machine) => machine.ssh('cat /proc/cmdline');
const units = (machine: Machine) => machine.ssh('ls /sys/class/iommu');
const groupTypes = (machine: Machine) =>
  machine.ssh('sort -u /sys/kernel/iommu_groups/*/type 2>/dev/null || true');
const left = (machine: Machine) =>
  machine.ssh(
    // vfleet's own folder is root's alone.
    "sudo -n sh -c 'ls -d /etc/default/grub.d/zz-vfleet.cfg /etc/grub.d/42_vfleet_trial /etc/motd.d /var/lib/vfleet/lease /var/lib/vfleet/trial.* /var/lib/vfleet/UNDO.txt 2>/dev/null' || true",
  );

const spec = (name: string, target: string, canary: string) => `version: 1
name: ${name}
hosts: { inventory: inventory.ini, select: hypervisors }
target:
${target}
waves:
  - { name: canary, hosts: 1, maxFailures: 0, bake: 5s, promote: ${canary} }
  - { name: fleet, upTo: 100% }
limits: { parallel: 2, maxUnavailable: 1, maxFailures: 1 }
reboot: { timeout: 10m }
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-lab-'));
  vfleet = new VfleetCli(folder);
  machines = await startMachines([{ name: 'lab-a' }, { name: 'lab-b' }]);
  await writeFile(join(folder, 'inventory.ini'), inventoryOf(machines));
  await writeFile(
    join(folder, 'enable.yaml'),
    spec(
      'enable-iommu',
      '  iommu: enabled\n  hostDma: passthrough\n  kernelArgs: { absent: [intel_iommu=off] }',
      'manual',
    ),
  );
  await writeFile(
    join(folder, 'panic.yaml'),
    // Legal, and used in real life for other functions; with this one the kernel has no initramfs and panics.
    spec(
      'panicking-line',
      '  kernelArgs: { present: [initcall_blacklist=populate_rootfs] }',
      'auto',
    ),
  );
  await vfleet.up();
});

afterAll(async () => {
  await vfleet.down();
  await Promise.all(machines.map((machine) => machine.stop()));
  await rm(folder, { recursive: true, force: true });
});

describe('a rollout on real machines', () => {
  it('begins with the IOMMU off and plans one change for each host, writing nothing', async () => {
    for (const machine of machines) {
      before.set(machine.name, (await grubCfg(machine)) + (await cmdline(machine)));
      expect((await units(machine)).trim()).toBe('');
    }
    const plan = await vfleet.run('plan', 'enable.yaml');
    expect(plan.stdout).toContain('2 to change');
    expect(plan.stdout).toContain('- intel_iommu=off');
    for (const machine of machines) {
      expect((await grubCfg(machine)) + (await cmdline(machine))).toBe(before.get(machine.name));
    }
  });

  it('boots the canary on trial, proves its IOMMU and makes the line its default', async () => {
    const started = await vfleet.run('start', 'enable.yaml', '--yes');
    expect(started.stderr + started.stdout).toContain('enable-iommu#1');
    const status = await vfleet.until(
      'enable-iommu',
      ({ phase }) => phase === 'awaiting-promotion' || phase === 'waiting',
    );
    expect(status.phase).toBe('awaiting-promotion');
    const [canary, other] = machines as [Machine, Machine];
    expect(status.hosts.find((host) => host.name === canary.name)?.state).toBe('done');
    // It still runs the trial: that one reboot is all it had.
    expect(await cmdline(canary)).toMatch(/intel_iommu=on iommu=pt panic=30 .*vfleet\.trial=/);
    expect(await cmdline(canary)).not.toContain('intel_iommu=off');
    expect((await units(canary)).trim()).toBe('dmar0');
    expect((await groupTypes(canary)).trim()).toBe('identity');
    expect(canary.boots).toHaveLength(2);
    expect(await grubCfg(canary)).not.toContain('vfleet-trial');
    expect(other.boots).toHaveLength(1);
    expect((await grubCfg(other)) + (await cmdline(other))).toBe(before.get(other.name));
  });

  it('lets the second host follow after the promotion, and ends well', async () => {
    const promoted = await vfleet.run('promote', 'enable-iommu', '--yes', '--reason', 'looks well');
    expect(promoted.code).toBe(0);
    const status = await vfleet.until('enable-iommu', ({ phase }) => phase === 'done');
    expect(status.counts.done).toBe(2);
    for (const machine of machines) {
      expect((await groupTypes(machine)).trim()).toBe('identity');
      expect(machine.boots).toHaveLength(2);
      expect(await left(machine)).toBe(
        '/etc/default/grub.d/zz-vfleet.cfg\n/var/lib/vfleet/UNDO.txt\n',
      );
    }
    expect((await vfleet.run('status', 'enable-iommu')).code).toBe(0);
  });

  it('keeps the state over a reboot that nobody asked for, and then finds nothing to do', async () => {
    const [canary] = machines as [Machine];
    const next = canary.boot(canary.boots.length);
    await canary.reset();
    await next;
    expect(await cmdline(canary)).toMatch(/ quiet intel_iommu=on iommu=pt\n$/);
    expect((await groupTypes(canary)).trim()).toBe('identity');
    const plan = await vfleet.run('plan', 'enable.yaml');
    expect(plan.stdout).toContain('2 comply already');
  });

  it('saves a capture on which the plan is the same offline', async () => {
    const saved = await vfleet.run('capture', 'lab-a', 'capture', '-i', 'inventory.ini');
    expect(saved.code).toBe(0);
    expect(existsSync(join(folder, 'capture/root/boot/grub/grub.cfg'))).toBe(true);
    expect(await readFile(join(folder, 'capture/root/proc/cmdline'), 'utf8')).toContain('iommu=pt');
    const offline = await vfleet.run('plan', 'enable.yaml', '--from', 'capture');
    expect(offline.stdout).toMatch(/compl/);
  });

  it('takes both hosts back to the old command line, byte for byte', async () => {
    const started = await vfleet.run(
      'rollback',
      'enable-iommu',
      '--all',
      '--reason',
      'lab',
      '--yes',
    );
    expect(started.stdout + started.stderr).toContain('enable-iommu#2');
    const status = await vfleet.until('enable-iommu#2', ({ phase }) => phase === 'done');
    expect(status.counts['rolled-back']).toBe(2);
    for (const machine of machines) {
      expect((await grubCfg(machine)) + (await cmdline(machine))).toBe(before.get(machine.name));
      expect((await units(machine)).trim()).toBe('');
      expect(await left(machine)).toBe('');
    }
  });

  it('holds a host whose new line panics: it is back by itself on the old line', async () => {
    const boots = machines.map((machine) => machine.boots.length);
    await vfleet.run('start', 'panic.yaml', '--yes');
    const held = await vfleet.until('panicking-line', ({ counts }) => counts.held === 1);
    const host = held.hosts.find(({ state }) => state === 'held');
    expect(host?.code).toBe('reboot.trial-failed');
    const shown = await vfleet.run('host', 'panicking-line', host!.name);
    expect(shown.stdout).toContain('trial boot failed');
    const machine = machines.find(({ name }) => name === host?.name)!;
    expect(await cmdline(machine)).not.toContain('initcall_blacklist');
    expect(await readFile(machine.consoleLog, 'utf8')).toContain('Kernel panic');
    expect((await vfleet.run('status', 'panicking-line')).code).toBe(3);

    const answer = await vfleet.run(
      'rollback',
      'panicking-line',
      machine.name,
      '--reason',
      'lab',
      '--yes',
    );
    expect(answer.code).toBe(0);
    await vfleet.until('panicking-line', ({ counts }) => counts['rolled-back'] === 1);
    expect((await grubCfg(machine)) + (await cmdline(machine))).toBe(before.get(machine.name));
    expect(await left(machine)).toBe('');
    // Only the one host was tried: the canary's failure stopped the fleet.
    const others = machines.filter(({ name }) => name !== machine.name);
    expect(others.map(({ boots: list }) => list.length)).toEqual(
      machines.flatMap(({ name }, at) => (name === machine.name ? [] : [boots[at]])),
    );
  });
});
