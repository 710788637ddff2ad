import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCapture, saveCapture } from '../../src/facts/capture.ts';
import type { Snapshot } from '../../src/facts/snapshot.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'vfleet-capture-'));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

const snapshot = (parts: {
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly dirs?: ReadonlyMap<string, readonly string[]>;
}): Snapshot => ({
  files: new Map(
    Object.entries(parts.files ?? {}).map(([path, text]) => [path, Buffer.from(text)]),
  ),
  links: new Map(Object.entries(parts.links ?? {})),
  dirs: parts.dirs ?? new Map<string, string[]>(),
  queries: new Map(),
});

describe('a capture of a host that lies about its paths', () => {
  it.each(['/../../stolen', '/../run/uid', '/a/../../../stolen', '/'])(
    'is refused for the file %s',
    async (path) => {
      const saving = saveCapture(snapshot({ files: { [path]: 'x' } }), join(base, 'capture'));
      await expect(saving).rejects.toThrow('the host named a path outside itself');
      expect(readdirSync(base)).toEqual(['capture']);
    },
  );

  it('writes no link through another link, which would lie elsewhere than its text was made for', async () => {
    mkdirSync(join(base, 'x'));
    const links = { '/a/b/c/L': '/', '/a/b/c/L/e': '/x', '/e/planted': '/payload' };
    await saveCapture(snapshot({ files: { '/payload': 'x' }, links }), join(base, 'capture'));
    expect(readdirSync(join(base, 'x'))).toEqual([]);
    expect(lstatSync(join(base, 'capture', 'root', 'a/b/c/L')).isDirectory()).toBe(true);
    expect(lstatSync(join(base, 'capture', 'root', 'e')).isDirectory()).toBe(true);
  });

  it('keeps what was read through a link, and where the link leads', async () => {
    const device = '/sys/bus/pci/devices/0000:03:00.0';
    const links = { [device]: '../../../devices/pci0000:00/0000:03:00.0', [`${device}/d`]: '../x' };
    const files = { [`${device}/vendor`]: '0x8086\n' };
    await saveCapture(snapshot({ files, links }), join(base, 'capture'));
    const { files: read, links: found } = await loadCapture(join(base, 'capture'));
    expect(String(read.get(`${device}/vendor`))).toBe('0x8086\n');
    expect(Object.fromEntries(found)).toEqual(links);
  });

  it('keeps links that point out of the host inside, and reads nothing through them', async () => {
    const links = { '/etc/up': '../../../../../etc/passwd', '/etc/abs': '/etc/passwd' };
    await saveCapture(snapshot({ links }), join(base, 'capture'));
    expect(existsSync(join(base, 'capture', 'root', 'etc/up'))).toBe(false);
    expect(existsSync(join(base, 'capture', 'root', 'etc/abs'))).toBe(false);
    expect((await loadCapture(join(base, 'capture'))).files.size).toBe(0);
  });

  it('takes __proto__ for the name that it is', async () => {
    const dirs = new Map([['__proto__', ['polluted']]]);
    await saveCapture(snapshot({ dirs, files: { '/__proto__': 'x' } }), join(base, 'capture'));
    const loaded = await loadCapture(join(base, 'capture'));
    expect(loaded.dirs.get('__proto__')).toEqual(['polluted']);
    expect(Object.hasOwn(Object.prototype, '0')).toBe(false);
  });
});
