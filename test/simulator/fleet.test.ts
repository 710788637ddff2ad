import { access, readFile } from 'node:fs/promises';
import net from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { HostDirectory } from '../../src/host/connection.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import { INSPECT_PROBE } from '../../src/facts/probe.ts';
import { createSshDirectory } from '../../src/host/ssh/pool.ts';
import { loadInventory } from '../../src/schema/inventory/load-inventory.ts';
import { startFleet, type Fleet, type FleetOptions } from '../../src/simulator/fleet.ts';
import { DISTRIBUTIONS, type Os } from '../../src/simulator/model/distributions.ts';
import type { Fault } from '../../src/simulator/model/faults.ts';
import type { HostPort } from '../../src/host/port.ts';

const deadlineMs = 5000;
const LEASE = '/var/lib/vfleet/lease';
const bootId = {
  entries: [{ kind: 'line', glob: '/proc/sys/kernel/random/boot_id' }],
  deadlineMs,
} as const;

const running: { fleet: Fleet; directory: HostDirectory }[] = [];
afterEach(async () => {
  for (const { fleet, directory } of running.splice(0)) {
    await directory.close();
    await fleet.stop();
  }
});

async function start(options: FleetOptions) {
  const fleet = await startFleet(options);
  const limits = { connectTimeoutMs: 3000, graceMs: 300 };
  const directory = createSshDirectory({ log: pino({ level: 'silent' }), limits });
  running.push({ fleet, directory });
  const port = (index: number): HostPort => directory.host(fleet.hosts[index]!);
  return { fleet, directory, port };
}

const faulty = (...faults: Fault[]) => start({ hosts: 1, faults: { hv01: faults } });

const takeLease = (port: HostPort, text = 'id=r1/hv01\n') =>
  port.write({
    files: [{ path: LEASE, expect: null, content: Buffer.from(text) }],
    deadlineMs,
  });

