import type { FileWrite } from '../../src/host/port.ts';
import { sha256 } from '../../src/host/wire.ts';

/** A file from what it was (`null`: absent) to what it shall be (`null`: deleted). */
export function fileWrite(
  path: string,
  before: string | null,
  after: string | null,
  options: Pick<FileWrite, 'mode' | 'removeEmptyParent'> = {},
): FileWrite {
  return {
    path,
    expect: before === null ? null : sha256(bytes(before)),
    content: after === null ? null : bytes(after),
    ...options,
  };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
