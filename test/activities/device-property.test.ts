import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginRun } from '../../activities/steps/begin.ts';
import { applyDevices, undoChange } from '../../activities/steps/devices.ts';
import { inspectForward, probe } from '../../activities/steps/inspect.ts';
import type { DeviceStep, StepOutcome } from '../../src/domain/activities.ts';
import type { Change } from '../../src/domain/changes.ts';
import { STEP_OF_CHANGE } from '../../src/domain/host-run.ts';
import type { DeviceTarget, Target } from '../../src/domain/spec.ts';
import { NOTHING_ASKED } from '../../src/domain/spec.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import type { HostPort } from '../../src/host/port.ts';
import type { MemoryHost } from '../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../src/simulator/memory-host.ts';
import { CrashingPort } from '../support/crashing-port.ts';
import { LEASE } from '../support/step-run.ts';

const PORT_0 = '0000:3b:00.0';
const PORT_1 = '0000:3b:00.1';
const DISK = '0000:5e:00.0';
const STEPS: readonly DeviceStep[] = ['modules', 'vfs', 'bind', 'attach'];

/** What was done to a host by hand before vfleet came. */
interface Found {
  readonly vfs: number;
  readonly pages: number;
  readonly gpu: 'as booted' | 'unbound' | 'vfio-pci';
  readonly guestRuns: boolean;
}

const found: fc.Arbitrary<Found> = fc.record({
  vfs: fc.constantFrom(0, 0, 2, 5),
  pages: fc.constantFrom(0, 64),
  gpu: fc.constantFrom('as booted', 'unbound', 'vfio-pci'),
  guestRuns: fc.boolean(),
});

const base = { guarded: 'refuse', functions: 'matched', bind: 'override' } as const;

const vfsOf = (address: string): fc.Arbitrary<DeviceTarget> =>
  fc
    .record({
      vfs: fc.array(
        fc.record(
          {
            driver: fc.constantFrom('vfio-pci' as const, 'native' as const),
            vlan: fc.integer({ min: 1, max: 4094 }),
            trust: fc.boolean(),
            spoofCheck: fc.boolean(),
          },
          { requiredKeys: ['driver'] },
        ),
        { minLength: 1, maxLength: 6 },
      ),
      mtu: fc.option(fc.constant(9000), { nil: undefined }),
    })
    .map(({ vfs, mtu }) => ({
      ...base,
      name: 'vfs',
      match: { address },
      vfs: { count: vfs.length, vfs, ...(mtu === undefined ? {} : { mtu }) },
    }));

const bound = (name: string, match: DeviceTarget['match'], all = false): DeviceTarget => ({
  ...base,
  name,
  match,
  driver: 'vfio-pci',
  functions: all ? 'all' : 'matched',
});

const diskVfs: DeviceTarget = {
  ...base,
  name: 'disk',
  match: { address: DISK },
  // Not `native`: that driver lets go of VFs of NVMe.
  vfs: { count: 2, vfs: [{ driver: 'vfio-pci' }, { driver: 'vfio-pci' }] },
};

const some = <T>(value: T) => fc.constantFrom<readonly T[]>([], [value], [value]);

const target: fc.Arbitrary<Target> = fc
  .record({
    first: fc.option(vfsOf(PORT_0), { nil: undefined }),
    second: some(bound('second', { address: PORT_1 })),
    disk: fc.constantFrom<readonly DeviceTarget[]>(
      [],
      [diskVfs],
      [bound('disk', { address: DISK })],
    ),
    gpu: some(bound('gpu', { class: '030000', id: '10de:2204' }, true)),
    pages: some({ sizeKiB: 2048, count: 128, node: 0, at: 'runtime' } as const),
  })
  .map(({ first, second, disk, gpu, pages }) => {
    const devices = [...(first === undefined ? [] : [first]), ...second, ...disk, ...gpu];
    const vf = first?.vfs?.vfs.findIndex((one) => one.driver === 'vfio-pci') ?? -1;
    const attach = [
      ...(vf === -1 ? [] : [{ device: 'vfs', pf: 0, vf }]),
      ...(gpu.length === 0 ? [] : [{ device: 'gpu', pf: 0 }]),
    ];
    const guest = {
      domain: 'edge',
      attach,
      managed: false,
      confined: 'recorded',
      pin: 'as-found',
    } as const;
    return {
      ...NOTHING_ASKED,
      devices,
      hugepages: pages,
      guests: attach.length === 0 ? [] : [guest],
    };
  });

