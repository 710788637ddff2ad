import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedFacts } from './compared-facts.ts';
import { inventoryOf } from './inventory.ts';
import { SHARED_GROUP, startMachines, type Machine } from './machines.ts';
import { guestConfig, seenFromInside, startGuest, stopGuest } from './nested-guest.ts';
import { VfleetCli } from './vfleet-cli.ts';

/**
 * From a bare host to a guest that owns virtual functions, and exactly back, by the CLI alone: a real IOMMU, real SR-IOV,
 * real udev, initramfs and libvirt. The tests are one story and run in order.
 */
let folder: string;
let vfleet: VfleetCli;
let machine: Machine;
/** Facts of the bare host; then with its devices and the guest running, before the guest was given any. */
let bare: string;
let prepared: string;
let configBefore: string;

const NVME = '0000:01:00.0';
const E1000E = '0000:02:00.0';
const IGB = '0000:03:00.0';

const DEVICES = `  devices:
    - name: disks
      match: { address: "${NVME}" }
      expect: 1
      vfs: { count: 4, groups: [{ vfs: 0-3, driver: vfio-pci }] }
    - name: nics
      match: { id: "8086:10c9" }
      vfs:
        count: 4
        mtu: 1600
        groups:
          - { vfs: 0, driver: vfio-pci, mac: "02:00:00:00:07:00", vlan: 100, trust: true }
          - { vfs: 1-2, driver: vfio-pci, spoofCheck: false }
          - { vfs: 3, driver: native }
    - name: spare
      match: { driver: e1000e }
      driver: vfio-pci
`;

const spec = (name: string, target: string) => `version: 1
name: ${name}
hosts: { inventory: inventory.ini, select: hypervisors }
target:
${target}
waves:
  - { name: all, upTo: 100% }
limits: { maxUnavailable: 1, maxFailures: 1 }
reboot: { timeout: 10m }
`;

const SPECS: Readonly<Record<string, string>> = {
  'prepare.yaml': spec(
    'prepare',
    `  iommu: enabled
  hostDma: passthrough
  kernelArgs: { absent: [intel_iommu=off] }
  hugepages: [{ size: 2M, count: 64, at: runtime, node: 0 }]
  hugepagesReserve: 1G
  modules: { load: [vfio-pci] }
  firmware: { minDate: 2015-02-01 }
${DEVICES}`,
  ),
  'attach.yaml': spec(
    'attach',
    `${DEVICES}  guests:
    - domain: lab-guest
      confined: required
      attach: [{ device: disks, vf: 0 }, { device: nics, vf: 0 }]
`,
  ),
  'shared-group.yaml': spec(
    'shared-group',
    '  devices: [{ name: one, match: { address: "0000:05:01.0" }, driver: vfio-pci }]',
  ),
  'root-disk.yaml': spec(
    'root-disk',
    '  devices: [{ name: root, match: { address: "0000:00:02.0" }, driver: vfio-pci }]',
  ),
};

/** A line for each function that is asked for: driver and override, VFs by PF and index. */
const drivers = (): Promise<string> =>
  machine.ssh(
    `cd /sys/bus/pci/devices; for f in ${E1000E} ${NVME}/virtfn* ${IGB}/virtfn*; do [ -e $f ] && echo "$f $(basename "$(readlink -f $f/driver)") $(cat $f/driver_override)"; done`,
  );

const ALL_BOUND = [
  `${E1000E} vfio-pci vfio-pci`,
  ...[0, 1, 2, 3].map((at) => `${NVME}/virtfn${at} vfio-pci vfio-pci`),
  ...[0, 1, 2].map((at) => `${IGB}/virtfn${at} vfio-pci vfio-pci`),
  `${IGB}/virtfn3 igbvf (null)`,
  '',
].join('\n');

/** What the card says of the VFs, as `ip` prints it. */
const card = () => machine.ssh(`ip -j link show dev $(ls /sys/bus/pci/devices/${IGB}/net)`);

/** Whatever of ours is in an installed initramfs or in the folders that udev, modprobe and systemd read. */
const left = (): Promise<string> =>
  machine.ssh(
    // vfleet's own folder is root's alone.
    `sudo -n sh -c 'for i in /boot/initrd.img-*; do lsinitramfs $i; done | grep vfleet; ls -d /etc/*/*vfleet* /etc/*/*/*vfleet* /var/lib/vfleet/UNDO.txt 2>/dev/null; true'`,
  );

const facts = (): Promise<string> => comparedFacts(vfleet, 'lab-devices');

/** A boot that nobody asked for; udev has done its work when it resolves. */
async function pressReset(): Promise<void> {
  const next = machine.boots.length;
  await machine.reset();
  await machine.boot(next);
  await machine.ssh('sudo -n udevadm settle');
}

async function start(name: string): Promise<void> {
  const started = await vfleet.run('start', `${name}.yaml`, '--yes');
  expect(started.code, started.stderr + started.stdout).toBe(0);
  const status = await vfleet.until(name, ({ phase }) => phase === 'done' || phase === 'waiting');
  expect(status.hosts).toMatchObject([{ state: 'done' }]);
}

