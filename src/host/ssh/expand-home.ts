import { homedir } from 'node:os';
import { join } from 'node:path';

/** A path with a leading `~/` replaced by the home folder of the worker's user. */
export function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
