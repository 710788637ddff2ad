import type { FileWrite, WriteOutcome } from '../../host/port.ts';
import { sha256 } from '../../host/wire.ts';
import { isWritablePath } from '../../host/writable-paths.ts';
import { DiskError } from './disk.ts';
import { Refused } from './guard.ts';
import { HostDown } from './host-down.ts';
import type { ModelHost } from './model-host.ts';

const BEFORE = '/var/lib/vfleet/before';
const CONFLICT_BYTES_MAX = 4096;

/** Replaces, creates and deletes files one after the other, as src/host/scripts/write.sh does; stops at the first that is not as expected. */
export function writeFiles(host: ModelHost, files: readonly FileWrite[]): readonly WriteOutcome[] {
  const outcomes: WriteOutcome[] = [];
  for (const file of files) {
    const outcome = writeFile(host, file);
    outcomes.push(outcome);
    host.log.add({
      verb: 'write',
      what: file.path,
      effect: outcome.kind,
      changed: outcome.kind === 'written',
    });
    if (outcome.kind === 'written' && host.faults.takeWrite()) throw new HostDown();
    if (outcome.kind === 'conflict' || outcome.kind === 'failed') break;
  }
  return outcomes;
}

function writeFile(host: ModelHost, file: FileWrite): WriteOutcome {
  try {
    return settle(host, file);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { path: file.path, kind: 'failed', reason: error.reason, message: error.message };
  }
}

function settle(host: ModelHost, file: FileWrite): WriteOutcome {
  const { path } = file;
  const real = host.tree.real(path);
  if (real === undefined) return other(path, 'a link in its path leads nowhere');
  if (!isWritablePath(real)) throw new Refused('path-refused', `${path} is a link to ${real}`);
  const node = host.tree.at(real);
  if (node !== undefined && node.kind !== 'file') return other(path, 'it is not a regular file');
  return compareAndSet(host, real, file, node?.bytes);
}

function compareAndSet(
  host: ModelHost,
  real: string,
  file: FileWrite,
  found: Uint8Array | undefined,
): WriteOutcome {
  const { path, content, expect } = file;
  const digest = found === undefined ? null : sha256(found);
  if (digest === (content === null ? null : sha256(content))) return { path, kind: 'unchanged' };
  if (digest !== expect) {
    const start = (found ?? new Uint8Array()).slice(0, CONFLICT_BYTES_MAX);
    return { path, kind: 'conflict', digest, content: start };
  }
  if (found !== undefined) keepBefore(host, found);
  if (content === null) remove(host, real, file.removeEmptyParent === true);
  else put(host, real, content, found === undefined ? (file.mode ?? 0o644) : undefined);
  return { path, kind: 'written' };
}

const other = (path: string, message: string): WriteOutcome => ({
  path,
  kind: 'failed',
  reason: 'other',
  message,
});

/** What was there stays under its digest, so that it can be put back by hand. */
function keepBefore(host: ModelHost, content: Uint8Array): void {
  const kept = `${BEFORE}/${sha256(content)}`;
  if (host.tree.at(kept) !== undefined) return;
  host.disk.mkdir(BEFORE);
  host.disk.put(kept, content);
}

function put(host: ModelHost, path: string, content: Uint8Array, mode: number | undefined): void {
  host.disk.mkdir(path.slice(0, path.lastIndexOf('/')));
  host.disk.put(path, content, mode);
}

function remove(host: ModelHost, path: string, tidy: boolean): void {
  host.disk.remove(path);
  const folder = path.slice(0, path.lastIndexOf('/'));
  if (tidy && host.tree.names(folder)?.length === 0) host.disk.remove(folder);
}
