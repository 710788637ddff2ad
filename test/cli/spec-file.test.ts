import { mkdtemp, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostsOf, readSpec } from '../../src/cli/inputs.ts';
import { CliError } from '../../src/cli/outcome.ts';

let folder: string;
const GOOD = 'name: a\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\n';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-spec-file-'));
  await mkdir(join(folder, 'empty'));
  await writeFile(join(folder, 'enable-iommu.yaml'), GOOD);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a person is told of a file, and what to do next; the folder's own name is cut. */
async function told(name: string, content?: string | Buffer): Promise<readonly [string, string]> {
  const path = join(folder, name);
  if (content !== undefined) await writeFile(path, content);
  const error: unknown = await readSpec(path).catch((thrown: unknown) => thrown);
  if (!(error instanceof CliError)) throw new Error(`${name} was read`);
  expect(error.outcome).toBe('usage');
  return [error.message.replaceAll(`${folder}/`, ''), error.next.replaceAll(`${folder}/`, '')];
}

describe('a spec named on the command line', () => {
  it('that is not there leads to the one that is', async () => {
    expect(await told('enable-iomu.yaml')).toEqual([
      'enable-iomu.yaml cannot be read: there is no such file.',
      'did you mean enable-iommu.yaml?',
    ]);
    expect(await told('something-else.yaml')).toEqual([
      'something-else.yaml cannot be read: there is no such file.',
      'check the path',
    ]);
    expect(await told('enable-iommu.yaml/x.yaml')).toEqual([
      'enable-iommu.yaml/x.yaml cannot be read: there is no such file.',
      'check the path',
    ]);
  });

  it('that is a folder leads to a file in it', async () => {
    expect(await told('.')).toEqual([
      `${folder} cannot be read: it is a folder.`,
      `name a file in it, e.g. enable-iommu.yaml`,
    ]);
    expect(await told('empty')).toEqual([
      'empty cannot be read: it is a folder.',
      'name the file of a spec',
    ]);
  });

  it('may be JSON, and may begin with a byte order mark', async () => {
    const json = '{"name": "a", "hosts": {"inventory": "i"}, "target": {"iommu": "enabled"}}';
    await writeFile(join(folder, 'good.json'), json);
    await writeFile(join(folder, 'mark.yml'), `\ufeff${GOOD}`);
    expect((await readSpec(join(folder, 'good.json'))).spec.name).toBe('a');
    expect((await readSpec(join(folder, 'mark.yml'))).spec.name).toBe('a');
  });

  it.each<readonly [name: string, content: string | Buffer, message: string]>([
    [
      'latin-1',
      Buffer.from(`${GOOD}owner: { team: caf\u00e9 }\n`, 'latin1'),
      ':4:19: is not UTF-8 from here on; save it as UTF-8',
    ],
    ['utf-16', Buffer.from(`\ufeff${GOOD}`, 'utf16le'), ':1:1: is UTF-16; save it as UTF-8'],
    ['nul', `${GOOD}a\0: b\n`, ':4:2: holds a NUL, which no text does'],
    [
      'binary',
      Buffer.from('7f454c46020101ff', 'hex'),
      ':1:8: is not UTF-8 from here on; save it as UTF-8',
    ],
    [
      'plain.json',
      '{"name": "a" "hosts": 1}',
      ':1:10: is not YAML: a comma is missing from here on, or hyphens stand inside of brackets\nplain.json:1:14: is not YAML: unexpected double-quoted-scalar token',
    ],
  ])('that is %s is refused with its place', async (name, content, message) => {
    expect(await told(name, content)).toEqual([
      name + message,
      expect.stringContaining('vfleet check'),
    ]);
  });

  it('that is huge is read no further than a spec may be long', async () => {
    const path = join(folder, 'huge');
    await writeFile(path, '#');
    await truncate(path, 4 * 1024 ** 4);
    const [message] = await told('huge');
    expect(message).toBe('huge:1:2: holds a NUL, which no text does');
    expect(await told('long', '#'.repeat(17 * 1024 ** 2))).toEqual([
      "long:1:1: is longer than 16777216 characters, which is no file of a person's",
      expect.stringContaining('vfleet check'),
    ]);
  });
});

it('whose inventory is a program: stopping vfleet stops that too, and says no other problem', async () => {
  const path = join(folder, 'program.yaml');
  await writeFile(path, GOOD.replace('hosts.ini', '{ command: [sleep, "600"] }'));
  const stopped = new CliError('failed', 'Stopped by SIGINT.', '', { code: 'vfleet.stopped' });
  const controller = new AbortController();
  const hosts = hostsOf(await readSpec(path), controller.signal);
  controller.abort(stopped);
  await expect(hosts).rejects.toBe(stopped);
});