async function rollback(name: string): Promise<void> {
  const started = await vfleet.run('rollback', name, '--all', '--reason', 'lab', '--yes');
  expect(started.code, started.stderr + started.stdout).toBe(0);
  const status = await vfleet.until(
    `${name}#2`,
    ({ phase }) => phase === 'done' || phase === 'waiting',
  );
  expect(status.hosts).toMatchObject([{ state: 'rolled-back' }]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-lab-'));
  vfleet = new VfleetCli(folder);
  const [started] = await startMachines([
    { name: 'lab-devices', memory: 2048, devices: SHARED_GROUP },
  ]);
  machine = started!;
  await writeFile(join(folder, 'inventory.ini'), inventoryOf([machine]));
  for (const [name, text] of Object.entries(SPECS)) await writeFile(join(folder, name), text);
  configBefore = await guestConfig(machine);
  bare = await facts();
  await vfleet.up();
});

afterAll(async () => {
  await vfleet.down();
  await machine.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('devices on a real machine', () => {
  it('refuses the device that carries the root file system, and says so', async () => {
    const plan = await vfleet.run('plan', 'root-disk.yaml');
    expect(plan.stdout).toContain('1 blocked');
    expect(plan.stdout).toContain('0000:00:02.0');
    expect(plan.stdout).toMatch(/root file\s+system/);
  });

  it('prepares the host in one reboot: IOMMU, hugepages, VFs and drivers', async () => {
    await start('prepare');
    expect(machine.boots).toHaveLength(2);
    expect(await drivers()).toBe(ALL_BOUND);
    expect(JSON.parse(await card())).toMatchObject([
      {
        mtu: 1600,
        vfinfo_list: [
          { address: '02:00:00:00:07:00', vlan_list: [{ vlan: 100 }], trust: true },
          { spoofchk: false },
          { spoofchk: false },
          {},
        ],
      },
    ]);
    const pages = await machine.ssh('cat /proc/sys/vm/nr_hugepages; cut -d" " -f1 /proc/modules');
    expect(pages.split('\n')).toEqual(expect.arrayContaining(['64', 'vfio_pci']));
  });

  it('refuses a function of a group that is not viable, naming every member', async () => {
    const plan = await vfleet.run('plan', 'shared-group.yaml');
    expect(plan.stdout).toContain('1 blocked');
    expect(plan.stdout).toContain('0000:05:02.0');
    const after = await machine.ssh('cat /sys/bus/pci/devices/0000:05:0*/driver_override');
    expect(after).toBe('(null)\n(null)\n');
  });

  it('attaches a VF of each to a running guest, which sees them, without a reboot', async () => {
    await startGuest(machine);
    prepared = await facts();
    expect(await seenFromInside(machine)).not.toContain('8086:10ca');
    await start('attach');
    expect(machine.boots).toHaveLength(2);
    expect(await seenFromInside(machine)).toEqual(
      expect.arrayContaining(['1b36:0010', '8086:10ca']),
    );
    expect((await vfleet.run('plan', 'attach.yaml')).stdout).toContain('1 comply already');
    // Not managed by libvirt: a guest that stops does not hand its devices back to their native drivers.
    await stopGuest(machine);
    expect(await drivers()).toBe(ALL_BOUND);
  });

  it('keeps all of it over a reboot that nobody asked for, the guest its devices', async () => {
    await pressReset();
    expect(await drivers()).toBe(ALL_BOUND);
    expect(await card()).toContain('02:00:00:00:07:00');
    await startGuest(machine);
    expect(await seenFromInside(machine)).toEqual(
      expect.arrayContaining(['1b36:0010', '8086:10ca']),
    );
    expect((await vfleet.run('plan', 'prepare.yaml')).stdout).toContain('1 comply already');
  });

  it('takes the devices from the running guest, whose configuration is as before', async () => {
    await rollback('attach');
    expect(await seenFromInside(machine)).not.toContain('8086:10ca');
    expect(await guestConfig(machine)).toBe(configBefore);
    expect(await facts()).toBe(prepared);
  });

  it('takes the host back to what it was, and that is so after one more reboot', async () => {
    await stopGuest(machine);
    await rollback('prepare');
    expect(await left()).toBe('');
    expect(await facts()).toBe(bare);
    await pressReset();
    expect(await facts()).toBe(bare);
    expect(await left()).toBe('');
  });

  it('is taken back by hand with UNDO.txt, and is what it was after the boot that it asks for', async () => {
    await start('prepare');
    expect(await drivers()).toBe(ALL_BOUND);
    const said = await machine.ssh('sudo -n sh /var/lib/vfleet/UNDO.txt 2>&1');
    expect(said).toContain('Undone: prepare#3.');
    expect(said).toContain('REBOOT NEEDED');
    expect(said).not.toContain('NOTE');
    // It stays, to be read and run again.
    expect(await left()).toBe('/var/lib/vfleet/UNDO.txt\n');
    await machine.reboot();
    expect(await facts()).toBe(bare);
    expect(await left()).toBe('/var/lib/vfleet/UNDO.txt\n');
  });
});
