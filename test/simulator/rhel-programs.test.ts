import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryHost, type MemoryHost } from '../../src/simulator/memory-host.ts';
import type { Os } from '../../src/simulator/model/distributions.ts';
import type { CreateModelHostOptions } from '../../src/simulator/model/create-model-host.ts';
import { rebootModel } from './support/reboot-model.ts';

type Options = Omit<Exclude<CreateModelHostOptions, { snapshot: unknown }>, 'name' | 'os'>;

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = (os: Os, options: Options = {}) => {
  host = createMemoryHost({ name: 'hv1', os, ...options });
  return host.model.tree;
};
const run = async (...argv: [string, ...string[]]) => {
  const outcome = await host.run({ argv, deadlineMs: 5000 });
  if (!('stdout' in outcome)) throw new Error(JSON.stringify(outcome));
  return outcome;
};
const ENTRIES = '/boot/loader/entries';
const entries = () =>
  host.model.tree.names(ENTRIES)!.map((name) => host.model.tree.text(`${ENTRIES}/${name}`)!);
const options = () => entries().map((text) => /^options (.*)$/m.exec(text)![1]!);
const defaultGrub = () =>
  /^GRUB_CMDLINE_LINUX="(.*)"$/m.exec(host.model.tree.text('/etc/default/grub')!)![1]!;
