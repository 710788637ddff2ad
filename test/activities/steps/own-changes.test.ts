import { describe, expect, it } from 'vitest';
import { withOwnChanges } from '../../../activities/steps/own-changes.ts';
import type { BindChange, Change, HostPlan } from '../../../src/domain/changes.ts';
import { parseFacts } from '../../../src/facts/parse-facts.ts';
import { probe } from '../../../activities/steps/inspect.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';

const bind = (address: string, driver: string | null): BindChange => ({
  kind: 'bind',
  address,
  modalias: null,
  before: { driver, override: null },
  after: { driver: 'vfio-pci', override: 'vfio-pci' },
  by: 'override',
  files: [],
});

async function merged(plan: HostPlan, own: readonly Change[]): Promise<HostPlan> {
  const host = createMemoryHost({ name: 'hv1' });
  const facts = parseFacts(await probe(host));
  host.model.dispose();
  return withOwnChanges(plan, own, facts);
}

const planOf = (changes: readonly Change[]): HostPlan => ({
  kind: 'changes',
  changes,
  reboots: 0,
  digest: 'of these',
  hardware: 'Intel',
  warnings: ['hot'],
  bootId: 'boot',
  machineId: 'machine',
});

describe('a plan after a run of the same lease that died', () => {
  it('keeps the state before that the run recorded, not what it left half-way', async () => {
    const recorded = bind('0000:65:00.0', 'nouveau');
    const plan = await merged(planOf([bind('0000:65:00.0', null)]), [recorded]);
    expect(plan).toMatchObject({ kind: 'changes', changes: [recorded], warnings: ['hot'] });
  });

  it('holds what the run had finished too, in the order of the steps', async () => {
    const done = bind('0000:65:00.0', 'nouveau');
    const pages: Change = {
      kind: 'hugepages',
      pages: [],
      file: { path: '/etc/tmpfiles.d/vfleet.conf', before: null, after: 'x' },
    };
    const plan = await merged(planOf([bind('0000:65:00.1', 'snd_hda_intel')]), [pages, done]);
    if (plan.kind !== 'changes') throw new Error(plan.kind);
    expect(
      plan.changes.map((change) => [change.kind, 'address' in change && change.address]),
    ).toEqual([
      ['hugepages', false],
      ['bind', '0000:65:00.1'],
      ['bind', '0000:65:00.0'],
    ]);
    expect(plan.digest).not.toBe('of these');
  });

  it('goes on when all is as asked already, so that its run is ended and its record closed', async () => {
    const done = bind('0000:65:00.0', 'nouveau');
    const plan = await merged({ kind: 'compliant', evidence: {} }, [done]);
    expect(plan).toMatchObject({ kind: 'changes', changes: [done], reboots: 0 });
  });

  it('is left as it is when the run changed no device, or when the host is blocked', async () => {
    const blocked: HostPlan = { kind: 'blocked', code: 'devices.moved', sentence: 'x' };
    expect(await merged(blocked, [bind('0000:65:00.0', 'nouveau')])).toBe(blocked);
    const plan = planOf([bind('0000:65:00.0', 'nouveau')]);
    expect(await merged(plan, [])).toBe(plan);
  });
});
