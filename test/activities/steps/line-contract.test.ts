import { afterEach, describe, expect, it } from 'vitest';
import { applyTrial, makeDefault, undoCmdline } from '../../../activities/steps/cmdline.ts';
import { inspectForward } from '../../../activities/steps/inspect.ts';
import { proveIommu } from '../../../activities/steps/iommu.ts';
import { rebootHost } from '../../../activities/steps/reboot.ts';
import { verifyBoot } from '../../../activities/steps/wait.ts';
import { LOADER_TOOLS } from '../../../src/domain/boot-loader/tools.ts';
import { parseFacts } from '../../../src/facts/parse-facts.ts';
import { INSPECT_PROBE } from '../../../src/facts/probe.ts';
import type { Os } from '../../../src/simulator/model/distributions.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import type { CreateModelHostOptions } from '../../../src/simulator/model/create-model-host.ts';
import { diesAnywhere, differences, leavesOf, well } from '../../support/device-run.ts';
import { begun, guard, LEASE, PASSTHROUGH, rebooted, withTrial } from '../../support/step-run.ts';

/**
 * What holds of the kernel line whatever the boot loader: a driver of another loader is a row here
 * (activities/steps/parts/line-driver.ts).
 */
const ROWS: readonly Os[] = [
  'debian-12',
  'ubuntu-24.04',
  'rhel-8.10',
  'almalinux-9.2',
  'rocky-9.4',
  'centos-10',
  'fedora-42',
];

type Options = Omit<Exclude<CreateModelHostOptions, { snapshot: unknown }>, 'name' | 'os'>;

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (os: Os, options: Options = {}) =>
  (host = createMemoryHost({ name: 'hv1', os, kernelArgs: ['intel_iommu=off'], ...options }));
const facts = async () =>
  parseFacts(await host.read({ entries: INSPECT_PROBE, deadlineMs: 10_000 }));
const loader = async () => {
  const { bootLoader } = await facts();
  if (!bootLoader.supported) throw new Error(bootLoader.reason);
  return bootLoader;
};
const bootId = async () => (await facts()).bootId!;
/** The files of the loader and of the line, and none of the kernel's own. */
const files = () => new Map([...leavesOf(host)].filter(([path]) => /^\/(boot|etc)\//.test(path)));
const changed = (before: ReadonlyMap<string, string>) =>
  Object.keys(differences(before, files())).filter((path) => !path.startsWith('/etc/motd.d'));

describe.each(ROWS)('the kernel line on %s', (os) => {
  it('is booted on trial, proven, made the default, and taken back byte for byte', async () => {
    make(os);
    const before = files();
    const old = (await loader()).defaultEntry;
    const { plan, change } = await withTrial(host);
    expect((await loader()).defaultEntry).toEqual(old);
    await rebooted(host, { bootIdBefore: plan.bootId, trial: true, seq: 3 });
    await well(verifyBoot(host, { change, expect: 'trial', trialId: 't1' }));
    await well(proveIommu(host, PASSTHROUGH));
    await well(makeDefault(host, { change, guard: guard(4) }));
    expect(await loader()).toMatchObject({ defaultEntry: { args: change.after } });
    expect((await loader()).trialEntry).toBeUndefined();
    await rebooted(host, { bootIdBefore: await bootId(), trial: false, seq: 5 });
    await well(proveIommu(host, PASSTHROUGH));

    const undone = await well(undoCmdline(host, { change, guard: guard(6) }));
    expect(undone).toMatchObject({ reboot: 'needed' });
    // What GRUB itself leaves of a one-shot that it has booted is no work of ours.
    const left = changed(before).filter((path) => !path.endsWith('/grubenv'));
    expect(left).toEqual([]);
    await rebooted(host, { bootIdBefore: await bootId(), trial: false, seq: 7 });
    await well(verifyBoot(host, { change, expect: 'before', trialId: 't1' }));
    expect(await well(undoCmdline(host, { change, guard: guard(8) }))).toMatchObject({
      reboot: 'not needed',
    });
  });

  it('comes back on the old line by itself when the trial crashes', async () => {
    make(os, { faults: [{ kind: 'trial-panics' }] });
    const { plan, change } = await withTrial(host);
    await rebooted(host, { bootIdBefore: plan.bootId, trial: true, seq: 3 });
    const outcome = await verifyBoot(host, { change, expect: 'trial', trialId: 't1' });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'reboot.trial-failed' });
    expect(await well(undoCmdline(host, { change, guard: guard(4) }))).toMatchObject({
      reboot: 'not needed',
    });
  });

  it('ends the same wherever the worker dies', async () => {
    make(os);
    const fresh = async () => {
      const one = createMemoryHost({ name: 'hv1', os, kernelArgs: ['intel_iommu=off'] });
      await begun(one);
      return one;
    };
    const { change } = await begun(host);
    const tried = async () => {
      const one = await fresh();
      await well(applyTrial(one, { change, guard: guard(2), trialId: 't1' }));
      return one;
    };
    const settled = async () => {
      const one = await tried();
      await well(makeDefault(one, { change, guard: guard(3) }));
      return one;
    };
    const deaths = [
      await diesAnywhere(fresh, (port, attempt) =>
        applyTrial(port, { change, guard: guard(2, attempt), trialId: 't1' }),
      ),
      await diesAnywhere(tried, (port, attempt) =>
        makeDefault(port, { change, guard: guard(3, attempt) }),
      ),
      await diesAnywhere(settled, (port, attempt) =>
        undoCmdline(port, { change, guard: guard(4, attempt) }),
      ),
    ];
    expect(Math.min(...deaths)).toBeGreaterThan(0);
  });

  it('writes nothing the second time', async () => {
    make(os);
    const { change } = await withTrial(host);
    await well(makeDefault(host, { change, guard: guard(3) }));
    const count = host.model.log.changes().length;
    await well(makeDefault(host, { change, guard: guard(3, 2) }));
    expect(host.model.log.changes()).toHaveLength(count);
  });

  it('clears a one-shot that is armed and not booted', async () => {
    make(os);
    const before = files();
    const { change } = await withTrial(host);
    const { reboot } = LOADER_TOOLS[change.loader];
    await host.run({ guard: guard(3), argv: [reboot, 'vfleet-trial'], deadlineMs: 5000 });
    expect((await loader()).nextEntry).toBe('vfleet-trial');
    await well(undoCmdline(host, { change, guard: guard(4) }));
    expect((await loader()).nextEntry).toBeUndefined();
    expect(changed(before).filter((path) => !path.endsWith('/grubenv'))).toEqual([]);
  });

  it('is not booted with another kernel than the one that was planned for', async () => {
    make(os);
    const { plan, change } = await withTrial(host);
    host.model.tree.put('/proc/sys/kernel/osrelease', '6.66.0-other\n');
    const outcome = await rebootHost(host, {
      guard: guard(3),
      bootIdBefore: plan.bootId,
      trial: true,
    });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'reboot.other-kernel' });
    expect(await bootId()).toBe(plan.bootId);
    expect(change.add.length).toBeGreaterThan(0);
  });

  it('is left alone where it is as asked', async () => {
    make(os, { kernelArgs: ['intel_iommu=on', 'iommu=pt'] });
    expect(await inspectForward(host, PASSTHROUGH, LEASE.id)).toMatchObject({ kind: 'compliant' });
    expect(host.model.log.changes()).toEqual([]);
  });
});
