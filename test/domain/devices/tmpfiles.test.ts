import { expect, it } from 'vitest';
import { parseTmpfiles, tmpfilesText } from '../../../src/domain/devices/tmpfiles.ts';

const M = 2048;
const G = 1048576;

it('huge pages of tmpfiles.d come back from their text as they went in, and nothing else does', () => {
  const lines = [
    { sizeKiB: G, node: null, count: 1 },
    { sizeKiB: M, node: 3, count: 2 },
  ] as const;
  const text = tmpfilesText(lines)!;
  expect(parseTmpfiles(text)).toEqual(lines);
  expect(parseTmpfiles(`${text}w /etc/passwd - - - - 0\n`)).toBeUndefined();
  expect(parseTmpfiles('x'.repeat(100_000))).toBeUndefined();
});
