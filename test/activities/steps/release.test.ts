import { afterEach, describe, expect, it } from 'vitest';
import { applyTrial } from '../../../activities/steps/cmdline.ts';
import { finishRun } from '../../../activities/steps/finish.ts';
import { readOwnState } from '../../../activities/steps/own-state.ts';
import { releaseHost } from '../../../activities/steps/release.ts';
import { parseRecord } from '../../../src/facts/record.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard, LEASE, withTrial } from '../../support/step-run.ts';

const RELEASED = { who: 'ops2', at: '2026-11-23T03:00:00Z', reason: 'the engine burned' };

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = () => (host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] }));
const names = (folder: string) => host.model.tree.names(folder);
/** The lease as it is shown to whoever is asked. */
const seen = async () => {
  const own = await readOwnState(host);
  return { ...own, lease: own.lease ?? '' };
};

describe('releaseHost', () => {
  it('takes lease and message of the day away, and notes who and why', async () => {
    await withTrial(make());
    const outcomes = await releaseHost(host, { own: await seen(), released: RELEASED });
    expect(outcomes.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'written /var/lib/vfleet/record.json',
      'written /var/lib/vfleet/lease',
      'written /etc/motd.d/50-vfleet',
    ]);
    const record = parseRecord(host.model.tree.text('/var/lib/vfleet/record.json'));
    expect(record?.runs).toHaveLength(1);
    expect(record?.runs[0]?.released).toEqual(RELEASED);
    expect(names('/etc')).not.toContain('motd.d');
  });

  it('changes nothing else: the trial and its UNDO.txt stay', async () => {
    await withTrial(make());
    const cfg = host.model.tree.text('/boot/grub/grub.cfg');
    await releaseHost(host, { own: await seen(), released: RELEASED });
    expect(host.model.tree.text('/boot/grub/grub.cfg')).toBe(cfg);
    expect(names('/etc/grub.d')).toContain('42_vfleet_trial');
    expect(names('/var/lib/vfleet')).toContain('UNDO.txt');
  });

  it('does not cut off a rollout that has done something since it was looked at', async () => {
    const { change } = await begun(make());
    const own = await seen();
    await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    await expect(releaseHost(host, { own, released: RELEASED })).rejects.toMatchObject({
      code: 'host.fenced',
    });
    expect(names('/var/lib/vfleet')).toContain('lease');
  });

  it('works past a fence file that is broken, which counts as none', async () => {
    await begun(make());
    host.model.tree.put('/var/lib/vfleet/fence', `${LEASE.id} x\n`);
    await releaseHost(host, { own: await seen(), released: RELEASED });
    expect(names('/var/lib/vfleet')).not.toContain('lease');
  });

  it('leaves a lease that another rollout has taken meanwhile', async () => {
    await begun(make());
    const own = await seen();
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    host.model.tree.put('/var/lib/vfleet/lease', 'id=other\nrollout=sriov#1\n');
    await expect(releaseHost(host, { own, released: RELEASED })).rejects.toMatchObject({
      code: 'host.lease-lost',
    });
    expect(host.model.tree.text('/var/lib/vfleet/lease')).toBe('id=other\nrollout=sriov#1\n');
  });

  it('notes it also for a run that took the lease and got no further', async () => {
    make().model.tree.put('/var/lib/vfleet/lease', 'id=l9\nrollout=sriov#1\nwho=eve\nsince=then\n');
    await releaseHost(host, { own: await seen(), released: RELEASED });
    expect(parseRecord(host.model.tree.text('/var/lib/vfleet/record.json'))?.runs).toEqual([
      { rollout: 'sriov#1', who: 'eve', since: 'then', changes: [], released: RELEASED },
    ]);
    expect(names('/var/lib/vfleet')).not.toContain('UNDO.txt');
  });

  it('lets the same run begin again afterwards', async () => {
    const { change } = await begun(make());
    await releaseHost(host, { own: await seen(), released: RELEASED });
    await begun(host);
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome.kind).toBe('ok');
  });
});
