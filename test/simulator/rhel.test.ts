import { afterEach, describe, expect, it } from 'vitest';
import { INSPECT_PROBE } from '../../src/facts/probe.ts';
import { parseFacts } from '../../src/facts/parse-facts.ts';
import { createMemoryHost, type MemoryHost } from '../../src/simulator/memory-host.ts';
import { bootLoader } from '../../src/simulator/model/boot.ts';
import { DISTRIBUTIONS, type Os } from '../../src/simulator/model/distributions.ts';
import { editEnvironment } from '../../src/simulator/model/programs/grub-environment.ts';
import type { HostTreeOptions } from '../../src/simulator/model/make-host-tree.ts';
import { rebootModel } from './support/reboot-model.ts';

const RHEL = (Object.keys(DISTRIBUTIONS) as Os[]).filter(
  (os) => DISTRIBUTIONS[os].family === 'rhel',
);
const ENTRIES = '/boot/loader/entries';
const ENV = '/boot/grub2/grubenv';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (os: Os, options: Omit<HostTreeOptions, 'name' | 'os'> = {}) => {
  host = createMemoryHost({ name: 'hv1', os, ...options });
  return host.model;
};
const line = () => host.model.tree.text('/proc/cmdline')!.trim();
const release = () => host.model.tree.text('/proc/sys/kernel/osrelease')!.trim();
const run = async (...argv: [string, ...string[]]) => {
  const outcome = await host.run({ argv, deadlineMs: 5000 });
  if (!('stdout' in outcome)) throw new Error(JSON.stringify(outcome));
  return outcome;
};
const set = (name: string, value: string) =>
  editEnvironment(host.model, { name: 'grub2-editenv', path: ENV }, (it) => it.set(name, value));
const env = async () => (await run('grub2-editenv', 'list')).stdout.split('\n');
const machineId = () => host.model.tree.text('/etc/machine-id')!.trim();
const kernels = (os: Os) => {
  const found = DISTRIBUTIONS[os];
  return found.family === 'rhel' ? found.kernels : ([found.kernel, found.kernel] as const);
};
/** What becomes of a boot with this default. */
const booted = (saved: string) => {
  set('saved_entry', saved);
  return bootLoader(host.model.tree, host.model.machine, () => false);
};
const words = (saved: string) => {
  const outcome = booted(saved);
  return outcome.kind === 'up' ? outcome.words : [];
};
/** Adds an entry for a kernel. */
const addEntry = (id: string, kernel: string, options: string, more = '') => {
  host.model.tree.put(
    `${ENTRIES}/${id}.conf`,
    `title ${id}\nversion ${kernel}\nlinux /vmlinuz-${kernel}\n${more}options ${options}\n`,
  );
};

describe.each(RHEL)('a host of %s', (os) => {
  it('is read as the machine that it was made to be', async () => {
    make(os, { kernelArgs: ['intel_iommu=on'] });
    const facts = parseFacts(await host.read({ entries: INSPECT_PROBE, deadlineMs: 10_000 }));
    expect(facts).toMatchObject({
      kernelRelease: kernels(os)[0],
      machineId: machineId(),
      selinux: 'enforcing',
      kvm: true,
      qemu: true,
    });
    expect(facts.bootLoader).toMatchObject({
      supported: true,
      kind: 'grub-bls',
      oneShot: { safe: true },
    });
    expect(host.model.complaints).toEqual([]);
  });

  it('boots the newest kernel, which grubenv names, and shows the line of its entry', async () => {
    const model = make(os, { kernelArgs: ['quiet'] });
    expect(release()).toBe(kernels(os)[0]);
    const words = line().split(' ');
    expect(words[0]).toBe(`BOOT_IMAGE=(hd0,gpt2)/vmlinuz-${kernels(os)[0]}`);
    expect(words[1]).toMatch(/^root=\/dev\/mapper\/[a-z]+-root$/);
    expect(words.at(-1)).toBe('quiet');
    expect(line()).not.toContain('$');
    const before = line();
    await rebootModel(model);
    expect(line()).toBe(before);
  });

  it('boots a one-shot entry once, and leaves its variable there empty', async () => {
    const model = make(os);
    const before = line();
    addEntry('vfleet-trial', kernels(os)[0], `${before.replace(/^\S+ /, '')} vfleet.trial=t1`);
    expect((await run('grub2-reboot', 'vfleet-trial')).code).toBe(0);
    await rebootModel(model);
    expect(line()).toContain(' vfleet.trial=t1');
    expect(await env()).toContain('next_entry=');
    await rebootModel(model);
    expect(line()).toBe(before);
  });

  it('returns to the default when the kernel of the one-shot panics', async () => {
    const model = make(os, {});
    model.addFault({ kind: 'trial-panics' });
    const before = line();
    addEntry('vfleet-trial', kernels(os)[0], 'root=/dev/mapper/x vfleet.trial=t1 panic=30');
    await run('grub2-reboot', 'vfleet-trial');
    await rebootModel(model);
    expect(line()).toBe(before);
    expect(model.log.entries.some(({ effect }) => effect === 'panic')).toBe(true);
  });

  it('boots again from what was read of it', async () => {
    make(os, { kernelArgs: ['quiet'] });
    const snapshot = await host.read({ entries: INSPECT_PROBE, deadlineMs: 10_000 });
    const before = line();
    host.model.dispose();
    host = createMemoryHost({ name: 'hv1', snapshot });
    await host.model.powerCycle();
    expect(line()).toBe(before);
    expect(await run('grub2-reboot', 'x')).toMatchObject({ code: 0 });
  });

  it('has no programs with the names of Debian’s', async () => {
    make(os);
    for (const name of ['update-grub', 'grub-reboot', 'grub-editenv', 'update-initramfs']) {
      expect(await host.run({ argv: [name], deadlineMs: 1000 })).toMatchObject({
        kind: 'not-found',
      });
    }
  });
});

