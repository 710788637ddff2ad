import { afterEach, describe, expect, it } from 'vitest';
import { applyTrial, makeDefault, undoCmdline } from '../../../activities/steps/cmdline.ts';
import { inspectForward } from '../../../activities/steps/inspect.ts';
import type { GrubBlsChange } from '../../../src/domain/changes.ts';
import type { GrubBlsFacts } from '../../../src/domain/facts.ts';
import { parseFacts } from '../../../src/facts/parse-facts.ts';
import { INSPECT_PROBE } from '../../../src/facts/probe.ts';
import type { Os } from '../../../src/simulator/model/distributions.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { well } from '../../support/device-run.ts';
import { begun, guard, LEASE, PASSTHROUGH } from '../../support/step-run.ts';

/** What only loaders with entries in files have: the rest is in line-contract.test.ts. */
const DEFAULT_GRUB = '/etc/default/grub';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (os: Os) =>
  (host = createMemoryHost({ name: 'hv1', os, kernelArgs: ['intel_iommu=off', 'ro'] }));
const tree = () => host.model.tree;
const loader = async (): Promise<GrubBlsFacts> => {
  const { bootLoader } = parseFacts(
    await host.read({ entries: INSPECT_PROBE, deadlineMs: 10_000 }),
  );
  if (bootLoader.supported && bootLoader.kind === 'grub-bls') return bootLoader;
  throw new Error(JSON.stringify(bootLoader));
};
/** A person at the host's own keyboard. */
const person = async (...argv: [string, ...string[]]) => {
  const { code, stderr } = await host.run({ argv, deadlineMs: 60_000 });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
};
async function planned(): Promise<GrubBlsChange> {
  const { change } = await begun(host);
  if (change.loader !== 'grub-bls') throw new Error(change.loader);
  return change;
}
async function standing(): Promise<GrubBlsChange> {
  const change = await planned();
  await well(applyTrial(host, { change, guard: guard(2), trialId: 't1' }));
  await well(makeDefault(host, { change, guard: guard(3) }));
  return change;
}

describe('a plan', () => {
  it('is refused where /etc/default/grub sets its line in a way that only a shell could tell', async () => {
    make('rocky-9.4');
    tree().put(DEFAULT_GRUB, `${tree().text(DEFAULT_GRUB)}GRUB_CMDLINE_LINUX+=" quiet"\n`);
    expect(await inspectForward(host, PASSTHROUGH, LEASE.id)).toMatchObject({
      kind: 'blocked',
      code: 'bootloader.default-grub-unclear',
    });
  });

  it('is refused where tuned puts back what is to go', async () => {
    make('rhel-8.10');
    const own = `kernelopts=${(await loader()).variables.kernelopts!.replace(' intel_iommu=off', '')}`;
    await person('grub2-editenv', '-', 'set', own);
    const cfg = '/boot/efi/EFI/redhat/grub.cfg';
    const theirs = 'set tuned_params="intel_iommu=off"';
    tree().put(
      cfg,
      tree()
        .text(cfg)!
        .replace(/^set tuned_params=.*$/m, theirs),
    );
    tree().put('/proc/cmdline', `BOOT_IMAGE=x ${(await loader()).defaultEntry.args.join(' ')}\n`);
    const plan = await inspectForward(host, PASSTHROUGH, LEASE.id);
    expect(plan).toMatchObject({ kind: 'blocked', code: 'cmdline.other-owner' });
    expect(JSON.stringify(plan)).toContain('tuned');
  });

  it('leaves the rescue entry alone, and all else of each file', async () => {
    make('centos-10');
    const change = await planned();
    const { entries } = await loader();
    const rescue = entries.filter(({ path }) => path.includes('-0-rescue'));
    expect(rescue).toHaveLength(1);
    expect(change.files.map(({ path }) => path)).not.toContain(rescue[0]?.path);
    for (const { before, after } of change.files) {
      const other = (text: string | null) =>
        text?.split('\n').filter((line) => !line.includes('intel_iommu'));
      expect(other(after)).toEqual(other(before));
    }
  });
});

describe('the default', () => {
  it('is held, and goes on, where grubenv cannot be written', async () => {
    make('rhel-8.10');
    const change = await planned();
    await well(applyTrial(host, { change, guard: guard(2), trialId: 't1' }));
    const real = host.model.programs.get('grub2-editenv')!;
    host.model.programs.set('grub2-editenv', {
      run: () => ({ code: 1, stdout: '', stderr: 'environment block too small', changed: false }),
    });
    expect(await makeDefault(host, { change, guard: guard(3) })).toMatchObject({
      kind: 'hold',
      code: 'cmdline.kernelopts-failed',
    });
    host.model.programs.set('grub2-editenv', real);
    await well(makeDefault(host, { change, guard: guard(3, 2) }));
    expect((await loader()).defaultEntry.args).toEqual(change.after);
  });

  it('is not touched when somebody edited an entry since', async () => {
    make('rocky-9.4');
    const change = await planned();
    const { defaultPath } = await loader();
    tree().put(
      defaultPath,
      tree()
        .text(defaultPath)!
        .replace(/^options /m, 'options mine '),
    );
    const outcome = await applyTrial(host, { change, guard: guard(2), trialId: 't1' });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'drift' });
    expect((await loader()).trialEntry).toBeUndefined();
  });

  it('is what grubby shows', async () => {
    make('almalinux-9.2');
    const change = await standing();
    const { stdout } = await host.run({ argv: ['grubby', '--info=DEFAULT'], deadlineMs: 5_000 });
    const args = /^args="(.*)"$/m.exec(stdout)?.[1]?.split(' ');
    expect(args).toEqual(expect.arrayContaining([...change.add]));
    expect(args).not.toContain('intel_iommu=off');
  });
});

describe.each<Os>(['rhel-8.10', 'almalinux-9.2', 'rocky-9.4', 'centos-10', 'fedora-42'])(
  'a kernel that is installed on %s after the change',
  (os) => {
    it('has the new line, and the old one after the change was taken back', async () => {
      make(os);
      const change = await standing();
      const { defaultPath } = await loader();
      const image = tree()
        .glob('/boot/vmlinuz-*')
        .find((path) => !path.includes('rescue'))!;
      const release = image
        .slice('/boot/vmlinuz-'.length)
        .replace(/^(\d+\.\d+\.\d+)-\d+/, '$1-999');
      tree().put(`/boot/vmlinuz-${release}`, 'kernel');
      // From the next boot on the running line has it too, from which older releases make the entry.
      tree().put('/proc/cmdline', `BOOT_IMAGE=x ${change.after.join(' ')}\n`);
      await person('kernel-install', 'add', release, `/boot/vmlinuz-${release}`);
      const added = await loader();
      expect(added.defaultPath).not.toBe(defaultPath);
      expect(added.defaultEntry.args).toEqual(expect.arrayContaining([...change.add]));
      await well(undoCmdline(host, { change, guard: guard(5) }));
      const { defaultEntry } = await loader();
      expect(defaultEntry.args.filter((arg) => change.add.includes(arg))).toEqual([]);
      expect(defaultEntry.args).toEqual(expect.arrayContaining(['intel_iommu=off']));
    });
  },
);
