import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryOf } from './inventory.ts';
import { startMachines, type Machine } from './machines.ts';
import { VfleetCli } from './vfleet-cli.ts';

/**
 * What a person finds on a host that is held, and does there without vfleet: a real login, real GRUB, real reboots. The
 * tests are one story and run in order.
 */
let folder: string;
let vfleet: VfleetCli;
let machine: Machine;
let before: string;
let lineBefore: string;

/** Folders, and the digest of every file, of all that a rollout may touch; grubenv and grub.cfg among them. */
const settings = (): Promise<string> =>
  machine.ssh(
    "ls -d /etc/* /etc/default/*; sudo -n find /etc/default /etc/grub.d /boot/grub -maxdepth 1 -type f -exec stat -c '%a %U %n' {} + -exec sha256sum {} + | sort",
  );
const cmdline = (): Promise<string> => machine.ssh('cat /proc/cmdline');

/** As `vfleet facts` prints them, each fact on one line. */
async function facts(): Promise<string> {
  const read = await vfleet.run('facts', 'lab-undo', '-i', 'inventory.ini');
  return read.stdout.replace(/\n {11}(?! )/g, ' ');
}

/** What somebody reads who logs in by hand: a terminal, and no command. */
async function login(): Promise<string> {
  const { address, port, user, keyFile, knownHostsFile } = machine;
  const options = ['IdentitiesOnly=yes', `UserKnownHostsFile=${knownHostsFile}`];
  const args = ['-F', 'none', '-tt', '-i', keyFile, '-p', String(port)];
  const all = [...args, ...options.flatMap((option) => ['-o', option]), `${user}@${address}`];
  const session = promisify(execFile)('ssh', all, { timeout: 120_000 });
  session.child.stdin?.end('exit\n');
  return (await session).stdout.replaceAll('\r', '');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-lab-'));
  vfleet = new VfleetCli(folder);
  const [started] = await startMachines([{ name: 'lab-undo' }]);
  machine = started!;
  await writeFile(join(folder, 'inventory.ini'), inventoryOf([machine]));
  await writeFile(
    join(folder, 'enable.yaml'),
    `version: 1
name: enable-iommu
hosts: { inventory: inventory.ini, select: hypervisors }
target:
  iommu: enabled
  hostDma: passthrough
  kernelArgs: { absent: [intel_iommu=off] }
hooks:
  health: { on: host, run: ['false'] }
limits: { maxUnavailable: 1, maxFailures: 1 }
reboot: { timeout: 10m }
`,
  );
  // A fresh Debian has no grubenv; with one, its bytes can be compared.
  await machine.ssh('sudo -n grub-editenv /boot/grub/grubenv set saved_entry=0');
  before = await settings();
  lineBefore = await cmdline();
  await vfleet.up();
});

afterAll(async () => {
  await vfleet.down();
  await machine.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a host by hand', () => {
  it('tells whoever logs in that a rollout holds it, with the new line as its default', async () => {
    expect(await login()).not.toContain('vfleet');
    await vfleet.run('start', 'enable.yaml', '--yes');
    const held = await vfleet.until('enable-iommu', ({ counts }) => counts.held === 1);
    expect(held.hosts[0]?.code).toBe('health.failed');
    expect(await cmdline()).toContain('vfleet.trial=');
    const read = await login();
    expect(read).toContain('vfleet: rollout enable-iommu#1 of ');
    expect(read).toContain('  undo by hand: sudo sh /var/lib/vfleet/UNDO.txt');
    const said = await facts();
    expect(said).toMatch(/^held by +enable-iommu#1 of /m);
    expect(said).toMatch(/^record +enable-iommu#1 of .*not ended; what it changed stands$/m);
  });

  it('is not taken from a rollout that still runs it', async () => {
    const release = ['release', 'lab-undo', '-i', 'inventory.ini', '--reason', 'a test', '--yes'];
    const refused = await vfleet.run(...release);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('vfleet skip enable-iommu#1 lab-undo');
  });

  it('is undone by UNDO.txt byte for byte, and says that it needs a reboot', async () => {
    expect(await settings()).not.toBe(before);
    const said = await machine.ssh('sudo -n sh /var/lib/vfleet/UNDO.txt 2>&1');
    expect(said).toContain('Undone: enable-iommu#1.');
    expect(said).toContain('REBOOT NEEDED');
    expect(said).not.toContain('NOTE');
    expect(await settings()).toBe(before);
    expect(await login()).not.toContain('vfleet');
    expect((await machine.ssh('sudo -n cat /var/lib/vfleet/undone')).split('\n')).toContain(
      'who=admin',
    );
  });

  it('runs its old line after the reboot, and has nothing more to undo', async () => {
    await machine.reboot();
    expect(await cmdline()).toBe(lineBefore);
    const again = await machine.ssh('sudo -n sh /var/lib/vfleet/UNDO.txt 2>&1');
    expect(again).toContain('No reboot is needed');
    expect(await settings()).toBe(before);
  });

  it('is let go by its rollout, and vfleet knows that nothing stands', async () => {
    const skip = ['skip', 'enable-iommu', 'lab-undo', '--yes', '--reason', 'undone by hand'];
    expect((await vfleet.run(...skip)).code).toBe(0);
    await vfleet.until('enable-iommu', ({ counts }) => counts.skipped === 1);
    const said = await facts();
    expect(said).toMatch(/^held by +no rollout$/m);
    expect(said).toMatch(/^record +enable-iommu#1 of .*: undone by hand by admin at /m);
    expect((await vfleet.run('plan', 'enable.yaml')).stdout).toContain('1 to change');
  });
});
