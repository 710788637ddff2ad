import { describe, expect, it } from 'vitest';
import type { Guard, WriteOutcome } from '../../../src/host/port.ts';
import { sha256 } from '../../../src/host/wire.ts';
import {
  ATTRIBUTE,
  DEADLINE_MS,
  guardOf,
  LEASE,
  RECORD,
  takeLease,
  type ContractHost,
} from './contract-host.ts';
import type { ContractBench } from './port-contract.ts';

const write = (
  host: ContractHost,
  guard: Guard,
  content: string,
  before: string | null = null,
): Promise<readonly WriteOutcome[]> =>
  host.port.write({
    guard,
    files: [
      {
        path: RECORD,
        expect: before === null ? null : sha256(Buffer.from(before)),
        content: Buffer.from(content),
      },
    ],
    deadlineMs: DEADLINE_MS,
  });

/** What stops a mutation before it begins. */
export function guardContract(bench: ContractBench): void {
  const leased = async (): Promise<ContractHost> => {
    const host = await bench.host();
    await takeLease(host);
    return host;
  };
  const poke = (host: ContractHost, guard: Guard, value = '1'): Promise<unknown> =>
    host.port.poke({
      guard,
      writes: [{ path: ATTRIBUTE, value, timeoutMs: 1000 }],
      deadlineMs: DEADLINE_MS,
    });
  const run = (host: ContractHost, guard: Guard): Promise<unknown> =>
    host.port.run({ guard, argv: ['vt-ok'], deadlineMs: DEADLINE_MS });

  describe('the guard', () => {
    it('refuses every mutation without a lease on the host', async () => {
      const host = await bench.host();
      await host.put(ATTRIBUTE, '0\n');
      await host.program('vt-ok', {});
      const lost = { code: 'host.lease-lost' };
      await expect(write(host, guardOf(1), 'x')).rejects.toMatchObject(lost);
      await expect(poke(host, guardOf(1))).rejects.toMatchObject(lost);
      await expect(run(host, guardOf(1))).rejects.toMatchObject(lost);
      expect(await host.get(RECORD)).toBeUndefined();
      expect(String(await host.get(ATTRIBUTE))).toBe('0\n');
    });

    it('refuses under the lease of somebody else, and says whose it is', async () => {
      const host = await bench.host();
      await host.put(LEASE, 'id=other#9/kvm-07\nwho=carol\n');
      await expect(write(host, guardOf(1), 'x')).rejects.toThrow(/carol/);
      expect(await host.get(RECORD)).toBeUndefined();
    });

    it('refuses a lease whose id only begins alike', async () => {
      const host = await leased();
      await host.put(LEASE, `id=${guardOf(1).lease}0\n`);
      await expect(write(host, guardOf(1), 'x')).rejects.toMatchObject({ code: 'host.lease-lost' });
    });

    it('refuses once the host has booted again', async () => {
      const host = await leased();
      await host.program('vt-ok', { stdout: 'went' });
      await expect(run(host, guardOf(1, 1, { bootId: host.bootId }))).resolves.toMatchObject({
        stdout: 'went',
      });
      const other = guardOf(2, 1, { bootId: '00000000-0000-4000-8000-000000000000' });
      await expect(run(host, other)).rejects.toMatchObject({ code: 'host.other-boot' });
      await expect(write(host, other, 'x')).rejects.toMatchObject({ code: 'host.other-boot' });
      expect(await host.get(RECORD)).toBeUndefined();
    });

    it('lets a newer attempt and a later step pass, and the same one again', async () => {
      const host = await leased();
      for (const [seq, attempt] of [
        [1, 1],
        [1, 2],
        [1, 2],
        [2, 1],
        [10, 1],
      ] as const) {
        const [outcome] = await write(host, guardOf(seq, attempt), 'x');
        expect(outcome?.kind).toMatch(/written|unchanged/);
      }
    });

    it.each([
      [3, 1],
      [2, 9],
      [1, 10],
    ])('refuses step %i, attempt %i after step 3, attempt 2', async (seq, attempt) => {
      const host = await leased();
      await write(host, guardOf(3, 2), 'newer');
      const older = write(host, guardOf(seq, attempt), 'older', 'newer');
      await expect(older).rejects.toMatchObject({ code: 'host.fenced' });
      expect(String(await host.get(RECORD))).toBe('newer');
    });

    it('starts counting afresh under another lease', async () => {
      const host = await leased();
      await write(host, guardOf(9, 9), 'x');
      await host.put(LEASE, 'id=enable-sriov#4/kvm-07\n');
      const next = guardOf(1, 1, { lease: 'enable-sriov#4/kvm-07' });
      expect(await write(host, next, 'y', 'x')).toEqual([{ path: RECORD, kind: 'written' }]);
    });

    it('carries out what it was asked when the connection is lost meanwhile', async () => {
      const host = await leased();
      const stalled = await host.stallNext();
      const cutOff = expect(write(host, guardOf(1, 1), 'x')).rejects.toMatchObject({
        code: 'host.outcome-unknown',
      });
      await stalled.arrived;
      await stalled.cut();
      await cutOff;
      await stalled.release();
      expect(String(await host.get(RECORD))).toBe('x');
    });

    it('stops an older attempt that was cut off and still runs on the host', async () => {
      const host = await leased();
      const stalled = await host.stallNext();
      const cutOff = expect(write(host, guardOf(1, 1), 'x')).rejects.toMatchObject({
        code: 'host.outcome-unknown',
      });
      await stalled.arrived;
      await stalled.cut();
      await cutOff;
      expect(await write(host, guardOf(1, 2), 'x')).toEqual([{ path: RECORD, kind: 'written' }]);
      // Taken back again, so that compare-and-set alone would let the older one pass.
      await host.port.write({
        guard: guardOf(2, 1),
        files: [{ path: RECORD, expect: sha256(Buffer.from('x')), content: null }],
        deadlineMs: DEADLINE_MS,
      });
      await stalled.release();
      expect(await host.get(RECORD)).toBeUndefined();
    });

    it('stops an older poke that was cut off and still runs on the host', async () => {
      const host = await leased();
      await host.put(ATTRIBUTE, '0\n');
      const stalled = await host.stallNext();
      const cutOff = expect(poke(host, guardOf(1, 1), '8')).rejects.toMatchObject({
        code: 'host.outcome-unknown',
      });
      await stalled.arrived;
      await stalled.cut();
      await cutOff;
      await poke(host, guardOf(1, 2), '4');
      await stalled.release();
      expect(String(await host.get(ATTRIBUTE))).toBe('4\n');
    });

    it('makes a newer attempt wait for one that is at work', async () => {
      const host = await leased();
      await host.program('vt-hang', { hangs: true });
      const hanging = host.port.run({ guard: guardOf(1, 1), argv: ['vt-hang'], deadlineMs: 4000 });
      await untilFenced(host);
      const hasty = host.port.write({
        guard: guardOf(1, 2),
        files: [{ path: RECORD, expect: null, content: Buffer.from('x') }],
        deadlineMs: 2000,
      });
      await expect(hasty).rejects.toMatchObject({ code: 'host.lock-busy' });
      const patient = write(host, guardOf(1, 2), 'x');
      expect(await patient).toEqual([{ path: RECORD, kind: 'written' }]);
      expect(await hanging).toMatchObject({ kind: 'timed-out' });
    });

    it('lets one of many attempts at once through at a time', async () => {
      const host = await leased();
      const outcomes = await Promise.all(
        ['a', 'b', 'c', 'd'].map((content) => write(host, guardOf(1, 1), content)),
      );
      const kinds = outcomes.map(([it]) => it?.kind).sort();
      expect(kinds).toEqual(['conflict', 'conflict', 'conflict', 'written']);
    });
  });
}

/** Waits until the host has let a mutation begin, which shows in its fence file. */
async function untilFenced(host: ContractHost): Promise<void> {
  while ((await host.get('/var/lib/vfleet/fence')) === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
