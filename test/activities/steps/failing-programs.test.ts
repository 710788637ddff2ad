import { afterEach, describe, expect, it } from 'vitest';
import { applyTrial, undoCmdline } from '../../../activities/steps/cmdline.ts';
import { inspectRollback } from '../../../activities/steps/inspect.ts';
import { rebootHost } from '../../../activities/steps/reboot.ts';
import { TRIAL_SNIPPET } from '../../../src/domain/drop-in.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard, LEASE, withTrial } from '../../support/step-run.ts';

const SNIPPET = '/etc/grub.d/42_vfleet_trial';
const GRUB_CFG = '/boot/grub/grub.cfg';

let host: MemoryHost;
const make = (): MemoryHost =>
  (host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] }));
const text = (path: string): string | undefined => host.model.tree.text(path);

afterEach(() => {
  host.model.dispose();
});

describe('a program of GRUB that fails', () => {
  it('update-grub on a full /boot: held with its own words, and the old menu stays', async () => {
    const { change } = await begun(make());
    const before = text(GRUB_CFG);
    host.model.faults.add({ kind: 'disk-full', under: '/boot' });
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome).toMatchObject({
      kind: 'hold',
      code: 'cmdline.update-grub-failed',
      evidence: { stderr: expect.stringContaining('No space left on device') as string },
    });
    expect(text(GRUB_CFG)).toBe(before);
  });

  it('update-grub that passes our snippet over: held, naming what was found and expected', async () => {
    const { change } = await begun(make());
    host.model.tree.put(SNIPPET, TRIAL_SNIPPET, 0o644);
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome).toMatchObject({
      kind: 'hold',
      code: 'cmdline.readback',
      evidence: {
        trial: 'no trial entry',
        expected: expect.stringContaining('vfleet.trial=t1') as string,
      },
    });
  });

  it('grub-reboot on a read-only /boot: held before the host is told to reboot', async () => {
    const { plan } = await withTrial(make());
    host.model.faults.add({ kind: 'read-only', under: '/boot/grub' });
    const call = { bootIdBefore: plan.bootId, trial: true };
    expect(await rebootHost(host, { ...call, guard: guard(3) })).toMatchObject({
      kind: 'hold',
      code: 'reboot.one-shot-failed',
      evidence: { stderr: expect.stringContaining('Read-only file system') as string },
    });
    expect(text('/proc/sys/kernel/random/boot_id')!.trim()).toBe(plan.bootId);
  });

  it('grub-editenv on a read-only /boot: the undo is held, and the trial stays armed', async () => {
    const { change } = await withTrial(make());
    await host.run({ guard: guard(3), argv: ['grub-reboot', 'vfleet-trial'], deadlineMs: 5000 });
    host.model.faults.add({ kind: 'read-only', under: '/boot/grub' });
    expect(await undoCmdline(host, { change, guard: guard(4) })).toMatchObject({
      kind: 'hold',
      code: 'cmdline.one-shot-stuck',
    });
    expect(text('/boot/grub/grubenv')).toContain('next_entry=vfleet-trial');
  });
});

describe('a rollback that cannot begin', () => {
  it('is held when the record is not as vfleet writes it', async () => {
    await begun(make());
    host.model.tree.put('/var/lib/vfleet/record.json', '{"runs": "none"}');
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toMatchObject({
      kind: 'held',
      code: 'rollback.no-record',
    });
  });

  it('is held when no reboot could be proven afterwards', async () => {
    await begun(make());
    host.model.tree.put('/etc/machine-id', '');
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toMatchObject({
      kind: 'held',
      code: 'host.no-boot-id',
    });
  });
});