describe('a simulated fleet', () => {
  it('answers for each host under its own address, with its own machine', async () => {
    const { fleet, port } = await start({ hosts: 20, prefix: 'kvm' });
    const ids = await Promise.all(
      fleet.hosts.map(async ({ name }, index) => {
        const request = {
          entries: [{ kind: 'line', glob: '/etc/machine-id' }],
          deadlineMs,
        } as const;
        const { files } = await port(index).read(request);
        const seen = Buffer.from(files.get('/etc/machine-id')!).toString();
        expect(seen).toBe(fleet.host(name).tree.text('/etc/machine-id')!.trim());
        return seen;
      }),
    );
    expect(new Set(ids).size).toBe(20);
    expect(fleet.hosts[19]!.name).toBe('kvm20');
  });

  it('mixes both families, where each host is read as its distribution', async () => {
    const all = Object.keys(DISTRIBUTIONS) as Os[];
    const { port } = await start({
      hosts: all.length,
      describe: (index) => ({ os: all[index] ?? 'debian-12' }),
    });
    const loaders = await Promise.all(
      all.map(async (_, index) => {
        const facts = parseFacts(await port(index).read({ entries: INSPECT_PROBE, deadlineMs }));
        const { bootLoader, os } = facts;
        return [os.id, bootLoader.supported ? bootLoader.kind : bootLoader.reason];
      }),
    );
    expect(loaders).toEqual([
      ['debian', 'grub-debian'],
      ['ubuntu', 'grub-debian'],
      ['rhel', 'grub-bls'],
      ['almalinux', 'grub-bls'],
      ['rocky', 'grub-bls'],
      ['centos', 'grub-bls'],
      ['fedora', 'grub-bls'],
    ]);
  });

  it('writes an inventory that vfleet reads as its hosts', async () => {
    const { fleet } = await start({ hosts: 3 });
    const loaded = await loadInventory(fleet.inventoryFile);
    expect(loaded).toMatchObject({ ok: true });
    expect(loaded.ok && loaded.inventory.hosts).toEqual(fleet.hosts);
  });

  it('says to a command what the address of the connection is, as SSH_CONNECTION does', async () => {
    const { fleet, port } = await start({ hosts: 1 });
    const request = { entries: [{ kind: 'query', query: 'ssh-connection' }], deadlineMs } as const;
    const { queries } = await port(0).read(request);
    const [host] = fleet.hosts;
    expect(queries.get('ssh-connection')?.output).toMatch(
      new RegExp(`^127\\.0\\.0\\.1 \\d+ ${host!.address} ${host!.port}$`),
    );
  });

  it('runs beside another fleet, and the same seed makes the same machines', async () => {
    const [one, two] = await Promise.all([
      start({ hosts: 5, seed: 7 }),
      start({ hosts: 5, seed: 7 }),
    ]);
    const places = [...one.fleet.hosts, ...two.fleet.hosts].map((it) => `${it.address}:${it.port}`);
    expect(new Set(places).size).toBe(10);
    const line = (fleet: Fleet) => fleet.host('hv03').tree.text('/proc/cmdline');
    expect(line(one.fleet)).toBe(line(two.fleet));
  });

  it('is away while a host reboots, and answers with another boot id', async () => {
    // Long enough away to be met there by a connection, also on a busy machine.
    const timing = { rebootMs: 1000 };
    const { fleet, directory, port } = await start({ hosts: 1, timing });
    const [connection] = fleet.hosts;
    const before = await port(0).read(bootId);
    const model = fleet.host('hv01');
    const down = new Promise<void>((resolve) => model.onPower(() => resolve()));
    await port(0).run({ argv: ['systemctl', '--no-block', 'reboot'], deadlineMs });
    await down;
    directory.forget(connection!);
    await expect(port(0).read(bootId)).rejects.toMatchObject({ transient: true });
    await model.whenUp();
    await expect
      .poll(
        () =>
          port(0)
            .read(bootId)
            .catch(() => before),
        { timeout: 5000 },
      )
      .not.toEqual(before);
  });

  it('releases every address and its folder when it is stopped', async () => {
    const { fleet } = await start({ hosts: 3 });
    const { address, port } = fleet.hosts[2]!;
    const socket = net.connect({ host: address, port });
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.resume();
    await fleet.stop();
    await closed;
    const again = net.createServer();
    await new Promise<void>((resolve, reject) => {
      again.once('error', reject);
      again.listen(port, address, resolve);
    });
    await new Promise((resolve) => again.close(resolve));
    await expect(access(fleet.identityFile)).rejects.toThrow();
  });

  it('refuses a key that is not its own', async () => {
    const { fleet, directory } = await start({ hosts: 1 });
    const other = await start({ hosts: 1 });
    const identityFile = other.fleet.identityFile;
    const stranger = directory.host({ ...fleet.hosts[0]!, identityFile });
    await expect(stranger.read(bootId)).rejects.toMatchObject({ code: 'ssh.auth' });
  });

  it('keeps its private key to its owner', async () => {
    const { fleet } = await start({ hosts: 1 });
    expect(await readFile(fleet.identityFile, 'utf8')).toMatch(/^-----BEGIN OPENSSH/);
    await expect(startFleet({ hosts: 1, faults: { hv99: [] } })).rejects.toThrow('hv99');
  });
});

