import { describe, expect, it } from 'vitest';
import { rulePath } from '../../src/domain/own-files.ts';
import {
  bindRule,
  isRuleAt,
  parseBindRule,
  parseVfsRule,
  parseVfsScript,
  vfsRule,
  vfsScript,
} from '../../src/domain/udev-files.ts';
import { parseDevices } from '../../src/facts/devices/parse-devices.ts';
import { DEVICES_PROBE } from '../../src/facts/probe.ts';
import { createMemoryHost } from '../../src/simulator/memory-host.ts';

const CARD = { address: '0000:5e:00.0', vendor: '144d', device: 'a824' };

describe('the files that act at a boot', () => {
  it('are read back as what they were made from, and anything else is not ours', () => {
    expect(parseBindRule(bindRule(CARD))).toEqual(CARD);
    expect(parseVfsRule(vfsRule(CARD))).toEqual(CARD);
    expect(parseBindRule(`${bindRule(CARD)}\n`)).toBeUndefined();
    expect(isRuleAt(vfsRule(CARD), CARD.address)).toBe(true);
    expect(isRuleAt(vfsRule(CARD), '0000:01:00.0')).toBe(false);
    const plan = {
      pf: CARD.address,
      count: 2,
      mtu: 9000,
      vfs: [
        {
          driver: 'vfio-pci' as const,
          mac: '02:00:00:00:00:01',
          vlan: 7,
          trust: true,
          maxRate: 10,
        },
        { driver: 'native' as const, spoofCheck: false },
      ],
    };
    expect(parseVfsScript(vfsScript(plan))).toEqual(plan);
    expect(parseVfsScript(vfsScript(plan).replace('count=2', 'count=3'))).toBeUndefined();
  });

  it('leave alone another card that came to stand at the address, by the numbers of buses that moved', async () => {
    const driverAfterBoot = async (rule: string): Promise<string | null | undefined> => {
      const host = createMemoryHost({
        name: 'hv1',
        kernelArgs: ['intel_iommu=on'],
        files: { [rulePath(CARD.address)]: rule },
      });
      const snapshot = await host.read({ entries: DEVICES_PROBE, deadlineMs: 5000 });
      host.model.dispose();
      const { functions } = parseDevices(snapshot);
      return functions.find(({ address }) => address === CARD.address)?.driver;
    };
    expect(await driverAfterBoot(bindRule(CARD))).toBe('vfio-pci');
    expect(await driverAfterBoot(bindRule({ ...CARD, vendor: '8086', device: '1592' }))).toBe(
      'nvme',
    );
  });
});
