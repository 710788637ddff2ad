import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginRun } from '../../activities/steps/begin.ts';
import { applyTrial } from '../../activities/steps/cmdline.ts';
import { inspectForward } from '../../activities/steps/inspect.ts';
import { cmdlineOf } from '../../src/domain/changes.ts';
import type { HostEntry } from '../../src/domain/host-entry.ts';
import type { HostDirectory } from '../../src/host/connection.ts';
import { createSshDirectory } from '../../src/host/ssh/pool.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import type { Fault } from '../../src/simulator/model/faults.ts';
import { newKey } from '../../src/simulator/new-key.ts';
import { guard, LEASE, PASSTHROUGH } from '../support/step-run.ts';

/** What is wrong with each host; the names are the fleet's. */
const FAULTS: Record<string, Fault[]> = {
  hv01: [{ kind: 'refuses' }],
  hv02: [{ kind: 'wrong-host-key' }],
  hv05: [{ kind: 'no-sudo' }],
  hv07: [{ kind: 'firmware-off' }],
  hv08: [{ kind: 'disk-full' }],
  hv09: [{ kind: 'garbage' }],
};

let fleet: Fleet;
let hosts: HostDirectory;

beforeAll(async () => {
  fleet = await startFleet({
    hosts: 13,
    faults: FAULTS,
    describe: () => ({ cpu: 'intel', os: 'debian-12' }),
  });
  fleet.host('hv06').tree.put('/boot/loader/entries/alma.conf', 'title AlmaLinux\n');
  hosts = createSshDirectory({ log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await hosts.close();
  await fleet.stop();
});

const entry = (name: string, over: Partial<HostEntry> = {}): HostEntry => ({
  ...fleet.hosts.find((host) => host.name === name)!,
  ...over,
});
const portOf = (name: string) => hosts.host(entry(name));
const inspect = (connection: HostEntry) =>
  inspectForward(hosts.host(connection), PASSTHROUGH, LEASE.id);
/** Everything that was changed on a host, by its own log. */
const changesOf = (name: string) =>
  fleet
    .host(name)
    .log.changes()
    .map((change) => change.what);

async function begin(name: string) {
  const plan = await inspect(entry(name));
  if (plan.kind !== 'changes') throw new Error(`expected changes: ${JSON.stringify(plan)}`);
  return { plan, change: cmdlineOf(plan.changes)! };
}

describe('a host that cannot be reached or used: what is said, and that nothing was written', () => {
  const failures: readonly [string, string, string, RegExp][] = [
    ['hv01', 'an SSH server that is not there', 'ssh.refused', /refuses connections.*host is up/],
    ['hv02', 'another host key', 'ssh.host-key-changed', /SHA256:.*ssh-keygen/s],
    ['hv05', 'no sudo', 'host.no-sudo', /a password is required.*NOPASSWD/],
    ['hv09', 'garbage for an answer', 'host.garbage', /hv09/],
  ];
  it.each(failures)('%s, %s: %s', async (name, _what, code, sentence) => {
    await expect(inspect(entry(name))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(sentence) as string,
    });
    expect(changesOf(name)).toEqual([]);
  });

  it('hv03, a host key that nobody has confirmed: ssh.host-key-unknown', async () => {
    const empty = join(fleet.knownHostsFile, '..', 'empty');
    await writeFile(empty, '');
    await expect(inspect(entry('hv03', { knownHostsFile: empty }))).rejects.toMatchObject({
      code: 'ssh.host-key-unknown',
      message: expect.stringMatching(/SHA256:.*known_hosts|ssh-keyscan/s) as string,
    });
    expect(changesOf('hv03')).toEqual([]);
  });

  it('hv04, a key that the host does not take: ssh.auth', async () => {
    const stranger = join(fleet.knownHostsFile, '..', 'stranger');
    await writeFile(stranger, newKey('stranger').private, { mode: 0o600 });
    await expect(inspect(entry('hv04', { identityFile: stranger }))).rejects.toMatchObject({
      code: 'ssh.auth',
      transient: false,
      message: expect.stringMatching(/authorized_keys/) as string,
    });
    expect(changesOf('hv04')).toEqual([]);
  });

  const blocked: readonly [string, string, RegExp][] = [
    ['hv06', 'bootloader.unsupported', /no grub\.cfg that reads them/],
    ['hv07', 'firmware.no-dmar', /turn on VT-d in setup/],
    ['hv08', 'host.no-space', /make room/],
  ];
  it.each(blocked)('%s is blocked with %s', async (name, code, sentence) => {
    expect(await inspect(entry(name))).toMatchObject({
      kind: 'blocked',
      code,
      sentence: expect.stringMatching(sentence) as string,
    });
    expect(changesOf(name)).toEqual([]);
  });
});

describe('a host on which something happens after the plan', () => {
  it('hv10, a disk that filled up: held before the first change', async () => {
    const { plan } = await begin('hv10');
    fleet.host('hv10').addFault({ kind: 'disk-full' });
    const outcome = await beginRun(portOf('hv10'), {
      guard: guard(1),
      lease: LEASE,
      changes: plan.changes,
    });
    expect(outcome).toMatchObject({
      kind: 'hold',
      code: 'host.disk-full',
      sentence: expect.stringContaining('the disk is full') as string,
    });
    expect(changesOf('hv10')).toEqual([]);
  });

  it('hv11, a root that became read-only: held before the first change', async () => {
    const { plan } = await begin('hv11');
    fleet.host('hv11').addFault({ kind: 'read-only' });
    const begun = beginRun(portOf('hv11'), {
      guard: guard(1),
      lease: LEASE,
      changes: plan.changes,
    });
    expect(await begun).toMatchObject({
      kind: 'hold',
      code: 'host.read-only',
      sentence: expect.stringContaining('read-only') as string,
    });
    expect(changesOf('hv11')).toEqual([]);
  });

  it('hv12, a connection that is cut when update-grub has run: unknown, and settled by the next attempt', async () => {
    const { plan, change } = await begin('hv12');
    const port = portOf('hv12');
    await beginRun(port, { guard: guard(1), lease: LEASE, changes: plan.changes });
    fleet.host('hv12').addFault({ kind: 'drops', when: 'after', program: 'update-grub' });
    const call = { change, trialId: 't1' };
    await expect(applyTrial(port, { ...call, guard: guard(2) })).rejects.toMatchObject({
      code: 'host.outcome-unknown',
      transient: true,
    });
    expect(await applyTrial(port, { ...call, guard: guard(2, 2) })).toMatchObject({ kind: 'ok' });
    expect(fleet.host('hv12').log.changesOf('/etc/grub.d/42_vfleet_trial')).toBe(1);
  });

  it('hv13, a second rollout: told who holds it, and nothing is written', async () => {
    const { plan } = await begin('hv13');
    const port = portOf('hv13');
    await beginRun(port, { guard: guard(1), lease: LEASE, changes: plan.changes });
    const before = changesOf('hv13');
    const second = { ...LEASE, id: 'sriov/hv13', rollout: 'sriov#2', who: 'eve' };
    const outcome = await beginRun(port, {
      guard: { ...guard(1), lease: second.id },
      lease: second,
      changes: plan.changes,
    });
    expect(outcome).toMatchObject({
      kind: 'hold',
      code: 'host.busy',
      sentence:
        'enable-iommu#1 of ops@desk holds this host since 2026-11-22T17:00:00Z (engine test)',
    });
    expect(changesOf('hv13')).toEqual(before);
  });
});
