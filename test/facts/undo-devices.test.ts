import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttachChange, BindChange, Change, VfsChange } from '../../src/domain/changes.ts';
import { rulePath, scriptPath } from '../../src/domain/own-files.ts';
import { bindRule, vfsRule, vfsScript } from '../../src/domain/udev-files.ts';
import type { RecordedRun } from '../../src/facts/record.ts';
import { undoText } from '../../src/facts/undo-text.ts';

/**
 * UNDO.txt of runs with devices, by a real shell in a throw-away folder with files in place of sysfs, and with programs that
 * only write down that they were called: what it looks at, refuses, and does with files. What a kernel does when it is
 * written to is seen in the lab, where the same text takes real devices back.
 */
const GPU = '0000:65:00.0';
const PF = '0000:3b:00.0';

const BIND: BindChange = {
  kind: 'bind',
  address: GPU,
  modalias: 'pci:v000010DEd00002204',
  before: { driver: 'nouveau', override: null },
  after: { driver: 'vfio-pci', override: 'vfio-pci' },
  by: 'override',
  files: [
    {
      path: rulePath(GPU),
      before: null,
      after: bindRule({ address: GPU, vendor: '10de', device: '2204' }),
    },
  ],
};

const VFS: VfsChange = {
  kind: 'vfs',
  pf: PF,
  netdev: 'ens1',
  before: { count: 0, autoprobe: true, mtu: 1500, vfs: [] },
  after: {
    count: 1,
    autoprobe: false,
    mtu: 9000,
    vfs: [{ driver: 'vfio-pci', override: 'vfio-pci' }],
  },
  files: [
    {
      path: scriptPath(PF),
      before: null,
      after: vfsScript({ pf: PF, count: 1, mtu: 9000, vfs: [{ driver: 'vfio-pci' }] }),
    },
    {
      path: rulePath(PF),
      before: null,
      after: vfsRule({ address: PF, vendor: '8086', device: '1592' }),
    },
  ],
};

const ATTACH: AttachChange = {
  kind: 'attach',
  domain: "it's",
  devices: [{ address: GPU }, { pf: PF, vf: 0 }],
  managed: false,
  confined: 'recorded',
  pins: { before: {}, after: { '0': '2-3' }, all: '0-7' },
};

const MODULES: Change = {
  kind: 'modules',
  files: [
    {
      path: '/etc/modprobe.d/vfleet.conf',
      before: 'blacklist a\n',
      after: 'blacklist a\nblacklist b\n',
    },
  ],
  initramfs: true,
};

const PAGES: Change = {
  kind: 'hugepages',
  pages: [{ sizeKiB: 2048, node: 0, before: 0, after: 64 }],
  file: { path: '/etc/tmpfiles.d/vfleet.conf', before: null, after: 'w /x - - - - 64\n' },
};

const runOf = (changes: readonly Change[]): RecordedRun => ({
  rollout: 'sriov#2',
  who: 'ops1',
  since: '2026-11-25T10:00:00Z',
  changes,
});