/** A host as it was found; the same every time, so that runs on it can be compared. */
async function hostAs(state: Found): Promise<MemoryHost> {
  const host = createMemoryHost({
    name: 'hv1',
    kernelArgs: ['intel_iommu=on', 'iommu=pt'],
    guests: [{ name: 'edge', running: state.guestRuns, memoryMiB: 1024 }],
  });
  const device = (address: string) => `/sys/bus/pci/devices/${address}`;
  const gpus = ['0000:65:00.0', '0000:65:00.1'];
  await byHand(host, [
    ...(state.vfs === 0 ? [] : [[`${device(PORT_0)}/sriov_numvfs`, String(state.vfs)] as const]),
    ...(state.gpu === 'as booted'
      ? []
      : gpus.map((gpu) => [`${device(gpu)}/driver/unbind`, gpu] as const)),
    ...(state.pages === 0
      ? []
      : [
          [
            '/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages',
            String(state.pages),
          ] as const,
        ]),
  ]);
  if (state.gpu === 'vfio-pci') {
    await host.run({ argv: ['modprobe', 'vfio-pci'], deadlineMs: 5000 });
    for (const gpu of gpus) {
      await byHand(host, [
        [`${device(gpu)}/driver_override`, 'vfio-pci'],
        ['/sys/bus/pci/drivers_probe', gpu],
      ]);
    }
  }
  return host;
}

/** Kernel writes of a person: under a lease of the test's own, which goes again. */
async function byHand(host: MemoryHost, writes: readonly (readonly [string, string])[]) {
  if (writes.length === 0) return;
  host.model.tree.put('/var/lib/vfleet/lease', 'id=by-hand\n');
  const outcomes = await host.poke({
    guard: { lease: 'by-hand', seq: 1, attempt: 1 },
    writes: writes.map(([path, value]) => ({ path, value, timeoutMs: 5000 })),
    deadlineMs: 20_000,
  });
  host.model.tree.remove('/var/lib/vfleet');
  expect(outcomes.map(({ kind }) => kind)).toEqual(writes.map(() => 'done'));
}

const must = (outcome: StepOutcome): void => {
  if (outcome.kind === 'hold') throw new Error(`${outcome.code}: ${outcome.sentence}`);
};

async function apply(port: HostPort, changes: readonly Change[], attempt = 1): Promise<void> {
  for (const [at, step] of STEPS.entries()) {
    const own = changes.filter(({ kind }) => STEP_OF_CHANGE[kind] === step);
    const guard = { lease: LEASE.id, seq: 10 + at, attempt };
    if (own.length > 0)
      must(await applyDevices(port, { step, changes: own, willReboot: false, allow: [], guard }));
  }
}

async function undo(port: HostPort, changes: readonly Change[], attempt = 1): Promise<void> {
  for (const [at, change] of changes.toReversed().entries()) {
    must(await undoChange(port, change, { lease: LEASE.id, seq: 100 + at, attempt }));
  }
}

/** The host's facts, without what a run leaves on purpose and without numbers that the kernel gives anew. */
async function factsOf(host: MemoryHost): Promise<unknown> {
  const { devices, record, lease, bootId, ...facts } = parseFacts(await probe(host));
  const { functions, groups, modules, unsafeInterrupts, ...rest } = devices;
  // A module that was loaded stays loaded, and shows its parameters then.
  expect([record, lease, bootId, modules, unsafeInterrupts]).toHaveLength(5);
  return {
    ...facts,
    ...rest,
    functions: functions.map(({ group, ...fn }) => ({ ...fn, hasGroup: group !== undefined })),
    groups: groups.map(({ members, type, rmrr }) => ({ members, type, rmrr })).sort(byFirstMember),
    iommu: facts.iommu.units,
  };
}

