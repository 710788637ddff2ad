import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMachines, type Machine } from './machines.ts';

describe('the machines of the lab', () => {
  let machines: Machine[] = [];
  beforeAll(async () => {
    machines = await startMachines([
      { name: 'plain' },
      { name: 'passthrough', kernelArgs: ['intel_iommu=on', 'iommu=pt'] },
    ]);
  });
  afterAll(async () => {
    await Promise.all(machines.map((machine) => machine.stop()));
  });

  it('let admin in, who is root by sudo without a password', async () => {
    expect(await machines[0]!.ssh('whoami; sudo -n whoami')).toBe('admin\nroot\n');
  });

  it('start with an IOMMU that the kernel has off, though the firmware has it on', async () => {
    const seen = 'cat /proc/cmdline; ls /sys/class/iommu /sys/firmware/acpi/tables';
    const output = await machines[0]!.ssh(seen);
    expect(output).toContain(' intel_iommu=off ');
    expect(output).toContain('DMAR\n');
    expect(output).not.toContain('dmar0');
  });

  it('start with other kernel arguments when asked', async () => {
    const seen = 'cat /proc/cmdline; ls /sys/class/iommu; cat /sys/kernel/iommu_groups/*/type';
    const output = await machines[1]!.ssh(seen);
    expect(output).toContain(' intel_iommu=on iommu=pt ');
    expect(output).not.toContain('intel_iommu=off');
    expect(output).toContain('dmar0\nidentity\n');
  });

  it('are different machines with different host keys', async () => {
    const ids = await Promise.all(machines.map((machine) => machine.ssh('cat /etc/machine-id')));
    expect(new Set(ids).size).toBe(2);
    expect(new Set(machines.map((machine) => machine.boots[0]!.hostKey)).size).toBe(2);
  });

  it('come back with a new boot id when their reset button is pressed', async () => {
    const plain = machines[0]!;
    await plain.reset();
    const boot = await plain.boot(plain.boots.length);
    expect(boot.bootId).not.toBe(plain.boots[0]!.bootId);
    expect(await plain.ssh('cat /proc/sys/kernel/random/boot_id')).toBe(`${boot.bootId}\n`);
  });
});