let root: string;
const at = (path: string): string => join(root, path);
function put(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vfleet-undo-'));
  for (const name of ['lsinitramfs', 'update-initramfs', 'virsh', 'modprobe', 'ip', 'udevadm']) {
    put(`bin/${name}`, `#!/bin/sh\necho "${name} $*" >>'${at('said')}'\n`);
    execFileSync('chmod', ['755', at(`bin/${name}`)]);
  }
  // Or only root could run these tests.
  put('bin/id', '#!/bin/sh\nif [ "$1" = -u ]; then echo 0; else echo root; fi\n');
  execFileSync('chmod', ['755', at('bin/id')]);
  put('var/lib/vfleet/lease', 'id=x\nrollout=sriov#2\n');
  put('proc/sys/kernel/random/boot_id', 'boot-1\n');
  put('sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages', '0\n');
  for (const [address, driver] of [
    [GPU, 'nouveau'],
    [PF, 'ice'],
  ] as const) {
    put(`sys/bus/pci/devices/${address}/driver_override`, '(null)\n');
    put(`sys/bus/pci/devices/${address}/modalias`, 'pci:v000010DEd00002204\n');
    mkdirSync(at(`sys/bus/pci/drivers/${driver}`), { recursive: true });
    symlinkSync(`../../drivers/${driver}`, at(`sys/bus/pci/devices/${address}/driver`));
  }
  put(`sys/bus/pci/devices/${PF}/sriov_numvfs`, '0\n');
  put(`sys/bus/pci/devices/${PF}/sriov_drivers_autoprobe`, '1\n');
  put(`sys/bus/pci/devices/${PF}/net/ens1/mtu`, '1500\n');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Every absolute path of the text, but those of the system's own programs and devices, leads into the folder. */
function inFolder(text: string): string {
  return text
    .replaceAll(/'(\/(?:sys|proc|boot|etc|run|var)\b)/g, `'${root}$1`)
    .replace(/^PATH=/m, `PATH=${at('bin')}:`);
}

function undo(changes: readonly Change[]) {
  const script = inFolder(undoText(runOf(changes)) ?? '');
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

const said = (): string => (existsSync(at('said')) ? readFileSync(at('said'), 'utf8') : '');
const ALL = [MODULES, PAGES, VFS, BIND, ATTACH];

describe('UNDO.txt of a run with devices', () => {
  it('is shell that any sh reads, whatever the names in it are, with or without a kernel line', () => {
    for (const shell of ['/bin/sh', '/bin/bash']) {
      const text = undoText(runOf(ALL)) ?? '';
      expect(spawnSync(shell, ['-n'], { input: text, encoding: 'utf8' }).stderr).toBe('');
      expect(text).toContain("'it'\\''s'");
      expect(text).not.toContain('update-grub');
    }
  });

  it('says first what it takes back', () => {
    expect(undoText(runOf(ALL))!.split('\n').slice(5, 18).join('\n')).toMatchInlineSnapshot(`
      "# rollout   sriov#2, by ops1, begun here 2026-11-25T10:00:00Z; written before its first change
      # changes   options of modules: /etc/modprobe.d/vfleet.conf
      #           huge pages at run time: /etc/tmpfiles.d/vfleet.conf
      #           VFs of 0000:3b:00.0: 0 before, 1 after
      #           driver of 0000:65:00.0: nouveau before, vfio-pci after
      #           guest it's: 2 PCI devices
      # does      takes devices out of guests, also while they run; removes the files of vfleet or puts them back; makes the initramfs
      #           again when it holds one of them; gives each device its driver of before, and each card the VFs that it had
      #           notes the undo for vfleet and gives this host up (lease, message of the day)
      # reboots   never. It says at its end whether one is needed
      # when      at any time, also long after the rollout has ended, and as often as you like. When somebody else has
      #           changed something of it since, or another rollout works here, it says so and changes nothing
      "
    `);
  });

  it('changes nothing on a host where nothing was begun, and gives it up', () => {
    put('etc/modprobe.d/vfleet.conf', 'blacklist a\n');
    const { code, stdout, stderr } = undo(ALL);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Undone: sriov#2.');
    expect(stdout).toContain('No reboot is needed');
    expect(said()).not.toMatch(/virsh|update-initramfs|ip link|modprobe/);
    expect(existsSync(at('var/lib/vfleet/lease'))).toBe(false);
    expect(readFileSync(at('var/lib/vfleet/undone'), 'utf8')).toContain('rollout=sriov#2');
  });

  it('puts files back and makes the initramfs again when one holds a rule, also when it is run twice', () => {
    put('etc/modprobe.d/vfleet.conf', 'blacklist a\nblacklist b\n');
    put('etc/tmpfiles.d/vfleet.conf', 'w /x - - - - 64\n');
    put(rulePath(GPU).slice(1), bindRule({ address: GPU, vendor: '10de', device: '2204' }));
    put('boot/initrd.img-6.1', '');
    put(
      'bin/lsinitramfs',
      `#!/bin/sh\n[ -e '${at('fresh')}' ] || echo usr/lib/udev/rules.d/70-vfleet-${GPU}.rules\n`,
    );
    put('bin/update-initramfs', `#!/bin/sh\necho made >>'${at('said')}'; : >'${at('fresh')}'\n`);
    for (const name of ['lsinitramfs', 'update-initramfs']) {
      execFileSync('chmod', ['755', at(`bin/${name}`)]);
    }
    const { code, stderr } = undo(ALL);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(existsSync(at(rulePath(GPU)))).toBe(false);
    expect(existsSync(at('etc/tmpfiles.d/vfleet.conf'))).toBe(false);
    expect(readFileSync(at('etc/modprobe.d/vfleet.conf'), 'utf8')).toBe('blacklist a\n');
    expect(said()).toBe('made\n');
    expect(undo(ALL)).toMatchObject({ code: 0, stderr: '' });
    expect(said()).toBe('made\n');
  });

  it.each([
    [
      'a rule that somebody edited',
      () => put(rulePath(GPU).slice(1), 'ACTION=="add"\n'),
      /changed by somebody else/,
    ],
    [
      'another rollout on the host',
      () => put('var/lib/vfleet/lease', 'id=y\nrollout=other#1\n'),
      /other#1 works on this host/,
    ],
    [
      'a driver that neither has',
      () => put(`sys/bus/pci/devices/${GPU}/driver_override`, 'xen-pciback\n'),
      /neither as before/,
    ],
    [
      'VFs that somebody made',
      () => put(`sys/bus/pci/devices/${PF}/sriov_numvfs`, '3\n'),
      /has 3 VFs, neither/,
    ],
    [
      'another device in the slot',
      () => put(`sys/bus/pci/devices/${GPU}/modalias`, 'pci:v00008086\n'),
      /another device/,
    ],
  ] as const)('refuses, with nothing changed, where it finds %s', (_, prepare, why) => {
    put('etc/modprobe.d/vfleet.conf', 'blacklist a\nblacklist b\n');
    prepare();
    const { code, stderr } = undo(ALL);
    expect(code).toBe(1);
    expect(stderr).toMatch(why);
    expect(readFileSync(at('etc/modprobe.d/vfleet.conf'), 'utf8')).toContain('blacklist b');
    expect(existsSync(at('var/lib/vfleet/lease'))).toBe(true);
    expect(said()).not.toMatch(/virsh detach|update-initramfs/);
  });
});
