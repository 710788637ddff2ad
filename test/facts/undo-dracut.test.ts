import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../src/domain/changes.ts';
import {
  DRACUT_PATH,
  MODPROBE_PATH,
  MODULES_LOAD_PATH,
  rulePath,
} from '../../src/domain/own-files.ts';
import { GPU, UndoHost } from './support/undo-host.ts';
import { UNDONE } from './support/undo-run.ts';

const made = (path: string, after: string) => ({ path, before: null, after });
const TEXTS = {
  [MODPROBE_PATH]: 'options vfio-pci ids=10de:2204\n',
  [MODULES_LOAD_PATH]: 'vfio_pci\n',
  [DRACUT_PATH]: 'force_drivers+=" vfio-pci "\n',
};
const MODULES: Change = {
  kind: 'modules',
  files: Object.entries(TEXTS).map(([path, text]) => made(path, text)),
  initramfs: true,
};

const IMAGES = ['/boot/initramfs-5.14.0-1.el9.x86_64.img', '/boot/initrd.img-6.1'];
const RESCUE = '/boot/initramfs-0-rescue-0123.img';

/** An image is its list; what dracut copies is as on a host whose images are made for it only. */
const DRACUT = (root: string) => `#!/bin/sh
root='${root}'
echo "dracut $*" | sed "s,$root,,g" >>"$root/said"
[ ! -e "$root/broken" ] || exit 1
{
  echo Version: dracut-057
  for f in etc/modprobe.d etc/modules-load.d etc/udev/rules.d; do
    (cd "$root" && ls $f/*vfleet*) 2>/dev/null | sed 's,^,-rw-r--r-- 1 root root 60 Nov 25 20:34 ,'
  done
} >"$3"
`;

let host: UndoHost;
beforeEach(() => {
  host = new UndoHost();
  host.remove('/bin/update-initramfs');
  host.remove('/bin/lsinitramfs');
  host.put('/bin/dracut', DRACUT(host.root), 0o755);
  host.put('/bin/lsinitrd', '#!/bin/sh\ncat "$1"\n', 0o755);
  for (const [path, text] of Object.entries(TEXTS)) host.put(path, text);
  for (const image of [...IMAGES, RESCUE]) host.put(image, listing('etc/modprobe.d/vfleet.conf'));
  host.put('/var/lib/vfleet/modules-boot', 'applied=boot-0\n');
});
afterEach(() => {
  host.dispose();
});

const listing = (...names: readonly string[]): string =>
  [
    'Version: dracut-057',
    ...names.map((name) => `-rw-r--r-- 1 root root 60 Nov 25 20:34 ${name}`),
    '',
  ].join('\n');
const left = () =>
  [...Object.keys(TEXTS), rulePath(GPU)].filter((path) => host.get(path) !== undefined);

describe('UNDO.txt on a host whose initramfs dracut makes', () => {
  it('takes the files away and makes each image again, but not the one for rescue', () => {
    const outcome = host.undo([MODULES]);
    expect(outcome).toMatchObject(UNDONE);
    expect(outcome.stdout).toContain('REBOOT NEEDED');
    expect(outcome.stdout).not.toContain('NOTE');
    expect(left()).toEqual([]);
    expect(host.said().split('\n').sort()).toEqual([
      '',
      `dracut -q --force ${IMAGES[0]!} 5.14.0-1.el9.x86_64`,
      `dracut -q --force ${IMAGES[1]!} 6.1`,
    ]);
    for (const image of IMAGES) expect(host.get(image)).not.toContain('vfleet');
    expect(host.undo([MODULES])).toMatchObject(UNDONE);
    expect(host.said()).toBe('');
  });

  it('makes them again for a file that only dracut copies', () => {
    for (const image of IMAGES) host.put(image, listing('etc/modules-load.d/vfleet.conf'));
    expect(host.undo([MODULES])).toMatchObject(UNDONE);
    expect(host.said()).toContain('dracut');
  });

  it('leaves images alone that hold nothing of vfleet', () => {
    for (const image of IMAGES) host.put(image, listing('etc/fstab', 'etc/vfleet.conf'));
    expect(host.undo([MODULES])).toMatchObject(UNDONE);
    expect(host.said()).toBe('');
  });

  it('says which image dracut failed for, and goes on from there when it is run again', () => {
    host.put('/broken', '');
    const failed = host.undo([MODULES]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('dracut failed for');
    expect(host.isHeld).toBe(true);
    host.remove('/broken');
    expect(host.undo([MODULES])).toMatchObject(UNDONE);
    for (const image of IMAGES) expect(host.get(image)).not.toContain('vfleet');
  });

  it('takes a list without its version for none, and says so when dracut cannot make it either', () => {
    host.put(IMAGES[0]!, 'Early CPIO image\n');
    host.put('/bin/dracut', '#!/bin/sh\nexit 0\n', 0o755);
    host.put(IMAGES[1]!, listing());
    const outcome = host.undo([MODULES]);
    expect(outcome).toMatchObject(UNDONE);
    expect(outcome.stdout).toMatch(/NOTE no list could be made of \S*initramfs-5\.14/);
  });

  it('says on a host without either tool that an old file may act, and undoes all the rest', () => {
    host.remove('/bin/dracut');
    const outcome = host.undo([MODULES]);
    expect(outcome).toMatchObject(UNDONE);
    expect(outcome.stdout).toContain('NOTE neither update-initramfs nor dracut is here');
    expect(left()).toEqual([]);
  });

  it('says nothing of it where there is no image', () => {
    host.remove('/bin/dracut');
    for (const image of IMAGES) host.remove(image);
    expect(host.undo([MODULES]).stdout).not.toContain('NOTE');
  });
});
