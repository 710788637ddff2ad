import { expect, it } from 'vitest';
import { dracutText, NO_MODPROBE } from '../../../src/domain/devices/module-files.ts';
import {
  DRACUT_PATH,
  MODPROBE_PATH,
  MODULES_LOAD_PATH,
  rulePath,
} from '../../../src/domain/own-files.ts';
import type { KernelBench } from './kernel-host.ts';

const FILES = {
  [MODPROBE_PATH]: 'options vfio-pci disable_idle_d3=1\n',
  [MODULES_LOAD_PATH]: 'vfio_pci\n',
  [DRACUT_PATH]: dracutText({ ...NO_MODPROBE, ids: ['ffff:ffff'] }),
};
const FORCE = ['dracut', '-q', '--force'] as const;
const TEST_MS = 15 * 60_000;

/** What dracut does on a host whose images are made for it only, be it the model's or the real one of Debian 12. */
export function dracutContract(bench: KernelBench): void {
  it(
    'puts modprobe.d, modules-load.d and a forced driver into its image, and no udev rule',
    { timeout: TEST_MS },
    async () => {
      const probe = await bench();
      const rule = rulePath(probe.host.plain);
      for (const [path, text] of Object.entries(FILES)) await probe.file(path, text);
      await probe.file(rule, '# no rule\n');
      expect(await probe.run(...FORCE)).toMatchObject({ code: 0 });
      const held = await probe.initramfs();
      expect(held).toEqual(expect.arrayContaining([MODPROBE_PATH, MODULES_LOAD_PATH]));
      expect(held.some((name) => name.endsWith('/vfio/pci/vfio-pci.ko'))).toBe(true);
      expect(held).not.toContain(rule);
      expect(held).not.toContain(DRACUT_PATH);
      for (const path of [...Object.keys(FILES), rule]) await probe.file(path, null);
      expect(await probe.run(...FORCE)).toMatchObject({ code: 0 });
      expect(await probe.initramfs()).toEqual([]);
      const refused = await probe.run('lsinitrd', '/boot/no-such-image');
      expect(refused).toMatchObject({ code: 1 });
    },
  );
}
