import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type DecodedText, decodeText } from '../decode-text.ts';
import { unreadable, wholeFile } from './whole-file.ts';

/** Longest file of an inventory, in bytes; what `ansible-inventory --list` prints of 10,000 hosts is about half of it. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads a file of an inventory. Never throws, and never waits for a pipe that nobody writes, unless `pipe` says that
 * somebody named it, as `-i <(COMMAND)` does. Comments may hold any bytes, as for Ansible (plugins/inventory/ini.py).
 */
export async function readTextFile(
  path: string,
  options: { readonly pipe?: boolean } = {},
): Promise<DecodedText> {
  const wrong = (message: string): DecodedText => ({
    ok: false,
    problem: wholeFile(path, message),
  });
  try {
    const wait = options.pipe === true ? 0 : constants.O_NONBLOCK;
    await using file = await open(path, constants.O_RDONLY | wait);
    if (options.pipe !== true && !(await file.stat()).isFile()) {
      return wrong('is no file but a pipe, a socket or a device');
    }
    const stream = file.createReadStream({ end: FILE_BYTES_MAX, autoClose: false });
    const chunks: unknown[] = await stream.toArray();
    const bytes = Buffer.concat(chunks.filter((chunk) => Buffer.isBuffer(chunk)));
    if (bytes.length > FILE_BYTES_MAX) {
      return wrong(`is longer than ${FILE_BYTES_MAX / 1024 / 1024} MiB, which is no inventory`);
    }
    const decoded = decodeText(bytes, path);
    return decoded.ok ? decoded : decodeText(withoutComments(bytes), path);
  } catch (error) {
    return { ok: false, problem: unreadable(path, error) };
  }
}

/** The same lines, those that are comments empty. latin1 keeps every byte as it is. */
function withoutComments(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/^[ \t]*[#;].*$/gm, ''), 'latin1');
}
