import { afterEach, describe, expect, it } from 'vitest';
import { applyDevices, undoChange } from '../../activities/steps/devices.ts';
import type { Change } from '../../src/domain/changes.ts';
import type { DeviceStep } from '../../src/domain/activities.ts';
import { STEP_OF_CHANGE } from '../../src/domain/host-run.ts';
import { planHost } from '../../src/domain/planner.ts';
import type { Target } from '../../src/domain/spec.ts';
import { INSPECT_PROBE } from '../../src/facts/probe.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import type { MemoryHost } from '../../src/simulator/memory-host.ts';
import { deviceEntry, guestEntry, targetOf, vfsTarget } from '../support/device-facts.ts';
import { deviceHost, differences, leavesOf, well, withoutModules } from '../support/device-run.ts';
import { guard } from '../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

const gpu = deviceEntry({ name: 'gpus', match: { id: '10de:2204' }, functions: 'all' });
const ports = deviceEntry({
  name: 'ports',
  match: { id: '8086:1592' },
  vfs: { ...vfsTarget(4, { vlan: 100, trust: true }, 9000) },
});
const disk = deviceEntry({
  name: 'disk',
  match: { driver: 'nvme' },
  guarded: 'skip',
  vfs: { count: 2, vfs: [{ driver: 'vfio-pci' }, { driver: 'vfio-pci' }] },
});
const EDGE = { name: 'edge', running: false, balloon: 'none' as const };

async function planned(target: Target) {
  const snapshot = await host.read({ entries: INSPECT_PROBE, deadlineMs: 10_000 });
  return planHost(parseFacts(snapshot), target);
}

async function apply(changes: readonly Change[]): Promise<void> {
  for (const [seq, step] of (
    ['modules', 'vfs', 'bind', 'attach'] satisfies DeviceStep[]
  ).entries()) {
    const ofStep = changes.filter(({ kind }) => STEP_OF_CHANGE[kind] === step);
    if (ofStep.length === 0) continue;
    const call = { step, changes: ofStep, willReboot: false, allow: [], guard: guard(2 + seq) };
    await well(applyDevices(host, call));
  }
}

describe('a plan of devices, on a host that reacts', () => {
  it.each<[string, Target]>([
    ['a card with all its functions', targetOf({ devices: [gpu] })],
    ['VFs of both ports of a card', targetOf({ devices: [ports] })],
    ['VFs of a disk, beside the one that the host runs from', targetOf({ devices: [disk] })],
    [
      'huge pages at run time',
      targetOf({
        hugepages: [{ sizeKiB: 2048, count: 16, node: 0, at: 'runtime' }],
        hugepagesReserveKiB: 1024,
      }),
    ],
    [
      'a guest with a VF and a card',
      targetOf({
        devices: [gpu, ports],
        guests: [
          guestEntry({
            domain: 'edge',
            attach: [
              { device: 'ports', pf: 1, vf: 2 },
              { device: 'gpus', pf: 0 },
            ],
          }),
        ],
      }),
    ],
  ])(
    'leaves nothing to plan once it was applied, and nothing at all once undone: %s',
    async (_, target) => {
      host = deviceHost({ guests: [EDGE] });
      const before = leavesOf(host);
      const plan = await planned(target);
      if (plan.kind !== 'changes') throw new Error(JSON.stringify(plan));
      await apply(plan.changes);
      expect(await planned(target)).toMatchObject({ kind: 'compliant' });
      for (const [at, change] of [...plan.changes].reverse().entries()) {
        await well(undoChange(host, change, guard(20 + at)));
      }
      const diff = differences(withoutModules(before), withoutModules(leavesOf(host)));
      expect(diff).toEqual({});
    },
  );
});

describe('a plan of devices that the host needs', () => {
  it.each([
    ['devices.ssh-route', deviceEntry({ match: { driver: 'i40e' } })],
    ['devices.root-disk', deviceEntry({ match: { class: '0108' } })],
    ['devices.boot-vga', deviceEntry({ match: { id: '1a03:2000' } })],
    ['devices.bridge', deviceEntry({ match: { address: '0000:00:1f.0' } })],
    ['devices.group-not-viable', deviceEntry({ match: { id: '10de:2204' } })],
    ['vfs.over-total', deviceEntry({ match: { id: '8086:1592' }, vfs: vfsTarget(65) })],
  ])('is blocked with %s', async (code, entry) => {
    host = deviceHost();
    expect(await planned(targetOf({ devices: [entry] }))).toMatchObject({ kind: 'blocked', code });
  });
});