const byFirstMember = (a: { members: readonly string[] }, b: { members: readonly string[] }) =>
  (a.members[0] ?? '') < (b.members[0] ?? '') ? -1 : 1;

/** Plans and begins; `undefined` when nothing is to be changed here, or nothing may be. */
async function begin(host: MemoryHost, asked: Target): Promise<readonly Change[] | undefined> {
  const plan = await inspectForward(host, asked, LEASE.id);
  if (plan.kind !== 'changes') {
    expect(['compliant', 'blocked']).toContain(plan.kind);
    return undefined;
  }
  expect(plan.reboots).toBe(0);
  const guard = { lease: LEASE.id, seq: 1, attempt: 1 };
  must(await beginRun(host, { guard, lease: LEASE, changes: plan.changes }));
  return plan.changes;
}

/** Every so many mutations a crash is tried; all of them would take minutes and find the same. */
const CRASHES_TRIED = 4;

describe('for any host and any target', { timeout: 240_000 }, () => {
  it('apply then undo gives the same facts, apply twice equals once, and a crash after any write equals none', async () => {
    let changed = 0;
    let crashes = 0;
    await fc.assert(
      fc.asyncProperty(found, target, fc.nat(), async (state, asked, seed) => {
        const host = await hostAs(state);
        const before = await factsOf(host);
        const changes = await begin(host, asked);
        if (changes === undefined) return;
        changed += 1;
        const counting = new CrashingPort(host);
        await apply(counting, changes);
        const after = await factsOf(host);
        const { mutations } = counting;

        const again = new CrashingPort(host);
        await apply(again, changes, 2);
        expect(again.mutations).toBe(0);
        expect(await factsOf(host)).toEqual(after);
        expect((await inspectForward(host, asked, LEASE.id)).kind).not.toBe('blocked');

        const counted = new CrashingPort(host);
        await undo(counted, changes);
        expect(await factsOf(host)).toEqual(before);
        host.model.dispose();

        for (let tried = 0; tried < CRASHES_TRIED; tried += 1) {
          crashes += 1;
          await crashed(state, asked, { apply: 1 + ((seed + tried * 7) % mutations), after });
          await crashedUndo(state, asked, 1 + ((seed + tried * 5) % counted.mutations), before);
        }
      }),
      { numRuns: 24 },
    );
    expect(changed).toBeGreaterThan(8);
    expect(crashes).toBe(changed * CRASHES_TRIED);
  });
});

/** Dies after so many mutations, is tried again, and stands as if it had not died. */
async function crashed(
  state: Found,
  asked: Target,
  expected: { readonly apply: number; readonly after: unknown },
): Promise<void> {
  const host = await hostAs(state);
  const changes = (await begin(host, asked)) ?? [];
  await apply(new CrashingPort(host, expected.apply), changes).catch(lost);
  await apply(host, changes, 2);
  expect(await factsOf(host)).toEqual(expected.after);
  host.model.dispose();
}

/** The same for the way back, from a host that is half-way. */
async function crashedUndo(
  state: Found,
  asked: Target,
  crashAfter: number,
  before: unknown,
): Promise<void> {
  const host = await hostAs(state);
  const changes = (await begin(host, asked)) ?? [];
  await apply(host, changes);
  await undo(new CrashingPort(host, crashAfter), changes).catch(lost);
  await undo(host, changes, 2);
  expect(await factsOf(host)).toEqual(before);
  host.model.dispose();
}

const lost = (error: unknown): void => {
  expect(error).toMatchObject({ code: 'host.outcome-unknown' });
};
