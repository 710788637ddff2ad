import { describe, expect, it } from 'vitest';
import type { PokeOutcome } from '../../../src/host/port.ts';
import {
  ATTRIBUTE,
  DEADLINE_MS,
  guardOf,
  PAGES,
  SLOW_ATTRIBUTE,
  takeLease,
  type ContractHost,
} from './contract-host.ts';
import type { ContractBench } from './port-contract.ts';

const poke = (
  host: ContractHost,
  ...writes: readonly (readonly [path: string, value: string])[]
): Promise<readonly PokeOutcome[]> =>
  host.port.poke({
    guard: guardOf(1),
    writes: writes.map(([path, value]) => ({ path, value, timeoutMs: 1000 })),
    deadlineMs: DEADLINE_MS,
  });

/** What `poke` does to kernel files. */
export function pokeContract(bench: ContractBench): void {
  const leased = async (): Promise<ContractHost> => {
    const host = await bench.host();
    await takeLease(host);
    return host;
  };

  describe('poke', () => {
    it('writes values in order, each with a newline, as echo does', async () => {
      const host = await leased();
      await host.put(ATTRIBUTE, '0\n');
      await host.put(PAGES, '0\n');
      const outcomes = await poke(
        host,
        [ATTRIBUTE, '8086 1572'],
        [PAGES, ''],
        [ATTRIBUTE, '$(id) %s\\n'],
      );
      expect(outcomes).toEqual([
        { path: ATTRIBUTE, kind: 'done' },
        { path: PAGES, kind: 'done' },
        { path: ATTRIBUTE, kind: 'done' },
      ]);
      expect(String(await host.get(ATTRIBUTE))).toBe('$(id) %s\\n\n');
      expect(String(await host.get(PAGES))).toBe('\n');
    });

    it('stops at the first that fails, with the host’s own words', async () => {
      const host = await leased();
      await host.put(ATTRIBUTE, '0\n');
      const outcomes = await poke(
        host,
        ['/sys/bus/pci/devices/0000:7f:00.1/driver_override', '1'],
        [ATTRIBUTE, '1'],
      );
      expect(outcomes).toEqual([
        {
          path: '/sys/bus/pci/devices/0000:7f:00.1/driver_override',
          kind: 'failed',
          message: expect.stringMatching(/No such file/) as string,
        },
      ]);
      expect(String(await host.get(ATTRIBUTE))).toBe('0\n');
    });

    it.each([
      '/etc/hostname',
      '/sys/../etc/hostname',
      '/proc/sys/kernel/panic',
      '/sys/bus/pci/devices/0000:01:00.0/remove',
    ])('refuses %s', async (path) => {
      const host = await leased();
      await expect(poke(host, [path, '1'])).rejects.toMatchObject({ code: 'host.path-refused' });
    });

    it('tells a write that hangs, stops there, and keeps the host locked until it returns', async ({
      skip,
    }) => {
      const host = await leased();
      await host.put(ATTRIBUTE, '0\n');
      if (host.hangPoke === undefined) return skip('nothing can hang here');
      const hung = await host.hangPoke(SLOW_ATTRIBUTE);
      expect(await poke(host, [SLOW_ATTRIBUTE, '8'], [ATTRIBUTE, '1'])).toEqual([
        { path: SLOW_ATTRIBUTE, kind: 'hung' },
      ]);
      expect(String(await host.get(ATTRIBUTE))).toBe('0\n');
      const blocked = host.port.poke({
        guard: guardOf(2),
        writes: [{ path: ATTRIBUTE, value: '1', timeoutMs: 1000 }],
        deadlineMs: 2000,
      });
      await expect(blocked).rejects.toMatchObject({ code: 'host.lock-busy' });
      await hung.release();
      const after = host.port.poke({
        guard: guardOf(3),
        writes: [{ path: ATTRIBUTE, value: '1', timeoutMs: 1000 }],
        deadlineMs: DEADLINE_MS,
      });
      expect(await after).toEqual([{ path: ATTRIBUTE, kind: 'done' }]);
    });
  });
}
