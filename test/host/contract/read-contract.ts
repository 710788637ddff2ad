import { describe, expect, it } from 'vitest';
import { textOf, type Snapshot } from '../../../src/facts/snapshot.ts';
import { FILE_BYTES_MAX, type ReadEntry } from '../../../src/host/port.ts';
import { DEADLINE_MS, type ContractHost } from './contract-host.ts';
import type { ContractBench } from './port-contract.ts';

const read = (host: ContractHost, ...entries: ReadEntry[]): Promise<Snapshot> =>
  host.port.read({ entries, deadlineMs: DEADLINE_MS });

/** What `read` answers. */
export function readContract(bench: ContractBench): void {
  describe('read', () => {
    it('returns whole files as bytes, also bytes that are no text', async () => {
      const host = await bench.host();
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7 + (i >> 8)) % 256));
      await host.put('/etc/vt/binary', bytes);
      await host.put('/etc/vt/empty', '');
      await host.put('/etc/vt/umlaut', 'Grüße\n\n\n');
      const { files } = await read(host, { kind: 'file', glob: '/etc/vt/*' });
      expect([...files.keys()].sort()).toEqual([
        '/etc/vt/binary',
        '/etc/vt/empty',
        '/etc/vt/umlaut',
      ]);
      expect(Buffer.from(files.get('/etc/vt/binary')!)).toEqual(bytes);
      expect(Buffer.from(files.get('/etc/vt/empty')!)).toEqual(Buffer.alloc(0));
      expect(Buffer.from(files.get('/etc/vt/umlaut')!).toString()).toBe('Grüße\n\n\n');
    });

    it('returns the first line of many attributes, without its newline', async () => {
      const host = await bench.host();
      await host.put('/sys/vt/a/vendor', '0x8086\n');
      await host.put('/sys/vt/b/vendor', '0x10de\nsecond\n');
      await host.put('/sys/vt/c/vendor', '  no newline \\x');
      await host.put('/sys/vt/d/vendor', '');
      const snapshot = await read(host, { kind: 'line', glob: '/sys/vt/*/vendor' });
      expect(['a', 'b', 'c', 'd'].map((it) => textOf(snapshot, `/sys/vt/${it}/vendor`))).toEqual([
        '0x8086',
        '0x10de',
        '  no newline \\x',
        '',
      ]);
    });

    it('lists the names in folders, sorted, with hidden and empty ones', async () => {
      const host = await bench.host();
      await host.put('/sys/vt/groups/1/.hidden', '');
      await host.put('/sys/vt/groups/1/b', '');
      await host.put('/sys/vt/groups/1/a c', '');
      await host.link('/sys/vt/groups/1/link', 'nowhere');
      const { dirs } = await read(host, { kind: 'list', glob: '/sys/vt/groups/*' });
      expect(dirs).toEqual(new Map([['/sys/vt/groups/1', ['.hidden', 'a c', 'b', 'link']]]));
    });

    it('returns targets of links as stored, also of links that lead nowhere', async () => {
      const host = await bench.host();
      await host.link('/sys/vt/l/driver', '../../bus/pci/drivers/vfio-pci');
      await host.link('/sys/vt/l/with space', 'a b');
      await host.put('/sys/vt/l/file', 'x');
      const { links } = await read(host, { kind: 'link', glob: '/sys/vt/l/*' });
      expect(links).toEqual(
        new Map([
          ['/sys/vt/l/driver', '../../bus/pci/drivers/vfio-pci'],
          ['/sys/vt/l/with space', 'a b'],
        ]),
      );
    });

    it('follows a link where a file is asked for', async () => {
      const host = await bench.host();
      await host.put('/etc/vt/real', 'content');
      await host.link('/etc/vt/alias', 'real');
      expect(
        textOf(await read(host, { kind: 'file', glob: '/etc/vt/alias' }), '/etc/vt/alias'),
      ).toBe('content');
    });

    it('leaves out what is absent, and what is of another kind', async () => {
      const host = await bench.host();
      await host.put('/etc/vt/folder/file', 'x');
      const snapshot = await read(
        host,
        { kind: 'file', glob: '/etc/vt/none' },
        { kind: 'file', glob: '/etc/vt/folder' },
        { kind: 'line', glob: '/etc/vt/none/*' },
        { kind: 'list', glob: '/etc/vt/folder/file' },
        { kind: 'link', glob: '/etc/vt/folder/file' },
      );
      const { files, dirs, links } = snapshot;
      expect([files.size, dirs.size, links.size]).toEqual([0, 0, 0]);
    });

    it('takes names as data: spaces, dollars, quotes, back-ticks, stars', async () => {
      const host = await bench.host();
      const names = ['a b', '$(id)', "it's", '"q"', '`id`', ';', 'star*', '-n', 'ä'];
      for (const name of names) await host.put(`/etc/vt/names/${name}`, name);
      const all = await read(host, { kind: 'file', glob: '/etc/vt/names/*' });
      expect(names.map((it) => textOf(all, `/etc/vt/names/${it}`))).toEqual(names);
      const one = await read(host, { kind: 'line', glob: '/etc/vt/names/$(id)' });
      expect([...one.files.keys()]).toEqual(['/etc/vt/names/$(id)']);
    });

    it('knows ?, sets and hidden names in patterns as a shell does', async () => {
      const host = await bench.host();
      for (const name of ['a1', 'a2', 'b1', '.a1']) await host.put(`/etc/vt/g/${name}`, name);
      const globbed = async (glob: string): Promise<string[]> =>
        [...(await read(host, { kind: 'file', glob })).files.keys()]
          .map((it) => it.slice('/etc/vt/g/'.length))
          .sort();
      expect(await globbed('/etc/vt/g/*')).toEqual(['a1', 'a2', 'b1']);
      expect(await globbed('/etc/vt/g/?1')).toEqual(['a1', 'b1']);
      expect(await globbed('/etc/vt/g/[!a]*')).toEqual(['b1']);
      expect(await globbed('/etc/v*/g/a[1-3]')).toEqual(['a1', 'a2']);
      expect(await globbed('/etc/vt/*/.a*')).toEqual(['.a1']);
    });

    it('returns a file of the largest size allowed and refuses one that is larger', async () => {
      const host = await bench.host();
      await host.put('/etc/vt/largest', Buffer.alloc(FILE_BYTES_MAX, 'x'));
      await host.put('/etc/vt/too-large', Buffer.alloc(FILE_BYTES_MAX + 1, 'x'));
      const { files } = await read(host, { kind: 'file', glob: '/etc/vt/largest' });
      expect(files.get('/etc/vt/largest')?.length).toBe(FILE_BYTES_MAX);
      await expect(read(host, { kind: 'file', glob: '/etc/vt/too-large' })).rejects.toMatchObject({
        code: 'host.output-too-large',
      });
    });

    it('answers who it is there', async () => {
      const host = await bench.host();
      const { queries } = await read(host, { kind: 'query', query: 'uid' });
      expect(queries.get('uid')).toEqual({ code: 0, output: '0' });
    });

    it('tells its answer from what a login shell prints in front', async ({ skip }) => {
      const host = await bench.host();
      if (host.noise === undefined) skip('there is no wire to put noise on');
      await host.noise!(Buffer.from('Welcome!\nvfleet-begin \0 0\0\0'));
      await host.put('/etc/vt/x', 'y');
      expect(textOf(await read(host, { kind: 'file', glob: '/etc/vt/x' }), '/etc/vt/x')).toBe('y');
    });
  });
}