const addToDefaultGrub = (word: string) => {
  const text = host.model.tree.text('/etc/default/grub')!;
  host.model.tree.put(
    '/etc/default/grub',
    text.replace(/^(GRUB_CMDLINE_LINUX=".*)"$/m, `$1 ${word}"`),
  );
};
const env = async () => (await run('grub2-editenv', '-', 'list')).stdout;
const kernelopts = async () => /^kernelopts=(.*)$/m.exec(await env())?.[1];
const saved = async () => /^saved_entry=(.*)$/m.exec(await env())?.[1];
const machineId = () => host.model.tree.text('/etc/machine-id')!.trim();

describe('grub2-mkconfig', () => {
  it('writes the grub.cfg that is there, with the default that /etc/default/grub names', async () => {
    const tree = make('rocky-9.4');
    const before = tree.text('/boot/grub2/grub.cfg');
    expect(await run('grub2-mkconfig', '-o', '/boot/grub2/grub.cfg')).toMatchObject({ code: 0 });
    expect(tree.text('/boot/grub2/grub.cfg')).toBe(before);
    expect((await run('grub2-mkconfig')).stdout).toBe(before);
    const text = tree.text('/etc/default/grub')!;
    tree.put('/etc/default/grub', text.replace('GRUB_DEFAULT=saved', 'GRUB_DEFAULT=0'));
    await run('grub2-mkconfig', '-o', '/etc/grub2.cfg');
    expect(tree.text('/boot/grub2/grub.cfg')).toContain('   set default="0"\n');
  });

  it.each([
    ['almalinux-9.2', []],
    ['fedora-42', []],
    ['rocky-9.4', ['--update-bls-cmdline']],
    ['centos-10', ['--update-bls-cmdline']],
  ] as const)('of %s %j gives every entry the line, the rescue entry too', async (os, flags) => {
    const tree = make(os);
    addToDefaultGrub('mark=1');
    expect((await run('grub2-mkconfig', '-o', '/boot/grub2/grub.cfg', ...flags)).code).toBe(0);
    const [line = ''] = options();
    expect(options()).toEqual([line, line, line]);
    expect(line.trim().split(' ').at(-1)).toBe('mark=1');
    expect(line).not.toContain('$tuned_params');
    expect(tree.text('/etc/kernel/cmdline')!.trim()).toBe(line.trim());
  });

  it.each(['rocky-9.4', 'centos-10'] as const)(
    'of %s leaves entries alone unless told',
    async (os) => {
      const tree = make(os);
      const before = [entries(), tree.text('/etc/kernel/cmdline')];
      addToDefaultGrub('mark=1');
      expect((await run('grub2-mkconfig', '-o', '/boot/grub2/grub.cfg')).code).toBe(0);
      expect([entries(), tree.text('/etc/kernel/cmdline')]).toEqual(before);
      await rebootModel(host.model);
      expect(tree.text('/proc/cmdline')).not.toContain('mark=1');
    },
  );

  it('of release 8 writes kernelopts into grubenv, and the entries name it', async () => {
    const tree = make('rhel-8.10');
    const before = entries();
    addToDefaultGrub('mark=1');
    expect((await run('grub2-mkconfig', '-o', '/etc/grub2-efi.cfg')).code).toBe(0);
    expect((await kernelopts())?.trim().endsWith(' mark=1')).toBe(true);
    expect(entries()).toEqual(before);
    expect(tree.text('/boot/efi/EFI/redhat/grub.cfg')).toContain('mark=1');
    await rebootModel(host.model);
    expect(tree.text('/proc/cmdline')?.trim().endsWith(' mark=1')).toBe(true);
  });

  it('keeps the line of the next kernel that was written after its settings', async () => {
    const tree = make('almalinux-9.2');
    addToDefaultGrub('mark=1');
    tree.put('/etc/kernel/cmdline', 'root=/dev/mine ro\n');
    await run('grub2-mkconfig', '-o', '/boot/grub2/grub.cfg');
    expect(tree.text('/etc/kernel/cmdline')).toBe('root=/dev/mine ro\n');
  });

  it.each([
    ['the stub on the EFI partition', 'rocky-9.4', ['-o', '/boot/efi/EFI/rocky/grub.cfg']],
    ['an option that Fedora’s does not have', 'fedora-42', ['--update-bls-cmdline']],
  ] as const)('refuses %s, and writes nothing', async (_, os, args) => {
    const tree = make(os);
    const before = new Map(tree.leaves());
    expect((await run('grub2-mkconfig', ...args)).code).toBe(1);
    expect(new Map(tree.leaves())).toEqual(before);
  });

  it('says loudly what it cannot interpret', async () => {
    make('rocky-9.4');
    addToDefaultGrub('$(cat /proc/cmdline)');
    expect((await run('grub2-mkconfig', '-o', '/boot/grub2/grub.cfg')).code).toBe(1);
    expect(host.model.complaints).toEqual([expect.stringContaining('cannot interpret')]);
  });

  it('fails on a full disk and leaves the old menu', async () => {
    const tree = make('rocky-9.4', { faults: [{ kind: 'disk-full', under: '/boot' }] });
    const before = tree.text('/boot/grub2/grub.cfg');
    addToDefaultGrub('mark=1');
    expect((await run('grub2-mkconfig', '-o', '/boot/grub2/grub.cfg')).code).toBe(1);
    expect(tree.text('/boot/grub2/grub.cfg')).toBe(before);
  });
});

describe('grubby', () => {
  it('says what the default boots', async () => {
    make('rocky-9.4');
    const kernel = '5.14.0-427.42.1.el9_4.x86_64';
    expect((await run('grubby', '--default-kernel')).stdout).toBe(`/boot/vmlinuz-${kernel}\n`);
    expect((await run('grubby', '--default-index')).stdout).toBe('0\n');
    expect((await run('grubby', '--info=DEFAULT')).stdout).toBe(`index=0
kernel="/boot/vmlinuz-${kernel}"
args="ro crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M resume=/dev/mapper/rl-swap rd.lvm.lv=rl/root rd.lvm.lv=rl/swap $tuned_params"
root="/dev/mapper/rl-root"
initrd="/boot/initramfs-${kernel}.img $tuned_initrd"
title="Rocky Linux (${kernel}) 9.4 (Blue Onyx)"
id="${machineId()}-${kernel}"
`);
  });

  it('edits all entries, also the rescue entry, and the files for kernels to come', async () => {
    const tree = make('rocky-9.4', { kernelArgs: ['quiet'] });
    await run('grubby', '--update-kernel=ALL', '--args=intel_iommu=on', '--remove-args=quiet');
    for (const line of [...options(), tree.text('/etc/kernel/cmdline')!, defaultGrub()]) {
      expect(line.split(/\s+/)).toContain('intel_iommu=on');
      expect(line.split(/\s+/)).not.toContain('quiet');
    }
    // tuned's variable is no longer the last word.
    expect(options()[1]!.endsWith(' $tuned_params intel_iommu=on')).toBe(true);
  });

  it('edits kernelopts where entries name it, and one entry’s own line when asked for it', async () => {
    make('rhel-8.10');
    const before = entries();
    await run('grubby', '--update-kernel', 'ALL', '--args', 'intel_iommu=on');
    expect(entries()).toEqual(before);
    expect((await kernelopts())?.endsWith(' intel_iommu=on')).toBe(true);
    const kernel = '/boot/vmlinuz-4.18.0-553.el8_10.x86_64';
    await run('grubby', `--update-kernel=${kernel}`, '--args=one=1');
    const [older] = options().filter((line) => line.includes('one=1'));
    expect(older).toMatch(/^root=.* intel_iommu=on \$tuned_params one=1$/);
    expect((await run('grubby', '--info', kernel)).stdout).toContain('one=1"\n');
  });

  it('makes another kernel the default by its entry’s id', async () => {
    const tree = make('centos-10');
    const kernel = '6.12.0-211.el10.x86_64';
    const { code, stderr } = await run('grubby', `--set-default=/boot/vmlinuz-${kernel}`);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `The default is ${ENTRIES}/${machineId()}-${kernel}.conf with index 1 and kernel /boot/vmlinuz-${kernel}\n`,
    });
    expect(await saved()).toBe(`${machineId()}-${kernel}`);
    await rebootModel(host.model);
    expect(tree.text('/proc/sys/kernel/osrelease')).toBe(`${kernel}\n`);
  });

  it('refuses a kernel that has no entry, and what the model does not know', async () => {
    make('rocky-9.4');
    expect(await run('grubby', '--info=/boot/vmlinuz-1')).toMatchObject({
      code: 1,
      stderr: 'The param /boot/vmlinuz-1 is incorrect\n',
    });
    expect((await run('grubby', '--add-kernel=/boot/vmlinuz-1')).code).toBe(1);
    expect(host.model.complaints).toHaveLength(1);
  });
});

