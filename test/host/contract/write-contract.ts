import { describe, expect, it } from 'vitest';
import type { FileWrite, WriteOutcome } from '../../../src/host/port.ts';
import { sha256 } from '../../../src/host/wire.ts';
import {
  ATTRIBUTE,
  DEADLINE_MS,
  DROP_IN,
  guardOf,
  LEASE,
  RECORD,
  takeLease,
  type ContractHost,
} from './contract-host.ts';
import type { ContractBench } from './port-contract.ts';

const OLD = Buffer.from('GRUB_CMDLINE_LINUX="quiet"\n');
const NEW = Buffer.from('GRUB_CMDLINE_LINUX="quiet intel_iommu=on"\n');

const write = (
  host: ContractHost,
  seq: number,
  ...files: FileWrite[]
): Promise<readonly WriteOutcome[]> =>
  host.port.write({ guard: guardOf(seq), files, deadlineMs: DEADLINE_MS });

/** What `write` does to files. */
export function writeContract(bench: ContractBench): void {
  const leased = async (): Promise<ContractHost> => {
    const host = await bench.host();
    await takeLease(host);
    return host;
  };

  describe('write', () => {
    it('creates a file and the folder above it, with the mode asked for', async () => {
      const host = await leased();
      const file = { path: DROP_IN, expect: null, content: NEW, mode: 0o640 };
      expect(await write(host, 1, file)).toEqual([{ path: DROP_IN, kind: 'written' }]);
      expect(await host.get(DROP_IN)).toEqual(NEW);
      expect([undefined, 0o640]).toContain(await host.mode(DROP_IN));
      expect(await host.names('/etc/default/grub.d')).toEqual(['zz-vfleet.cfg']);
    });

    it('replaces a file, keeps its mode, and keeps what it replaced', async () => {
      const host = await leased();
      await host.put(DROP_IN, OLD);
      const modeBefore = await host.mode(DROP_IN);
      const file = { path: DROP_IN, expect: sha256(OLD), content: NEW, mode: 0o600 };
      expect(await write(host, 1, file)).toEqual([{ path: DROP_IN, kind: 'written' }]);
      expect(await host.get(DROP_IN)).toEqual(NEW);
      expect(await host.mode(DROP_IN)).toBe(modeBefore);
      expect(await host.get(`/var/lib/vfleet/before/${sha256(OLD)}`)).toEqual(OLD);
      expect(await host.names('/etc/default/grub.d')).toEqual(['zz-vfleet.cfg']);
    });

    it('finds everything as asked when it is applied twice', async () => {
      const host = await leased();
      const file = { path: DROP_IN, expect: null, content: NEW };
      await write(host, 1, file);
      expect(await write(host, 1, file)).toEqual([{ path: DROP_IN, kind: 'unchanged' }]);
      const gone = { path: RECORD, expect: sha256(OLD), content: null };
      expect(await write(host, 2, gone)).toEqual([{ path: RECORD, kind: 'unchanged' }]);
    });

    it('leaves a file alone that is neither as expected nor as asked, and shows it', async () => {
      const host = await leased();
      const other = Buffer.from('someone else\0was here\n');
      await host.put(DROP_IN, other);
      const outcome = await write(host, 1, { path: DROP_IN, expect: sha256(OLD), content: NEW });
      expect(outcome).toEqual([
        { path: DROP_IN, kind: 'conflict', digest: sha256(other), content: other },
      ]);
      expect(await host.get(DROP_IN)).toEqual(other);
    });

    it('takes a file that is absent, or there unexpectedly, for a conflict', async () => {
      const host = await leased();
      const absent = await write(host, 1, { path: DROP_IN, expect: sha256(OLD), content: NEW });
      expect(absent).toEqual([
        { path: DROP_IN, kind: 'conflict', digest: null, content: Buffer.alloc(0) },
      ]);
      await host.put(DROP_IN, OLD);
      const there = await write(host, 2, { path: DROP_IN, expect: null, content: NEW });
      expect(there[0]).toMatchObject({ kind: 'conflict', digest: sha256(OLD) });
    });

    it('stops at the first file that is not as expected', async () => {
      const host = await leased();
      const outcomes = await write(
        host,
        1,
        { path: RECORD, expect: null, content: NEW },
        { path: DROP_IN, expect: sha256(OLD), content: NEW },
        { path: '/var/lib/vfleet/UNDO.txt', expect: null, content: NEW },
      );
      expect(outcomes.map((it) => it.kind)).toEqual(['written', 'conflict']);
      expect(await host.get(RECORD)).toEqual(NEW);
      expect(await host.get('/var/lib/vfleet/UNDO.txt')).toBeUndefined();
    });

    it('deletes a file, and the folder only when it is left empty', async () => {
      const host = await leased();
      const gone = { path: DROP_IN, expect: sha256(OLD), content: null, removeEmptyParent: true };
      await host.put(DROP_IN, OLD);
      await host.put('/etc/default/grub.d/other.cfg', 'x');
      expect(await write(host, 1, gone)).toEqual([{ path: DROP_IN, kind: 'written' }]);
      expect(await host.names('/etc/default/grub.d')).toEqual(['other.cfg']);
      await host.put(DROP_IN, OLD);
      expect(await write(host, 2, { ...gone, removeEmptyParent: false })).toHaveLength(1);
      expect(await host.names('/etc/default/grub.d')).toEqual(['other.cfg']);
    });

    it('removes the folder that it made', async () => {
      const host = await leased();
      await host.put('/etc/default/grub', 'x');
      await write(host, 1, { path: DROP_IN, expect: null, content: NEW });
      const gone = { path: DROP_IN, expect: sha256(NEW), content: null, removeEmptyParent: true };
      await write(host, 2, gone);
      expect(await host.names('/etc/default')).toEqual(['grub']);
    });

    it('writes the message of the day, and takes it away with the folder it made', async () => {
      const host = await leased();
      await host.put('/etc/hostname', 'hv1');
      const path = '/etc/motd.d/50-vfleet';
      await write(host, 1, { path, expect: null, content: NEW, mode: 0o644 });
      expect(await host.get(path)).toEqual(NEW);
      await write(host, 2, { path, expect: sha256(NEW), content: null, removeEmptyParent: true });
      expect(await host.names('/etc')).not.toContain('motd.d');
    });

    it('writes any bytes', async () => {
      const host = await leased();
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 13) % 256));
      await write(host, 1, { path: RECORD, expect: null, content: bytes });
      expect(await host.get(RECORD)).toEqual(bytes);
      await write(host, 2, { path: RECORD, expect: sha256(bytes), content: Buffer.alloc(0) });
      expect(await host.get(RECORD)).toEqual(Buffer.alloc(0));
    });

    it('refuses a path that is not on the list', async () => {
      const host = await leased();
      await host.put('/etc/passwd', 'root');
      const file = { path: '/etc/passwd', expect: sha256(Buffer.from('root')), content: NEW };
      await expect(write(host, 1, file)).rejects.toMatchObject({ code: 'host.path-refused' });
      expect(String(await host.get('/etc/passwd'))).toBe('root');
    });

    it('does not write through a link to a path that is not on the list', async () => {
      const host = await leased();
      await host.put('/etc/passwd', 'root');
      await host.link(DROP_IN, '../../passwd');
      const file = { path: DROP_IN, expect: sha256(Buffer.from('root')), content: NEW };
      await expect(write(host, 1, file)).rejects.toMatchObject({ code: 'host.path-refused' });
      expect(String(await host.get('/etc/passwd'))).toBe('root');
    });

    it('writes the lease, and nothing else, without a guard', async () => {
      const host = await bench.host();
      const unguarded = (path: string): Promise<readonly WriteOutcome[]> =>
        host.port.write({ files: [{ path, expect: null, content: NEW }], deadlineMs: DEADLINE_MS });
      expect(await unguarded(LEASE)).toEqual([{ path: LEASE, kind: 'written' }]);
      await expect(unguarded(RECORD)).rejects.toMatchObject({ code: 'host.path-refused' });
      expect(await host.get(RECORD)).toBeUndefined();
    });
  });

  describe('write on a host that cannot', () => {
    it.for([
      ['etc-full', 'no-space'],
      ['etc-read-only', 'read-only'],
    ] as const)('leaves the old file whole: %s', async ([fault, reason], { skip }) => {
      const host = await bench.faulty({ fault });
      if (host === undefined) return skip(`this implementation has no ${fault}`);
      const before = await host.get(DROP_IN);
      const file = { path: DROP_IN, expect: sha256(before!), content: Buffer.alloc(9000, 'n') };
      const [outcome] = await write(host, 1, file);
      expect(outcome).toMatchObject({ path: DROP_IN, kind: 'failed', reason });
      expect(await host.get(DROP_IN)).toEqual(before);
      expect(await host.names('/etc/default/grub.d')).not.toContainEqual(
        expect.stringContaining('.vfleet'),
      );
    });

    it('changes nothing when it cannot record that it is there', async ({ skip }) => {
      const host = await bench.faulty({ fault: 'state-full' });
      if (host === undefined) return skip('this implementation has no state-full');
      const [outcome] = await write(host, 1, { path: DROP_IN, expect: null, content: NEW });
      expect(outcome).toMatchObject({ path: DROP_IN, kind: 'failed', reason: 'no-space' });
      expect(await host.get(DROP_IN)).toBeUndefined();
      const poke = host.port.poke({
        guard: guardOf(2),
        writes: [{ path: ATTRIBUTE, value: '1', timeoutMs: 1000 }],
        deadlineMs: DEADLINE_MS,
      });
      await expect(poke).rejects.toMatchObject({ code: 'host.record-failed' });
    });
  });
}
