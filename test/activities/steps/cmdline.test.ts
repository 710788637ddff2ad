import { afterEach, describe, expect, it } from 'vitest';
import { debianChange } from '../../support/debian-change.ts';
import { applyTrial, makeDefault, undoCmdline } from '../../../activities/steps/cmdline.ts';
import { proveIommu } from '../../../activities/steps/iommu.ts';
import { verifyBoot } from '../../../activities/steps/wait.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard, PASSTHROUGH, rebooted, withTrial } from '../../support/step-run.ts';

const SNIPPET = '/etc/grub.d/42_vfleet_trial';
const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';
const GRUB_CFG = '/boot/grub/grub.cfg';

let host: MemoryHost;
const make = (options: Omit<Parameters<typeof createMemoryHost>[0], 'name'> = {}): MemoryHost => {
  host = createMemoryHost({
    name: 'hv1',
    kernelArgs: ['console=ttyS0', 'intel_iommu=off'],
    ...options,
  });
  return host;
};
const text = (path: string): string | undefined => host.model.tree.text(path);

afterEach(() => {
  host.model.dispose();
});

describe('applyTrial', () => {
  it('adds a trial entry and leaves the default entry as it was', async () => {
    make();
    const before = text(GRUB_CFG);
    const { change } = await begun(host);
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome.kind).toBe('ok');
    expect(text(GRUB_CFG)).not.toBe(before);
    expect(text(GRUB_CFG)).toContain('vfleet.trial=t1');
    expect(text(DROP_IN)).toBeUndefined();
  });

  it('is safe twice: the second time writes nothing', async () => {
    const { change } = await withTrial(make());
    const outcome = await applyTrial(host, { change, guard: guard(2, 2), trialId: 't1' });
    expect(outcome.kind).toBe('ok');
    expect(host.model.log.changesOf(SNIPPET)).toBe(1);
  });

  it('holds with drift when someone changed the line since the plan', async () => {
    const { change } = await begun(make());
    host.model.tree.put('/etc/default/grub.d/50-other.cfg', 'GRUB_CMDLINE_LINUX="nosmt"\n');
    await host.run({ argv: ['update-grub'], deadlineMs: 5000 });
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'drift' });
    expect(text(SNIPPET)).toBeUndefined();
  });

  it('holds on a full disk, with the old files as they were', async () => {
    const { change } = await begun(make());
    const before = text(GRUB_CFG);
    host.model.faults.add({ kind: 'disk-full' });
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'host.disk-full' });
    expect(text(GRUB_CFG)).toBe(before);
    expect(text(SNIPPET)).toBeUndefined();
  });

  it('holds on a read-only root', async () => {
    const { change } = await begun(make());
    host.model.faults.add({ kind: 'read-only' });
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome.kind === 'hold' && outcome.code).toBe('host.read-only');
  });
});

describe('the whole way of a line', () => {
  it('is booted on trial, proven, made the default, and taken back byte for byte', async () => {
    make();
    const before = text(GRUB_CFG);
    const { plan, change } = await withTrial(host);
    await rebooted(host, { bootIdBefore: plan.bootId, trial: true, seq: 3 });
    expect(await verifyBoot(host, { change, expect: 'trial', trialId: 't1' })).toMatchObject({
      kind: 'ok',
    });
    expect(await proveIommu(host, PASSTHROUGH)).toMatchObject({
      kind: 'ok',
      evidence: { units: 'dmar0' },
    });
    expect((await makeDefault(host, { change, guard: guard(4) })).kind).toBe('ok');
    expect(text(SNIPPET)).toBeUndefined();
    expect(text(DROP_IN)).toBe(debianChange(change).dropIn.after);

    const undone = await undoCmdline(host, { change, guard: guard(5) });
    expect(undone).toMatchObject({ kind: 'ok', evidence: { reboot: 'needed' } });
    expect(text(GRUB_CFG)).toBe(before);
    expect(text(DROP_IN)).toBeUndefined();
    await rebooted(host, {
      bootIdBefore: text('/proc/sys/kernel/random/boot_id')!.trim(),
      trial: false,
      seq: 6,
    });
    expect(await verifyBoot(host, { change, expect: 'before', trialId: 't1' })).toMatchObject({
      kind: 'ok',
    });
  });

  it('sees that a trial crashed: the host is back on the old line by itself', async () => {
    make({ faults: [{ kind: 'trial-panics' }] });
    const { plan, change } = await withTrial(host);
    await rebooted(host, { bootIdBefore: plan.bootId, trial: true, seq: 3 });
    const outcome = await verifyBoot(host, { change, expect: 'trial', trialId: 't1' });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'reboot.trial-failed' });
    const undone = await undoCmdline(host, { change, guard: guard(4) });
    expect(undone).toMatchObject({ kind: 'ok', evidence: { reboot: 'not needed' } });
  });
});

describe('makeDefault', () => {
  it('is safe twice', async () => {
    const { change } = await withTrial(make());
    await makeDefault(host, { change, guard: guard(3) });
    const again = await makeDefault(host, { change, guard: guard(3, 2) });
    expect(again.kind).toBe('ok');
    expect(host.model.log.changesOf(DROP_IN)).toBe(1);
  });

  it('goes on where a crash left the drop-in written and grub.cfg old', async () => {
    const { change } = await withTrial(make());
    host.model.faults.add({ kind: 'drops', when: 'before', program: 'update-grub' });
    await expect(makeDefault(host, { change, guard: guard(3) })).rejects.toThrow();
    expect(text(DROP_IN)).toBe(debianChange(change).dropIn.after);
    const again = await makeDefault(host, { change, guard: guard(3, 2) });
    expect(again.kind).toBe('ok');
    expect(host.model.log.changesOf(DROP_IN)).toBe(1);
  });

  it('holds with drift when someone edited our drop-in', async () => {
    const { change } = await withTrial(make());
    host.model.tree.put(DROP_IN, 'GRUB_CMDLINE_LINUX="mine"\n');
    const outcome = await makeDefault(host, { change, guard: guard(3) });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'drift' });
    expect(text(DROP_IN)).toBe('GRUB_CMDLINE_LINUX="mine"\n');
  });
});

describe('undoCmdline', () => {
  it('touches nothing on a host where nothing of ours is left', async () => {
    const { change } = await begun(make());
    const count = host.model.log.changes().length;
    const outcome = await undoCmdline(host, { change, guard: guard(2) });
    expect(outcome).toMatchObject({ kind: 'ok', evidence: { reboot: 'not needed' } });
    const since = host.model.log.changes().slice(count);
    expect(since.map((entry) => entry.what)).toEqual([]);
  });

  it('clears a one-shot that is armed and not booted', async () => {
    const { change } = await withTrial(make());
    await host.run({ guard: guard(3), argv: ['grub-reboot', 'vfleet-trial'], deadlineMs: 5000 });
    expect(text('/boot/grub/grubenv')).toContain('next_entry=vfleet-trial');
    expect((await undoCmdline(host, { change, guard: guard(4) })).kind).toBe('ok');
    expect(text('/boot/grub/grubenv')).not.toContain('next_entry=vfleet-trial');
  });
});