describe('the loader of the RHEL family', () => {
  it.each([
    ['the place in the menu, newest first', '1', 1],
    ['the first entry, where the place is not in the menu', '7', 0],
    ['the first entry, where it names nothing', 'gone', 0],
    ['the first entry, where grubenv has none', null, 0],
  ] as const)('boots %s', (_, savedEntry, at) => {
    make('rocky-9.4', { savedEntry });
    expect(release()).toBe(kernels('rocky-9.4')[at]);
  });

  it('takes an entry’s title for its name too, and an id that begins with a digit for no place', () => {
    make('rocky-9.4');
    const [newer, older] = kernels('rocky-9.4');
    expect(words(`Rocky Linux (${older}) 9.4 (Blue Onyx)`)[0]).toMatch(older);
    addEntry('1a-1-1', older, 'root=/dev/mapper/rl-root');
    expect(booted('1a-1-1')).toMatchObject({ title: '1a-1-1' });
    expect(booted('1b-1-1')).toMatchObject({ title: `Rocky Linux (${newer}) 9.4 (Blue Onyx)` });
  });

  it('boots an entry with a name that sorts first, where the default is a place', async () => {
    const model = make('rocky-9.4', { savedEntry: '0' });
    addEntry(
      '9999999999999999-1-1',
      kernels('rocky-9.4')[1],
      `${line().slice(line().indexOf(' '))} x`,
    );
    await rebootModel(model);
    expect(line().endsWith(' x')).toBe(true);
  });

  it('reads an entry up to a line without a value, and the first options only', () => {
    make('rocky-9.4');
    const [kernel] = kernels('rocky-9.4');
    const root = line().split(' ')[1]!;
    addEntry('a-1-1', kernel, `${root} one\noptions two`);
    expect(booted('a-1-1')).toMatchObject({
      kind: 'up',
      words: [`BOOT_IMAGE=(hd0,gpt2)/vmlinuz-${kernel}`, root, 'one'],
    });
    addEntry('a-1-2', kernel, `${root} one`, '\n');
    expect(booted('a-1-2')).toMatchObject({
      kind: 'panic',
      why: 'initramfs: root= does not exist',
    });
  });

  it('knows `$name` as a variable of grubenv, and `${name}` and what is escaped as none', () => {
    make('rocky-9.4');
    set('more', 'a b');
    addEntry(
      'a-1-1',
      kernels('rocky-9.4')[0],
      `root=/dev/mapper/rl-root $more$gone \${more} \\$more`,
    );
    expect(words('a-1-1').slice(1)).toEqual([
      'root=/dev/mapper/rl-root',
      'a',
      'b',
      '{more}',
      '\\$more',
    ]);
  });

  it('stands in its menu where an entry’s kernel is not there', () => {
    make('rocky-9.4');
    addEntry('a-1-1', 'gone', 'root=/dev/mapper/rl-root');
    expect(booted('a-1-1')).toEqual({
      kind: 'stuck',
      why: "GRUB: error: file `/vmlinuz-gone' not found",
    });
  });

  it('stands in dracut’s shell without a root file system, whatever panic= says', () => {
    make('rocky-9.4');
    addEntry('a-1-1', kernels('rocky-9.4')[0], 'root=/dev/gone panic=30');
    expect(booted('a-1-1')).toMatchObject({
      kind: 'panic',
      why: 'initramfs: root=/dev/gone does not exist',
      rebootAfterS: undefined,
    });
  });

  it('returns from there when told rd.shell=0 and rd.emergency=reboot', async () => {
    const model = make('rocky-9.4', {});
    const before = line();
    const args = 'root=/dev/gone rd.shell=0 rd.emergency=reboot';
    addEntry('a-1-1', kernels('rocky-9.4')[0], args);
    await run('grub2-reboot', 'a-1-1');
    await rebootModel(model);
    expect(line()).toBe(before);
  });

  it('leaves a one-shot set where GRUB cannot write', async () => {
    const model = make('rocky-9.4', { bootAbstraction: 'lvm' });
    const trial = `${line().replace(/^\S+ /, '')} x`;
    addEntry('vfleet-trial', kernels('rocky-9.4')[0], trial);
    await run('grub2-reboot', 'vfleet-trial');
    for (let boot = 1; boot <= 2; boot += 1) {
      await rebootModel(model);
      expect(line().endsWith(' x')).toBe(true);
    }
  });

  it('puts what tuned has in place of its variable; that of grub.cfg counts', async () => {
    const model = make('almalinux-9.2', { tuned: ['skew_tick=1', 'nohz=on'] });
    expect(line().endsWith(' skew_tick=1 nohz=on')).toBe(true);
    set('tuned_params', 'other=1');
    await rebootModel(model);
    expect(line().endsWith(' skew_tick=1 nohz=on')).toBe(true);
  });

  it('notes each boot as not yet successful, as 10_reset_boot_success does', async () => {
    const model = make('fedora-42');
    set('boot_success', '1');
    await rebootModel(model);
    expect(await env()).toEqual(expect.arrayContaining(['boot_success=0', 'boot_indeterminate=0']));
  });

  it('uses an Intel IOMMU only when asked', () => {
    make('rocky-9.4');
    expect(host.model.tree.names('/sys/class/iommu')).toEqual([]);
    host.model.dispose();
    make('rocky-9.4', { kernelArgs: ['intel_iommu=on'] });
    expect(host.model.tree.names('/sys/class/iommu')).toEqual(['dmar0']);
  });
});
