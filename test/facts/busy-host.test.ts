import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Facts, Lease } from '../../src/domain/facts.ts';
import { NOTHING_ASKED, type Target } from '../../src/domain/spec.ts';
import { loadCapture } from '../../src/facts/capture.ts';
import { makeHostPlan } from '../../src/facts/host-plan.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import { recordText } from '../../src/facts/record.ts';

const target: Target = {
  ...NOTHING_ASKED,
  iommu: 'enabled',
  hostDma: 'passthrough',
  kernelArgs: { present: [], absent: [] },
};

const lease: Lease = {
  id: 'l-1',
  rollout: 'enable#4',
  engine: 'prod-fra:7233',
  who: 'ops1@bastion',
  since: '2026-11-22T21:13:00Z',
};

const facts = async (name: string): Promise<Facts> =>
  parseFacts(
    await loadCapture(fileURLToPath(new URL(`../fixtures/captures/${name}`, import.meta.url))),
  );

/** The machine in the middle of its trial: the new line runs, the old one is still the default. */
async function onTrial(): Promise<Facts> {
  const found = await facts('debian-12-iommu-off');
  const trial = ['intel_iommu=on', 'iommu=pt', 'panic=30', 'oops=panic', 'vfleet.trial=t1'];
  return { ...found, runningArgs: [...found.runningArgs, ...trial] };
}

const HOLDER = 'enable#4 of ops1@bastion holds this host since 2026-11-22T21:13:00Z';

describe('a host that somebody else works on', () => {
  it('is held and names the holder, when it needs changes', async () => {
    const plan = makeHostPlan({ ...(await facts('debian-12-iommu-off')), lease }, target);
    expect(plan).toMatchObject({ kind: 'held', code: 'host.busy' });
    expect(plan).toHaveProperty('sentence', expect.stringContaining(HOLDER));
  });

  it('names the holder, not a reboot, while the trial of that rollout runs', async () => {
    const plan = makeHostPlan({ ...(await onTrial()), lease }, target);
    expect(plan).toMatchObject({ kind: 'held', code: 'host.busy' });
    expect(plan).toHaveProperty('sentence', expect.stringContaining(HOLDER));
  });

  it('is no obstacle to the rollout whose lease it is', async () => {
    const found = { ...(await facts('debian-12-iommu-off')), lease };
    expect(makeHostPlan(found, target, 'l-1').kind).toBe('changes');
  });

  it('complies all the same when it is as asked: there is nothing to do on it', async () => {
    const found = { ...(await facts('debian-12-passthrough')), lease };
    expect(makeHostPlan(found, target).kind).toBe('compliant');
  });

  it('says what else is wrong with it first: a firmware switch is no matter of the holder', async () => {
    const found = { ...(await facts('debian-12-iommu-off')), lease };
    const off = { ...found, firmware: { dmar: false, ivrs: false } };
    expect(makeHostPlan(off, target)).toMatchObject({ code: 'firmware.no-ivrs' });
  });
});

describe('a trial that nobody holds any more', () => {
  it('names the rollout of the record and what to do', async () => {
    const { rollout, who, since } = lease;
    const runs = [{ rollout, who, since, changes: [], outcome: 'skipped' }];
    const record = recordText({ version: 1, runs });
    const plan = makeHostPlan({ ...(await onTrial()), record }, target);
    expect(plan).toMatchObject({ kind: 'blocked', code: 'cmdline.pending-differs' });
    expect(plan).toHaveProperty(
      'sentence',
      'it runs the trial line of enable#4 of ops1@bastion, which was never made the default; ' +
        'reboot it: it returns to its default line by itself',
    );
  });

  it('says so also when the record is lost', async () => {
    const plan = makeHostPlan({ ...(await onTrial()), record: 'torn' }, target);
    expect(plan).toHaveProperty('sentence', expect.stringContaining('of an earlier rollout'));
  });
});