describe('a fault of a simulated host', () => {
  it.each<[Fault, string]>([
    [{ kind: 'refuses' }, 'ssh.refused'],
    [{ kind: 'stalls' }, 'ssh.timeout'],
    [{ kind: 'wrong-host-key' }, 'ssh.host-key-changed'],
    [{ kind: 'no-sudo' }, 'host.no-sudo'],
    [{ kind: 'garbage' }, 'host.garbage'],
    [{ kind: 'drops', when: 'before' }, 'ssh.closed'],
  ])('shows as what it is and ends with its repair: %o', async (fault, code) => {
    const { fleet, port } = await faulty(fault);
    await expect(port(0).read(bootId)).rejects.toMatchObject({ code });
    fleet.host('hv01').repair();
    await expect
      .poll(async () => (await port(0).read(bootId)).files.size, { timeout: 5000 })
      .toBe(1);
  });

  it('stalls: takes a command and never answers', async () => {
    const { port } = await faulty({ kind: 'stalls', at: 'command' });
    await expect(port(0).read({ ...bootId, deadlineMs: 1000 })).rejects.toMatchObject({
      code: 'ssh.timeout',
    });
  });

  it.each(['before', 'after'] as const)(
    'drops: the outcome is unknown, and a fresh look settles it (%s the effect)',
    async (when) => {
      const { fleet, port } = await faulty({ kind: 'drops', when, verb: 'write' });
      await port(0).read(bootId);
      await expect(takeLease(port(0))).rejects.toMatchObject({ code: 'host.outcome-unknown' });
      const { log } = fleet.host('hv01');
      expect(log.changesOf(LEASE)).toBe(when === 'after' ? 1 : 0);
      const kind = when === 'after' ? 'unchanged' : 'written';
      expect(await takeLease(port(0))).toEqual([{ path: LEASE, kind }]);
      expect(log.changesOf(LEASE)).toBe(1);
    },
  );

  it.each<[Fault, string]>([
    [{ kind: 'disk-full' }, 'no-space'],
    [{ kind: 'read-only' }, 'read-only'],
  ])('%o: a write says so and leaves nothing', async (fault, reason) => {
    const { fleet, port } = await faulty(fault);
    const [outcome] = await takeLease(port(0));
    expect(outcome).toMatchObject({ kind: 'failed', reason });
    expect(fleet.host('hv01').log.changesOf(LEASE)).toBe(0);
    const result = await port(0).run({ argv: ['update-grub'], deadlineMs });
    expect(result.code).not.toBe(0);
  });

  it('firmware-off: no table and no groups, until it is repaired and power-cycled', async () => {
    const { fleet } = await faulty({ kind: 'firmware-off' });
    const model = fleet.host('hv01');
    const tables = () => model.tree.names('/sys/firmware/acpi/tables')!;
    const has = () => tables().includes('DMAR') || tables().includes('IVRS');
    expect([has(), model.tree.names('/sys/class/iommu')!.length]).toEqual([false, 0]);
    model.repair('firmware-off');
    expect(has()).toBe(false);
    await model.powerCycle();
    expect([has(), model.tree.names('/sys/class/iommu')!.length]).toEqual([true, 1]);
  });

  it('never-returns: stays away after a reboot, until a power cycle', async () => {
    const { fleet, directory, port } = await faulty({ kind: 'never-returns' });
    await port(0).run({ argv: ['systemctl', 'reboot'], deadlineMs });
    const model = fleet.host('hv01');
    await expect.poll(() => model.up).toBe(false);
    directory.forget(fleet.hosts[0]!);
    await expect(port(0).read(bootId)).rejects.toMatchObject({ code: 'ssh.refused' });
    await model.powerCycle();
    expect(model.log.boots()).toBe(1);
  });

  it('trial-panics: a line with our marker crashes, and panic= brings the old one back', async () => {
    const { fleet } = await faulty({ kind: 'trial-panics' });
    const model = fleet.host('hv01');
    const before = model.tree.text('/proc/cmdline');
    const cfg = model.tree.text('/boot/grub/grub.cfg')!;
    const bad = cfg.replace(/^\tlinux\t.*$/m, '$& panic=1 vfleet.trial=t1');
    model.tree.put('/boot/grub/grub.cfg', bad.replace("'Debian", "'Broken"));
    model.reboot();
    await expect.poll(() => model.log.entries.some((it) => it.effect === 'panic')).toBe(true);
    model.tree.put('/boot/grub/grub.cfg', cfg);
    await model.whenUp();
    expect(model.tree.text('/proc/cmdline')).toBe(before);
  });

  it('slow: takes longer, and is ended at the deadline of the command', async () => {
    const { port } = await faulty({ kind: 'slow', latencyMs: 1500 });
    await expect(port(0).read({ ...bootId, deadlineMs: 1000 })).rejects.toMatchObject({
      code: 'ssh.timeout',
    });
    expect((await port(0).read(bootId)).files.size).toBe(1);
  });
});
