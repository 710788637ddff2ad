import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSshDirectory } from '../src/host/ssh/pool.ts';
import { dracutContract } from '../test/host/contract/dracut-contract.ts';
import { Probe } from '../test/host/contract/kernel-host.ts';
import { comparedFacts } from './compared-facts.ts';
import { dracutDisk } from './dracut-image.ts';
import { inventoryOf } from './inventory.ts';
import { startMachines, type Machine } from './machines.ts';
import { VfleetCli } from './vfleet-cli.ts';

/**
 * A host whose initramfs dracut makes, forth and back: a card that its image would give to the native driver goes to
 * vfio-pci by its id, a disk by a rule. The tests are one story and run in order.
 */
let folder: string;
let vfleet: VfleetCli;
let machine: Machine;
let bare: string;

const LEASE = 'contract/lab-dracut';
const directory = createSshDirectory({ log: pino({ level: 'silent' }) });

const NVME = '0000:01:00.0';
const E1000E = '0000:02:00.0';

const SPEC = `version: 1
name: by-dracut
hosts: { inventory: inventory.ini, select: hypervisors }
target:
  iommu: enabled
  hostDma: passthrough
  kernelArgs: { absent: [intel_iommu=off] }
  devices:
    - { name: nic, match: { address: "${E1000E}" }, driver: vfio-pci, bind: ids }
    - { name: disk, match: { address: "${NVME}" }, driver: vfio-pci }
waves:
  - { name: all, upTo: 100% }
limits: { maxUnavailable: 1, maxFailures: 1 }
reboot: { timeout: 10m }
`;

/** Names in the installed images, and whatever of ours is in /etc. */
const inImages = (): Promise<string> =>
  machine.ssh(
    "sudo -n sh -c 'for i in /boot/initrd.img-*; do lsinitrd $i; done' | sed -n -E 's,.* (.*(vfleet|force_driver|/vfio-pci[.]ko).*),\\1,p' | sed 's,.*/,,'",
  );
const inEtc = (): Promise<string> =>
  machine.ssh('cd /etc; ls -d */*vfleet* */*/*vfleet* 2>/dev/null; true');

/** Driver and override of both. */
const drivers = (): Promise<string> =>
  machine.ssh(
    `cd /sys/bus/pci/devices; for f in ${E1000E} ${NVME}; do echo "$(basename "$(readlink -f $f/driver)") $(cat $f/driver_override)"; done`,
  );
const BOUND = 'vfio-pci (null)\nvfio-pci vfio-pci\n';

async function ends(rollout: string, state: string): Promise<void> {
  const status = await vfleet.until(
    rollout,
    ({ phase }) => phase === 'done' || phase === 'waiting',
  );
  expect(status.hosts).toMatchObject([{ state }]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-lab-'));
  vfleet = new VfleetCli(folder);
  const [started] = await startMachines([{ name: 'lab-dracut', disk: await dracutDisk() }]);
  machine = started!;
  await writeFile(join(folder, 'inventory.ini'), inventoryOf([machine]));
  await writeFile(join(folder, 'by-dracut.yaml'), SPEC);
  bare = await comparedFacts(vfleet, 'lab-dracut');
  await vfleet.up();
});

afterAll(async () => {
  await vfleet.down();
  await directory.close();
  await machine.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a host whose initramfs dracut makes', () => {
  it('says so, and is planned a file for dracut beside modprobe.d', async () => {
    expect(JSON.parse(bare)).toMatchObject({ devices: { initramfsMaker: 'dracut' } });
    expect(await drivers()).toBe('e1000e (null)\nnvme (null)\n');
    expect(await inImages()).toBe('');
    const plan = await vfleet.run('plan', 'by-dracut.yaml');
    expect(plan.stdout).toContain('/etc/dracut.conf.d/vfleet.conf');
  });

  it('has vfio-pci in its image before the native driver, after one reboot', async () => {
    const started = await vfleet.run('start', 'by-dracut.yaml', '--yes');
    expect(started.code, started.stderr + started.stdout).toBe(0);
    await ends('by-dracut', 'done');
    expect(machine.boots).toHaveLength(2);
    expect(await inEtc()).toBe(
      `default/grub.d/zz-vfleet.cfg\ndracut.conf.d/vfleet.conf\nmodprobe.d/vfleet.conf\nmodules-load.d/vfleet.conf\nudev/rules.d/70-vfleet-${NVME}.rules\n`,
    );
    expect((await inImages()).split('\n')).toEqual(
      expect.arrayContaining(['20-force_drivers.conf', 'vfleet.conf', 'vfio-pci.ko']),
    );
    expect(await drivers()).toBe(BOUND);
  });

  it('keeps it over a reboot that nobody asked for, and then finds nothing to do', async () => {
    await machine.reboot();
    expect(await drivers()).toBe(BOUND);
    const plan = await vfleet.run('plan', 'by-dracut.yaml');
    expect(plan.stdout).toContain('1 comply already');
  });

  it('goes back to what it was, with no file of ours in any image', async () => {
    const back = await vfleet.run('rollback', 'by-dracut', '--all', '--reason', 'lab', '--yes');
    expect(back.code, back.stderr + back.stdout).toBe(0);
    await ends('by-dracut#2', 'rolled-back');
    expect(await inEtc()).toBe('');
    expect(await inImages()).toBe('');
    await machine.reboot();
    expect(await drivers()).toBe('e1000e (null)\nnvme (null)\n');
    expect(await comparedFacts(vfleet, 'lab-dracut')).toBe(bare);
  });

  dracutContract(async () => {
    await machine.ssh(`echo id=${LEASE} | sudo -n tee /var/lib/vfleet/lease`);
    let seq = 100;
    const { name, address, port, user, keyFile, knownHostsFile } = machine;
    const host = directory.host({
      name,
      address,
      port,
      user,
      identityFile: keyFile,
      knownHostsFile,
    });
    const guard = () => ({ lease: LEASE, seq: (seq += 1), attempt: 1 });
    const functions = { nic: '0000:03:00.0', disk: NVME, plain: E1000E, vfs: 4 };
    const reboot = () => machine.reboot();
    return new Probe({ port: host, guard, ...functions, reboot, dispose: () => machine.stop() });
  });
});