describe('kernel-install', () => {
  const VERSION = '9.9.9-1.x86_64';
  const added = () => host.model.tree.text(`${ENTRIES}/${machineId()}-${VERSION}.conf`)!;
  const add = () => run('kernel-install', 'add', VERSION, `/lib/modules/${VERSION}/vmlinuz`);

  it('gives a new kernel the line of /etc/kernel/cmdline, and makes it the default', async () => {
    const tree = make('rocky-9.4');
    tree.put('/etc/kernel/cmdline', 'root=/dev/mapper/rl-root ro mark=1\n');
    expect((await add()).code).toBe(0);
    expect(added()).toBe(`title Rocky Linux (${VERSION}) 9.4 (Blue Onyx)
version ${VERSION}
linux /vmlinuz-${VERSION}
initrd /initramfs-${VERSION}.img $tuned_initrd
options root=/dev/mapper/rl-root ro mark=1 $tuned_params
grub_users $grub_users
grub_arg --unrestricted
grub_class rocky
`);
    await rebootModel(host.model);
    expect(tree.text('/proc/cmdline')).toBe(
      `BOOT_IMAGE=(hd0,gpt2)/vmlinuz-${VERSION} root=/dev/mapper/rl-root ro mark=1\n`,
    );
  });

  it('takes the running line where there is no such file, a trial’s arguments and all', async () => {
    const tree = make('fedora-42');
    tree.remove('/etc/kernel/cmdline');
    tree.put('/proc/cmdline', 'BOOT_IMAGE=(hd0,gpt2)/vmlinuz-1 root=/dev/a ro vfleet.trial=t1\n');
    await add();
    expect(added()).toContain('\noptions root=/dev/a ro vfleet.trial=t1\n');
  });

  it('names kernelopts on release 8', async () => {
    make('rhel-8.10');
    await add();
    expect(added()).toContain('\noptions $kernelopts $tuned_params\nid rhel-');
    expect(await saved()).toBe(`${machineId()}-${VERSION}`);
  });

  it('runs grub2-mkconfig first where the settings are newer, which may rewrite all entries', async () => {
    make('almalinux-9.2');
    addToDefaultGrub('mark=1');
    await add();
    for (const line of options()) expect(line).toContain('mark=1');
    host.model.dispose();
    make('rocky-9.4');
    addToDefaultGrub('mark=1');
    await add();
    for (const line of options()) expect(line).not.toContain('mark=1');
  });

  it('leaves the default alone where the host is told so', async () => {
    const tree = make('rocky-9.4');
    tree.put('/etc/sysconfig/kernel', 'UPDATEDEFAULT=no\n');
    await add();
    expect(await saved()).not.toContain(VERSION);
  });

  it('takes a kernel away with its entry', async () => {
    const tree = make('rocky-9.4');
    const before = new Set([...tree.leaves()].map(([path]) => path));
    await add();
    await run('kernel-install', 'remove', VERSION);
    expect(new Set([...tree.leaves()].map(([path]) => path))).toEqual(before);
    expect(await saved()).toContain(VERSION);
  });

  it('makes an initramfs with what the host’s dracut puts in', async () => {
    const tree = make('rocky-9.4');
    tree.put('/etc/modprobe.d/mine.conf', 'options vfio-pci ids=10de:1b80\n');
    await add();
    expect((await run('lsinitrd', `/boot/initramfs-${VERSION}.img`)).stdout).toContain(
      'etc/modprobe.d/mine.conf',
    );
  });
});

describe('other programs of the RHEL family', () => {
  it('say how SELinux is', async () => {
    for (const mode of ['enforcing', 'permissive', 'disabled'] as const) {
      make('rocky-9.4', { selinux: mode });
      const { stdout } = await run('getenforce');
      expect(stdout.trim().toLowerCase()).toBe(mode);
      host.model.dispose();
    }
  });

  it('set the default, and clear a one-shot with it', async () => {
    make('rocky-9.4');
    await run('grub2-reboot', 'x');
    await run('grub2-set-default', 'y');
    expect(await saved()).toBe('y');
    expect(await env()).not.toContain('next_entry');
  });

  it('edit an environment block without its warning as it stands, on release 8 through its link', async () => {
    const tree = make('rhel-8.10');
    await run('grub2-editenv', '/boot/grub2/grubenv', 'set', 'a=b');
    const text = Buffer.from(tree.bytes('/boot/efi/EFI/redhat/grubenv')!).toString();
    expect(text).toHaveLength(1024);
    expect(text.startsWith('# GRUB Environment Block\nsaved_entry=')).toBe(true);
    expect(text).toContain('\na=b\n#');
    expect(tree.at('/boot/grub2/grubenv', false)?.kind).toBe('link');
  });
});
