import { describe, expect, it } from 'vitest';
import type { PciFunction } from '../../../src/domain/device-facts.ts';
import { rulePath, scriptPath } from '../../../src/domain/own-files.ts';
import { bindRule, vfsRule, vfsScript } from '../../../src/domain/udev-files.ts';
import { autoprobe, numvfs, override, type KernelBench, type Probe } from './kernel-host.ts';

const REBUILD: [string, ...string[]] = ['update-initramfs', '-u', '-k', 'all'];

const BOUND = { driver: 'vfio-pci', override: 'vfio-pci' };

/** A function bound, and VFs of both PFs. */
async function withRules(probe: Probe): Promise<void> {
  const { nic, disk, plain } = probe.host;
  const vfio = { driver: 'vfio-pci' as const };
  await probe.file(rulePath(plain), bindRule(await probe.function(plain)));
  await probe.file(rulePath(nic), vfsRule(await probe.function(nic)));
  const vfs = [
    { ...vfio, mac: '02:11:22:33:44:00', vlan: 100, trust: true },
    { ...vfio, spoofCheck: false },
    { driver: 'native' as const },
  ];
  await probe.file(scriptPath(nic), vfsScript({ pf: nic, count: 3, mtu: 9000, vfs }));
  await probe.file(rulePath(disk), vfsRule(await probe.function(disk)));
  await probe.file(scriptPath(disk), vfsScript({ pf: disk, count: 2, vfs: [vfio, vfio] }));
}

function expectNicVfs(functions: readonly PciFunction[], nic: string): void {
  const sriov = functions.find(({ address }) => address === nic)?.sriov;
  expect(sriov).toMatchObject({ count: 3, autoprobe: true, mtu: 9000 });
  expect(sriov?.settings[0]).toMatchObject({ mac: '02:11:22:33:44:00', vlan: 100 });
  expect(sriov?.settings[1]).toMatchObject({ spoofCheck: false, vlan: 0 });
  const vfs = sriov?.vfs.map((vf) => functions.find(({ address }) => address === vf));
  expect(vfs).toMatchObject([BOUND, BOUND, { override: null }]);
  expect(vfs?.[2]?.driver).not.toBe('vfio-pci');
}

async function withoutRules(probe: Probe): Promise<void> {
  const { nic, disk, plain } = probe.host;
  for (const address of [nic, disk, plain]) {
    await probe.file(rulePath(address), null);
    await probe.file(scriptPath(address), null);
  }
}

/** What a reboot leaves, and what our files bring back. */
export function bootContract(bench: KernelBench): void {
  describe('a reboot', () => {
    it('binds and makes VFs as our rules say; taken away, they revert nothing', async () => {
      const probe = await bench();
      const { nic, disk, plain } = probe.host;
      const { driver } = await probe.function(plain);
      await withRules(probe);
      expect(await probe.function(plain)).toMatchObject({ driver, override: null });
      await probe.host.reboot();
      const asTheRulesSay = async () => {
        const { functions } = await probe.facts();
        expect(functions.find(({ address }) => address === plain)).toMatchObject(BOUND);
        expectNicVfs(functions, nic);
        const disks = functions.filter(({ physfn }) => physfn === disk);
        expect(disks).toMatchObject([BOUND, BOUND]);
      };
      await asTheRulesSay();
      await withoutRules(probe);
      await asTheRulesSay();
    });

    it('forgets what was done by hand, but obeys a rule that only an old initramfs still holds', async () => {
      const probe = await bench();
      const { nic, disk, plain } = probe.host;
      const [onNic, onDisk] = [await probe.function(nic), await probe.function(disk)];
      await probe.done([autoprobe(nic), '0'], [numvfs(nic), '2'], [override(nic), 'vfio-pci']);
      await probe.toVfio(disk);
      await probe.file(rulePath(plain), bindRule(await probe.function(plain)));
      expect(await probe.run(...REBUILD)).toMatchObject({ code: 0 });
      expect(await probe.initramfs()).toContain(rulePath(plain));
      await probe.file(rulePath(plain), null);
      await probe.host.reboot();
      const sriov = { count: 0, autoprobe: true, mtu: 1500 };
      const { driver } = onNic;
      expect(await probe.function(nic)).toMatchObject({ driver, override: null, sriov });
      expect(await probe.function(disk)).toMatchObject({ driver: onDisk.driver, override: null });
      // The image has no vfio-pci, and nobody probes again once there is one: that rule parts it from any driver.
      expect(await probe.function(plain)).toMatchObject({ driver: null, override: 'vfio-pci' });
      expect(await probe.run(...REBUILD)).toMatchObject({ code: 0 });
      expect(await probe.initramfs()).not.toContain(rulePath(plain));
      await probe.host.reboot();
      expect(await probe.function(plain)).toMatchObject({ override: null });
    });

    it('applies a rule again when udev is told that the function was added', async () => {
      const probe = await bench();
      const { plain } = probe.host;
      const { driver } = await probe.function(plain);
      await probe.file(rulePath(plain), bindRule(await probe.function(plain)));
      const path = `/sys/bus/pci/devices/${plain}`;
      // By itself udevd looks for new rules every three seconds at most, and it does its work while trigger returns.
      await probe.run('udevadm', 'control', '--reload');
      await probe.run('udevadm', 'trigger', '--action=change', path);
      await probe.run('udevadm', 'settle');
      expect(await probe.function(plain)).toMatchObject({ driver });
      await probe.run('udevadm', 'trigger', '--action=add', path);
      await probe.run('udevadm', 'settle');
      expect(await probe.function(plain)).toMatchObject({ driver: 'vfio-pci' });
      await withoutRules(probe);
      await probe.done([override(plain), '']);
    });
  });
}
