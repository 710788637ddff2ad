import { describe, expect, it } from 'vitest';
import { DRIVERS_PROBE, override, refusal, unbind, type KernelBench } from './kernel-host.ts';

/** Overrides and drivers. */
export function bindContract(bench: KernelBench): void {
  describe('binding', () => {
    it('takes any text as an override and an empty line as none', async () => {
      const probe = await bench();
      const { plain } = probe.host;
      const { driver } = await probe.function(plain);
      await probe.done([override(plain), 'nodriver']);
      expect(await probe.function(plain)).toMatchObject({ override: 'nodriver', driver });
      await probe.done([override(plain), '']);
      expect(await probe.function(plain)).toMatchObject({ override: null, driver });
    });

    it('moves a function by override, unbind and probe, and back', async () => {
      const probe = await bench();
      const { plain } = probe.host;
      const { driver } = await probe.function(plain);
      await probe.toVfio(plain);
      expect(await probe.function(plain)).toMatchObject({
        driver: 'vfio-pci',
        override: 'vfio-pci',
      });
      await probe.native(plain);
      expect(await probe.function(plain)).toMatchObject({ driver, override: null });
    });

    it('leaves a bound function where it is when only its override changes', async () => {
      const probe = await bench();
      const { plain } = probe.host;
      const { driver } = await probe.function(plain);
      await probe.done([override(plain), 'vfio-pci'], [DRIVERS_PROBE, plain]);
      expect(await probe.function(plain)).toMatchObject({ driver, override: 'vfio-pci' });
    });

    it('says that a probe went well when nothing was bound', async () => {
      const probe = await bench();
      const { plain } = probe.host;
      await probe.done(
        [override(plain), 'nodriver'],
        [unbind(plain), plain],
        [DRIVERS_PROBE, plain],
      );
      expect(await probe.function(plain)).toMatchObject({ driver: null });
      expect(await probe.poke([unbind(plain), plain])).toMatchObject({
        kind: 'failed',
        message: expect.stringContaining('No such file') as string,
      });
    });

    it('knows no function that is not there', async () => {
      const probe = await bench();
      expect(await probe.poke([DRIVERS_PROBE, '0000:ff:1f.7'])).toMatchObject(
        refusal('No such device'),
      );
    });

    it('unbinds only what the driver has', async () => {
      const probe = await bench();
      const { plain, disk } = probe.host;
      expect(await probe.poke([unbind(plain), disk])).toMatchObject(refusal('No such device'));
    });

    it('does not find a module that there is not', async () => {
      const probe = await bench();
      const outcome = await probe.run('modprobe', 'vfleet-nosuch');
      expect(outcome).toMatchObject({ kind: 'exited', code: 1 });
      expect(outcome.stderr).toContain('modprobe: FATAL: Module vfleet-nosuch not found');
      const quiet = await probe.run('modprobe', '-q', 'vfleet-nosuch');
      expect(quiet).toMatchObject({ code: 1, stderr: '' });
    });

    it('says which processors a node has', async () => {
      const probe = await bench();
      expect((await probe.facts()).numaNodes[0]?.cpus).toMatch(/^\d/);
    });

    it('gives fewer hugepages than asked without a word', async () => {
      const probe = await bench();
      const path = '/sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages';
      await probe.done([path, '100000']);
      const pages = async () => (await probe.facts()).numaNodes[0]?.hugepages['1048576'];
      expect((await pages())?.total).toBeLessThan(100_000);
      await probe.done([path, '0']);
      expect(await pages()).toEqual({ total: 0, free: 0 });
    });
  });
}
