import { MockActivityEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createHostActivities } from '../../activities/host-activities.ts';
import type { HostActivities } from '../../src/domain/activities.ts';
import type { CmdlineChange } from '../../src/domain/changes.ts';
import type { HostConnection } from '../../src/domain/host-entry.ts';
import { makeHostPlan } from '../../src/facts/host-plan.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import type { Snapshot } from '../../src/facts/snapshot.ts';
import type { HostPort } from '../../src/host/port.ts';
import { PASSTHROUGH } from '../support/step-run.ts';

const CONNECTION: HostConnection = { name: 'hv1', address: '127.0.0.1', port: 22, user: 'root' };
const MIB = 1024 * 1024;
const flood = (bytes: number) => 'x'.repeat(bytes);
const BOOT_ID = '0b1d4c1e-1111-2222-3333-444455556666';

/** A host that says as much as it can wherever it is asked. */
const snapshot: Snapshot = {
  files: new Map([
    ['/proc/cmdline', Buffer.from(flood(MIB))],
    ['/proc/sys/kernel/random/boot_id', Buffer.from(flood(MIB))],
    ['/etc/os-release', Buffer.from(`PRETTY_NAME=${flood(MIB)}`)],
    ['/proc/sys/kernel/osrelease', Buffer.from(flood(MIB))],
    ['/var/lib/vfleet/lease', Buffer.from(`id=${flood(MIB)}\nwho=${flood(MIB)}`)],
    ...Array.from({ length: 50_000 }, (_, at): [string, Uint8Array] => [
      `/sys/kernel/iommu_groups/${at}/type`,
      Buffer.from(`type-${at}`),
    ]),
  ]),
  links: new Map(),
  dirs: new Map([
    ['/sys/class/iommu', [flood(MIB)]],
    ['/run/libvirt/qemu', [`${flood(MIB)}.xml`]],
    ['/sys/firmware/acpi/tables', ['DMAR']],
  ]),
  queries: new Map([['uid', { code: 0, output: '0' }]]),
};
const port: HostPort = {
  name: 'hv1',
  read: () => Promise.resolve(snapshot),
  write: ({ files }) =>
    Promise.resolve([
      {
        path: files[0]?.path ?? '',
        kind: 'conflict',
        digest: flood(MIB),
        content: Buffer.from(flood(4096)),
      },
    ]),
  poke: () => Promise.resolve([]),
  run: () => Promise.resolve({ kind: 'exited', code: 1, stdout: flood(MIB), stderr: flood(MIB) }),
};
const activities = createHostActivities({
  hosts: { host: () => port, forget: () => undefined, close: () => Promise.resolve() },
  hooksFolder: '/nowhere',
  engine: 'test',
  log: pino({ level: 'silent' }),
});

async function sizeOf<N extends keyof HostActivities>(
  name: N,
  input: Parameters<HostActivities[N]>[0],
): Promise<number> {
  const handler = activities[name] as (given: unknown) => Promise<unknown>;
  const result = await new MockActivityEnvironment().run(handler, input);
  return JSON.stringify(result).length;
}

describe('what enters the engine’s history from a host that floods its answers', () => {
  const on = { connection: CONNECTION };
  const mutation = { ...on, lease: 'l', seq: 1 };
  const start = { rollout: 'r#1', direction: 'forward', who: 'w', since: 's' } as const;
  const change: CmdlineChange = {
    kind: 'cmdline',
    loader: 'grub-debian',
    add: ['a'],
    drop: ['b'],
    before: ['b'],
    after: ['a'],
    dropIn: { before: null, after: 'x' },
    createsFolder: false,
  };
  const hook = { on: 'host', run: ['drain'], timeoutMs: 1000 } as const;

  it.each([
    [
      'a plan',
      () =>
        sizeOf('inspect', {
          ...on,
          target: PASSTHROUGH,
          direction: 'forward',
          rollout: 'r#1',
          lease: 'l',
        }),
    ],
    ['the holder of a lease', () => sizeOf('begin', { ...mutation, ...start, changes: [] })],
    ['the names of guests', () => sizeOf('checkGuests', on)],
    [
      'the output of a hook',
      () => sizeOf('hook', { ...mutation, hook, phase: 'drain', rollout: 'r#1' }),
    ],
    [
      'the running line',
      () => sizeOf('verifyBoot', { ...on, change, expect: 'trial', trialId: 't' }),
    ],
    [
      'the proof of the IOMMU',
      () => sizeOf('proveIommu', { ...on, target: PASSTHROUGH, changes: [] }),
    ],
    ['a look for a boot', () => sizeOf('probeBoot', { ...on, bootIdBefore: BOOT_ID })],
  ])('%s is at most 16 KiB', async (_what, size) => {
    await expect(size()).resolves.toBeLessThan(16 * 1024);
  });

  it('is no plan of megabytes either', () => {
    const plan = makeHostPlan(parseFacts(snapshot), PASSTHROUGH);
    expect(plan.kind).toBe('blocked');
    expect(JSON.stringify(plan).length).toBeLessThan(16 * 1024);
  });
});
