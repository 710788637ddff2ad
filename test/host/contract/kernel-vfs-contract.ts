import { describe, expect, it } from 'vitest';
import {
  autoprobe,
  DRIVERS_PROBE,
  numvfs,
  override,
  refusal,
  unbind,
  type KernelBench,
} from './kernel-host.ts';

/** Virtual functions. */
export function vfsContract(bench: KernelBench): void {
  describe('virtual functions', () => {
    it('come each with an index and an IOMMU group of its own, and go', async () => {
      const probe = await bench();
      const { nic } = probe.host;
      await probe.done([autoprobe(nic), '0'], [numvfs(nic), '3']);
      const vfs = await probe.vfsOf(nic);
      expect(vfs.map(({ vfIndex }) => vfIndex)).toEqual([0, 1, 2]);
      expect(vfs.every(({ physfn }) => physfn === nic)).toBe(true);
      expect(vfs.every(({ driver }) => driver === null)).toBe(true);
      const groups = new Set(vfs.map(({ group }) => group));
      expect(groups.size).toBe(3);
      expect(groups.has(undefined)).toBe(false);
      const { sriov } = await probe.function(nic);
      expect(sriov).toMatchObject({ count: 3, autoprobe: false });
      await probe.done([numvfs(nic), '0']);
      expect(await probe.vfsOf(nic)).toEqual([]);
    });

    it('have their settings from the driver until the PF sets them', async () => {
      const probe = await bench();
      const { nic } = probe.host;
      await probe.done([autoprobe(nic), '0'], [numvfs(nic), '2']);
      const { sriov, net } = await probe.function(nic);
      const name = net[0] ?? '';
      expect(sriov?.settings).toEqual(
        Array.from({ length: 2 }, () => ({
          mac: '00:00:00:00:00:00',
          vlan: 0,
          trust: false,
          spoofCheck: true,
          maxRate: 0,
        })),
      );
      const words = ['mac', '02:11:22:33:44:01', 'vlan', '101', 'spoofchk', 'off', 'trust', 'on'];
      const set = await probe.run('ip', 'link', 'set', 'dev', name, 'vf', '1', ...words);
      expect(set).toMatchObject({ code: 0 });
      expect((await probe.function(nic)).sriov?.settings[1]).toMatchObject({
        mac: '02:11:22:33:44:01',
        vlan: 101,
        trust: true,
        spoofCheck: false,
      });
      const beyond = await probe.run('ip', 'link', 'set', 'dev', name, 'vf', '2', 'vlan', '5');
      expect(beyond.code).not.toBe(0);
    });

    it('are refused beyond the total, and as no number', async () => {
      const probe = await bench();
      const { nic, disk } = probe.host;
      for (const pf of [nic, disk]) {
        expect(await probe.poke([numvfs(pf), '1000'])).toMatchObject(
          refusal('Numerical result out of range'),
        );
        expect(await probe.poke([numvfs(pf), 'abc'])).toMatchObject(refusal('Invalid argument'));
      }
    });

    it('change their number only by way of none', async () => {
      const probe = await bench();
      const { disk } = probe.host;
      await probe.done([autoprobe(disk), '0'], [numvfs(disk), '2']);
      expect(await probe.poke([numvfs(disk), '3'])).toMatchObject(
        refusal('Device or resource busy'),
      );
      expect(await probe.poke([numvfs(disk), '1'])).toMatchObject(
        refusal('Device or resource busy'),
      );
      await probe.done([numvfs(disk), '2'], [numvfs(disk), '0'], [numvfs(disk), '3']);
      expect(await probe.vfsOf(disk)).toHaveLength(3);
    });

    it('are not made without a driver of the PF, nor by vfio-pci', async () => {
      const probe = await bench();
      const { disk } = probe.host;
      await probe.done([unbind(disk), disk], [numvfs(disk), '0']);
      expect(await probe.poke([numvfs(disk), '2'])).toMatchObject(
        refusal('No such file or directory'),
      );
      await probe.toVfio(disk);
      expect(await probe.function(disk)).toMatchObject({ driver: 'vfio-pci' });
      expect(await probe.poke([numvfs(disk), '2'])).toMatchObject(
        refusal('No such file or directory'),
      );
    });

    it('are bound by nobody while autoprobe is off, but by an override', async () => {
      const probe = await bench();
      const { disk } = probe.host;
      await probe.run('modprobe', '-q', 'vfio-pci');
      await probe.done([autoprobe(disk), '0'], [numvfs(disk), '2']);
      const [first, second] = await probe.vfsOf(disk);
      await probe.done([DRIVERS_PROBE, first!.address], [override(second!.address), 'vfio-pci']);
      await probe.done([DRIVERS_PROBE, second!.address]);
      const drivers = (await probe.vfsOf(disk)).map(({ driver }) => driver);
      expect(drivers).toEqual([null, 'vfio-pci']);
    });

    it('get their native drivers at once while autoprobe is on; that of NVMe lets go again', async () => {
      const probe = await bench();
      const { nic, disk } = probe.host;
      await probe.done([numvfs(nic), '1'], [numvfs(disk), '2']);
      expect((await probe.vfsOf(nic))[0]?.driver).toMatch(/^(igbvf|iavf)$/);
      // VFs of NVMe are offline until the PF's virtualization management gives them resources, which nobody has done:
      // the driver waits half a second for them.
      const drivers = async () => (await probe.vfsOf(disk)).map(({ driver }) => driver);
      await expect.poll(drivers, { timeout: 30_000 }).toEqual([null, null]);
    });

    it('go with the driver of a network card, and stay with that of NVMe', async () => {
      const probe = await bench();
      const { nic, disk } = probe.host;
      for (const pf of [nic, disk]) {
        await probe.done([autoprobe(pf), '0'], [numvfs(pf), '2'], [unbind(pf), pf]);
      }
      expect((await probe.function(nic)).sriov).toMatchObject({ count: 0, vfs: [] });
      expect((await probe.function(disk)).sriov).toMatchObject({ count: 2 });
      await probe.done([DRIVERS_PROBE, disk]);
      expect((await probe.function(disk)).sriov).toMatchObject({ count: 2 });
    });
  });
}
