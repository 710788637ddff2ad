import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainLines } from '../domain/plain-line.ts';
import type { RolloutStatus } from '../domain/status.ts';

/** Names that were seen last, so that completing one needs no engine: of each rollout's hosts, the newest rollout first. */
export type KnownNames = readonly {
  readonly rollout: string;
  readonly hosts: readonly string[];
}[];

/** Most rollouts kept. */
const ROLLOUTS_MAX = 30;
const FILE = 'known-names.json';

/** The names that `rememberNames` kept; none when there is no such file, or one that somebody else wrote. */
export async function readKnownNames(folder: string): Promise<KnownNames> {
  try {
    const found: unknown = JSON.parse(await readFile(join(folder, FILE), 'utf8'));
    return Array.isArray(found) ? found.flatMap(understood) : [];
  } catch {
    return [];
  }
}

/**
 * One entry of the file, with names only that a shell takes as they are: bash puts a completed word on the line as it is,
 * and an engine that is shared may hold rollouts whose names nobody checked.
 */
function understood(entry: unknown): KnownNames {
  const { rollout, hosts } = (entry ?? {}) as { rollout?: unknown; hosts?: unknown };
  if (!isName(rollout) || !Array.isArray(hosts)) return [];
  return [{ rollout, hosts: hosts.filter(isName) }];
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_:][A-Za-z0-9_.:#-]*$/.test(value);
}

/** Keeps the names of a rollout that was just read. Never an error: a folder that takes no writes costs completions only. */
export async function rememberNames(folder: string, status: RolloutStatus): Promise<void> {
  const known = await readKnownNames(folder);
  const hosts = status.hosts.map((host) => host.name);
  const same = known.find(({ rollout }) => rollout === status.id);
  // The hosts of a rollout are frozen at its start, so that a followed one is written once.
  if (same?.hosts.length === hosts.length) return;
  const others = known.filter(({ rollout }) => rollout !== status.id);
  const next = plainLines([{ rollout: status.id, hosts }, ...others].slice(0, ROLLOUTS_MAX));
  const scratch = join(folder, `${FILE}.${process.pid}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(scratch, `${JSON.stringify(next)}\n`, { mode: 0o600 });
    await rename(scratch, join(folder, FILE));
  } catch {
    // See above.
  }
}
