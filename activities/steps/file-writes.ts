import { createHash } from 'node:crypto';
import type { FileWrite } from '../../src/host/port.ts';

/** Lower-case hex SHA-256, as the host port's compare-and-set takes it. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A file from what it was (`null`: absent) to what it shall be (`null`: deleted). */
export function fileWrite(
  path: string,
  before: string | null,
  after: string | null,
  options: Pick<FileWrite, 'mode' | 'removeEmptyParent'> = {},
): FileWrite {
  return {
    path,
    expect: before === null ? null : sha256(before),
    content: after === null ? null : new TextEncoder().encode(after),
    ...options,
  };
}
