import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { decodeText } from '../schema/decode-text.ts';
import { nearest } from '../schema/nearest.ts';
import { formatProblem } from '../schema/problem.ts';
import { YAML_LENGTH_MAX } from '../schema/yaml-text.ts';
import { CliError } from './outcome.ts';

/** Reads a spec's file as text. Throws a CliError `usage` that says what is there instead of a readable file. */
export async function readSpecText(file: string): Promise<string> {
  const decoded = decodeText(await readBytes(file), file);
  if (decoded.ok) return decoded.text;
  throw new CliError('usage', formatProblem(decoded.problem), `check again: vfleet check ${file}`);
}

/** No more than a spec may have, and one byte, so that a device or a disk image does not fill the memory. */
async function readBytes(file: string): Promise<Buffer> {
  try {
    const chunks: unknown[] = await createReadStream(file, { end: YAML_LENGTH_MAX }).toArray();
    return Buffer.concat(chunks.filter((chunk) => Buffer.isBuffer(chunk)));
  } catch (error) {
    const { reason, next } = await whyUnread(file, error);
    throw new CliError('usage', `${file} cannot be read: ${reason}.`, next, { cause: error });
  }
}

async function whyUnread(
  file: string,
  error: unknown,
): Promise<{ readonly reason: string; readonly next: string }> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR': {
      const near = nearest(basename(file), await specsIn(dirname(file)));
      const next =
        near === undefined ? 'check the path' : `did you mean ${join(dirname(file), near)}?`;
      return { reason: 'there is no such file', next };
    }
    case 'EISDIR': {
      const [first] = await specsIn(file);
      const next =
        first === undefined
          ? 'name the file of a spec'
          : `name a file in it, e.g. ${join(file, first)}`;
      return { reason: 'it is a folder', next };
    }
    case 'EACCES':
      return { reason: 'permission denied', next: 'check who may read it' };
    default:
      return {
        reason: error instanceof Error ? error.message : String(error),
        next: 'check the path',
      };
  }
}

async function specsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /\.(?:ya?ml|json)$/i.test(name)).sort();
}
